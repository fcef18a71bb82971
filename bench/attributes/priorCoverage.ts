import { fitPrior, type LearnableRange, learnableRange, type RangeKind } from 'tfjs-flows/attributes';
import { type BarFigure, between } from './bar';
import { Population } from './population';

export const name = 'fitPrior and learnableRange: coverage of nominal .95 from data to range';

/** Directions that ranges are asked along. */
export type CoverageDirection = 'widest' | 'random' | 'within' | 'between';

/** One setting of the simulation. */
export interface PriorCoverageSetting {
  dimensions: number;
  factors: number;
  classes?: number;
  perClass?: number;
  few: number;
  /** Variance between subclasses over that within. Default: 1. */
  ratio?: number;
  kind?: RangeKind;
}

/**
 * Share of further samples of new subclasses whose range contains strength 0, along the widest coordinate, a random direction, and a
 * leading direction of the true W and of the true T.
 */
export function measureCoverage(
  {
    dimensions: d,
    factors,
    classes = 20,
    perClass = 20,
    few,
    ratio = 1,
    kind = 'marginal',
  }: PriorCoverageSetting,
  bases: number,
  newcomers: number,
  seed: number,
): Record<CoverageDirection, number> {
  const inside = { widest: 0, random: 0, within: 0, between: 0 };
  for (let base = 0; base < bases; base++) {
    const population = new Population({
      dimensions: d,
      factors,
      ratio,
      units: 100,
      seed: 1000 * seed + base,
    });
    const { within, between: means, random } = population;
    const prior = fitPrior(population.base(classes, perClass));
    const directions: Record<CoverageDirection, Float64Array> = {
      widest: Float64Array.from({ length: d }, (_, j) => Number(j === d - 1)),
      random: within.diagonal().map((variance) => random.normalNumber() / Math.sqrt(variance)),
      within: leading(factors, d, within.factors.data, within.diagonal()),
      between: leading(factors, d, means.factors.data, means.diagonal()),
    };
    for (let i = 0; i < newcomers; i++) {
      const mean = population.ordinary();
      const posterior = prior.posterior(population.samples(mean, few));
      const further = population.samples(mean, 1).row(0);
      for (const key of Object.keys(directions) as CoverageDirection[]) {
        if (holds(learnableRange(posterior, further, directions[key], { kind }))) inside[key]++;
      }
    }
  }
  const count = bases * newcomers;
  return {
    widest: inside.widest / count,
    random: inside.random / count,
    within: inside.within / count,
    between: inside.between / count,
  };
}

function holds({ prior }: LearnableRange): boolean {
  return prior.some(([low, high]) => low <= 0 && high >= 0);
}

/** The first factor's direction in units of the variances; without factors the first coordinate. */
function leading(factors: number, d: number, loadings: Float64Array, variances: Float64Array): Float64Array {
  if (factors === 0) return Float64Array.from({ length: d }, (_, j) => Number(j === 0));
  return Float64Array.from({ length: d }, (_, j) => loadings[j] / variances[j]);
}

/** The settings of the bar. */
export function settings(): PriorCoverageSetting[] {
  return [4, 16, 64, 300].flatMap((dimensions) =>
    [0, 3].flatMap((factors) => [3, 10].map((few) => ({ dimensions, factors, few }))),
  );
}

export async function run(): Promise<BarFigure[]> {
  return settings().flatMap((setting, i) => {
    const found = measureCoverage(setting, setting.dimensions <= 64 ? 40 : 10, 50, i);
    const label = `d ${setting.dimensions}, ${setting.factors} factors, ${setting.few} samples`;
    return Object.entries(found).map(([direction, share]) =>
      between(`${direction}: ${label}`, share, 0.93, 0.97),
    );
  });
}
