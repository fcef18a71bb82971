import { ConfigError, complaint, DataError, NotLearnableError } from '../../core/errors';
import { named } from '../../core/numbers';
import { checkOptions, type OptionNames } from '../../core/options';
import { printable } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkChoice, checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import { dot } from '../../statistics/covariance';
import type { Labeled } from '../labeled';
import { type DirectionInput, listOfDirections, toDirection } from '../manipulate';
import { Posterior } from '../prior';
import type { LearnableRangeOptions, Strengths } from '../range';
import { rangeOf } from '../range/learnableRange';
import type { ChannelMaskOptions } from '../transfer';
import { channelMaskOptions } from '../transfer/channelMask';
import { pairsOf } from '../transfer/transferPairs';
import { joinSamples, pickSamples, type SyntheticSamples } from './batches';

/** How synthetic samples are made. */
export type SynthesisMethod = 'attribute' | 'pair' | 'posterior' | 'mixup';

/** Options of `synthesize`; the range options and the channel mask apply to the methods 'attribute' and 'pair'. */
export interface SynthesizeOptions
  extends ChannelMaskOptions,
    Omit<LearnableRangeOptions, 'own' | 'consistency'> {
  /** Number of samples to make. */
  count: number;
  method: SynthesisMethod;
  /**
   * How far samples go. 'attribute': largest move in standard deviations of the prior along the direction, default 0.5. 'pair': factor on
   * the difference, default 0.3. 'posterior': share s of a fresh draw, 1 for a plain draw, default 0.5. 'mixup': largest share of the
   * second sample, default 0.5.
   */
  strength?: number;
  /** One or several attribute directions, for the method 'attribute'. */
  directions?: DirectionInput | readonly DirectionInput[];
  /** Samples of other subclasses, for the method 'pair'. */
  donors?: Labeled;
  /** Whether 'pair' keeps the spread of the subclass. Default: false. */
  variancePreserving?: boolean;
  /** Seed. Default: 0. */
  seed?: Seed;
}

/** Names of the options of `synthesize`. */
export const synthesizeOptions: OptionNames<SynthesizeOptions> = {
  ...channelMaskOptions,
  level: true,
  kind: true,
  minimumConsistency: true,
  mixing: true,
  assumeNearNormal: 'boolean',
  count: true,
  method: true,
  strength: true,
  directions: true,
  donors: true,
  variancePreserving: 'boolean',
  seed: true,
};

/** Batches made before copies of the few samples are taken for all that there is. */
const ROUNDS = 20;
/** Relative difference that sums of shares of equal samples may have. */
const ROUNDING = 1e-12;
/** What to do where a method makes nothing but copies. */
const HINTS: Record<SynthesisMethod, string> = {
  attribute: 'No strength but 0 is learnable along the directions; see learnableRange.',
  pair: 'The donors do not differ.',
  posterior: '',
  mixup: 'The few samples are equal.',
};
const DEFAULT_STRENGTH = { attribute: 0.5, pair: 0.3, posterior: 0.5, mixup: 0.5 } as const;

/**
 * Synthetic samples of a subclass from few samples and what the prior knows.
 *
 *     attribute:  z_i + sum_k s_k delta_k,  s_k uniform over the learnable strengths within +- strength prior deviations
 *     pair:       z_i + strength M * (z_a - z_b), a and b of one other subclass
 *     posterior:  m + sqrt(1 - s^2) (z_i - m) + s e,  e ~ N(0, Sigma + V)
 *     mixup:      (1 - w) z_i + w z_j,  w uniform on [0, strength]
 *
 * All stay near real samples by default: in latents of unconditional flows a full-strength draw is often of another subclass.
 *
 * Shapes: posterior of [n, d] -> [count, d]. `augment` adds a filter that keeps the label.
 *
 * Source: mixup as in Zhang et al. (2017), arXiv:1710.09412, within one subclass; draws as in Gambardella et al., "Transflow learning"
 * (2019), arXiv:1911.13270.
 *
 * No result is a copy of one of the few.
 *
 * @throws NotLearnableError where nothing but copies can be made, ConfigError, DataError (mixup of one sample), ShapeError
 * @example
 * const { z, logProb } = synthesize(prior.posterior(few), { count: 20, method: 'mixup', seed: 3 });
 */
export function synthesize(posterior: Posterior, options: SynthesizeOptions): SyntheticSamples {
  const where = 'synthesize';
  checkOptions(where, options, synthesizeOptions);
  if (!(posterior instanceof Posterior)) {
    throw new ConfigError(complaint(where, 'a posterior', named(posterior)[0], 'See Prior.posterior.'));
  }
  return samplesOf(where, posterior, options ?? {});
}

/** The same on behalf of `where`, whose options may be more. */
export function samplesOf(where: string, posterior: Posterior, options: SynthesizeOptions): SyntheticSamples {
  const { count, method, seed = 0 } = options;
  checkInteger(where, 'count', count);
  checkChoice(where, 'method', method, Object.keys(DEFAULT_STRENGTH));
  const { strength = DEFAULT_STRENGTH[method] } = options;
  const largest = method === 'posterior' || method === 'mixup' ? 1 : Number.POSITIVE_INFINITY;
  if (!(Number.isFinite(strength) && strength > 0 && strength <= largest)) {
    throw new ConfigError(complaint(where, `a strength in (0, ${largest}] for ${method}`, strength));
  }
  const random = new RandomStream(seed);
  const kept: SyntheticSamples[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS && found < count; round++) {
    const made = makers[method](posterior, { ...options, strength }, random);
    const batch = { strengths: null, ...made, logProb: posterior.logProb(made.z) };
    const fresh = rowsThatAreNew(batch.z, posterior.samples).slice(0, count - found);
    kept.push(fresh.length === batch.z.rows ? batch : pickSamples(batch, fresh));
    found += fresh.length;
  }
  if (found < count) {
    const received = `${count - found} copies of them`;
    throw new NotLearnableError(
      complaint(where, `${count} samples by ${method} that differ from the few`, received, HINTS[method]),
    );
  }
  const lines = ({ z }: SyntheticSamples) => [`${z.rows} samples of ${z.cols} values by ${method}`];
  return printable(joinSamples(kept), lines);
}

