import { RandomStream } from '../../core/random';
import { EFFECT_NAMES, type EffectName, effectSizes } from './effectSizes';
import { describe } from './sample';

/** Mean and spread of an effect size over normal samples. */
export interface NullEffect {
  mean: number;
  standardDeviation: number;
}

/** Larger samples are not simulated; their expectation follows from the known rate in n. */
const LARGEST_SIMULATED = 5000;
const FEWEST_REPLICATES = 100;
const MOST_REPLICATES = 2000;
/** Values drawn per n, so that a table costs tenths of a second whatever n is. */
const BUDGET = 400_000;

const tables = new Map<number, Record<EffectName, NullEffect>>();

/**
 * What the effect sizes of n normal values are on average: never 0, since mean and deviation are fitted and n is finite.
 *
 * Seeded Monte Carlo, cached per n. All effect sizes are affine-invariant, so one table serves every normal distribution.
 * Above n = 5000: W1 scales as n^(-1/2), the others as 1/n (W2^2 up to a factor that grows like log log n).
 */
export function nullEffects(n: number): Record<EffectName, NullEffect> {
  const size = Math.min(n, LARGEST_SIMULATED);
  let table = tables.get(size);
  if (table === undefined) {
    table = simulate(size);
    tables.set(size, table);
  }
  if (n === size) return table;
  const scaled = (name: EffectName) => {
    const factor = name === 'w1' ? Math.sqrt(size / n) : size / n;
    const { mean, standardDeviation } = table[name];
    return { mean: mean * factor, standardDeviation: standardDeviation * factor };
  };
  return Object.fromEntries(EFFECT_NAMES.map((name) => [name, scaled(name)])) as typeof table;
}

function simulate(n: number): Record<EffectName, NullEffect> {
  const replicates = Math.min(MOST_REPLICATES, Math.max(FEWEST_REPLICATES, Math.round(BUDGET / n)));
  const random = new RandomStream(`normal effects of ${n}`);
  const drawn = Array.from({ length: replicates }, () => effectSizes(describe(random.normalArray(n))));
  const summarize = (name: EffectName) => {
    const mean = drawn.reduce((sum, effects) => sum + effects[name], 0) / replicates;
    const squares = drawn.reduce((sum, effects) => sum + (effects[name] - mean) ** 2, 0);
    return { mean, standardDeviation: Math.sqrt(squares / (replicates - 1)) };
  };
  return Object.fromEntries(EFFECT_NAMES.map((name) => [name, summarize(name)])) as Record<
    EffectName,
    NullEffect
  >;
}