/** Rows that are none of the samples over again: a copy is no further sample, whatever it is called. */
function rowsThatAreNew(z: Matrix, samples: Matrix): number[] {
  const isCopy = (row: Float64Array) => {
    for (let i = 0; i < samples.rows; i++) {
      const sample = samples.row(i);
      if (row.every((value, j) => Math.abs(value - sample[j]) <= ROUNDING * Math.abs(sample[j]))) return true;
    }
    return false;
  };
  return Array.from({ length: z.rows }, (_, i) => i).filter((i) => !isCopy(z.row(i)));
}

type Made = Pick<SyntheticSamples, 'z' | 'source'> & { strengths?: Matrix };
type Maker = (
  posterior: Posterior,
  options: SynthesizeOptions & { strength: number },
  random: RandomStream,
) => Made;

const makers: Record<SynthesisMethod, Maker> = { attribute, pair, posterior: redraw, mixup };

function attribute(
  posterior: Posterior,
  options: SynthesizeOptions & { strength: number },
  random: RandomStream,
): Made {
  const { count, strength } = options;
  const directions = listOfDirections(options.directions ?? []);
  if (directions.length === 0) {
    throw new ConfigError(
      complaint('synthesize', "directions for method 'attribute'", 'none', 'See zDelta.'),
    );
  }
  const { samples, priorCovariance } = posterior;
  const vectors = directions.map((direction) => toDirection('synthesize', direction, posterior.dimension));
  const limits = vectors.map(
    (vector) => (strength * Math.sqrt(priorCovariance.variance(vector))) / dot(vector, vector),
  );
  const ranges = Array.from({ length: samples.rows }, (_, i) =>
    directions.map((direction, k) => {
      const range = rangeOf('synthesize', posterior, samples.row(i), direction, options);
      const learnable = [...(range.own === null ? [] : [range.own]), ...range.transferable];
      return clip(learnable, limits[k]);
    }),
  );
  const source = sources(count, samples.rows, random);
  const strengths = Matrix.zeros(count, vectors.length);
  const z = Matrix.zeros(count, posterior.dimension);
  source.forEach((i, row) => {
    const target = z.row(row);
    target.set(samples.row(i));
    vectors.forEach((vector, k) => {
      const step = uniformOver(ranges[i][k], random);
      strengths.row(row)[k] = step;
      for (let j = 0; j < target.length; j++) target[j] += step * vector[j];
    });
  });
  return { z, source, strengths };
}

function pair(
  posterior: Posterior,
  options: SynthesizeOptions & { strength: number },
  random: RandomStream,
): Made {
  const { donors, count } = options;
  if (donors === undefined) {
    throw new ConfigError(complaint('synthesize', "donors for method 'pair'", 'none'));
  }
  return pairsOf('synthesize', posterior.samples, donors, { ...options, count, seed: random.childSeed() });
}

function redraw(
  posterior: Posterior,
  { count, strength }: SynthesizeOptions & { strength: number },
  random: RandomStream,
): Made {
  const { samples, mean, predictive } = posterior;
  const keep = Math.sqrt(1 - strength * strength);
  const source = sources(count, samples.rows, random);
  const z = Matrix.zeros(count, posterior.dimension);
  source.forEach((i, row) => {
    const origin = samples.row(i);
    const noise = predictive.draw(random);
    z.row(row).set(mean.map((value, j) => value + keep * (origin[j] - value) + strength * noise[j]));
  });
  return { z, source: strength === 1 ? source.fill(-1) : source };
}

function mixup(
  posterior: Posterior,
  { count, strength }: SynthesizeOptions & { strength: number },
  random: RandomStream,
): Made {
  const { samples } = posterior;
  const n = samples.rows;
  if (n < 2) throw new DataError(complaint('synthesize', 'at least 2 samples to mix', n));
  const source = sources(count, n, random);
  const z = Matrix.zeros(count, posterior.dimension);
  source.forEach((i, row) => {
    const other = samples.row((i + 1 + random.integer(n - 1)) % n);
    const weight = strength * random.uniformNumber();
    z.row(row).set(samples.row(i).map((value, j) => (1 - weight) * value + weight * other[j]));
  });
  return { z, source };
}

/** Every sample about equally often, in random order. */
function sources(count: number, n: number, random: RandomStream): Int32Array {
  const order = random.permutation(n);
  return Int32Array.from({ length: count }, (_, k) => order[k % n]);
}

function clip(intervals: readonly Strengths[], limit: number): Strengths[] {
  return intervals
    .map(([low, high]): Strengths => [Math.max(low, -limit), Math.min(high, limit)])
    .filter(([low, high]) => low < high);
}

/** Uniform over a union of intervals; 0 where there is none. */
function uniformOver(intervals: readonly Strengths[], random: RandomStream): number {
  const total = intervals.reduce((sum, [low, high]) => sum + high - low, 0);
  let position = total * random.uniformNumber();
  for (const [low, high] of intervals) {
    if (position <= high - low) return low + position;
    position -= high - low;
  }
  return 0;
}
