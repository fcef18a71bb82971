import { Matrix, RandomStream } from 'tfjs-flows';
import { FullCovariance, learnableRange, type RangeKind } from 'tfjs-flows/attributes';
import { type BarFigure, below, between } from './bar';

export const name = 'learnableRange: coverage of nominal .95';

/** One setting of the simulation. */
export interface CoverageSetting {
  dimensions: number;
  /** Samples behind the mean. */
  count: number;
  /** Degrees of freedom behind the covariance. */
  degreesOfFreedom: number;
  kind: RangeKind;
  /** Whether the covariance is taken as known although it is estimated: the chi-squared shortcut, a mistake. */
  takenAsKnown?: boolean;
}

/**
 * Share of further samples z whose range contains strength 0: exactly those that lie in the region.
 *
 * The mean of n samples is N(0, I / n), the covariance Wishart(I, nu) / nu by Bartlett's decomposition; any other normal law is an affine
 * image of this one.
 */
export function coverage(setting: CoverageSetting, repeats: number, seed: number): number {
  const { dimensions: d, count, degreesOfFreedom, kind, takenAsKnown = false } = setting;
  const random = new RandomStream(seed);
  const delta = random.normalArray(d);
  let inside = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const summary = {
      mean: random.normalArray(d).map((value) => value / Math.sqrt(count)),
      covariance: wishart(d, degreesOfFreedom, random),
      degreesOfFreedom: takenAsKnown ? Number.POSITIVE_INFINITY : degreesOfFreedom,
      count: takenAsKnown ? Number.POSITIVE_INFINITY : count,
    };
    const { prior } = learnableRange(summary, random.normalArray(d), delta, { kind });
    if (prior.some(([low, high]) => low <= 0 && high >= 0)) inside++;
  }
  return inside / repeats;
}

/** One draw of Wishart(I, nu) / nu. */
function wishart(d: number, nu: number, random: RandomStream): FullCovariance {
  const lower = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) lower.data[i * d + j] = random.normalNumber();
    let squares = 0;
    for (let k = 0; k < nu - i; k++) squares += random.normalNumber() ** 2;
    lower.data[i * d + i] = Math.sqrt(squares);
  }
  const product = lower.multiply(lower.transpose());
  return new FullCovariance(
    new Matrix(
      product.data.map((value) => value / nu),
      d,
      d,
    ),
  );
}

/** The settings of the bar: nu of 10, 40 and 100 for 1, 16 and 64 dimensions. */
export function settings(): CoverageSetting[] {
  const kinds: RangeKind[] = ['marginal', 'ellipsoid', 'typical'];
  return kinds.flatMap((kind) =>
    [
      { dimensions: 1, degreesOfFreedom: 10 },
      { dimensions: 16, degreesOfFreedom: 40 },
      { dimensions: 64, degreesOfFreedom: 100 },
    ].flatMap((size) => [5, 10].map((count) => ({ ...size, count, kind }))),
  );
}

/** The mistake that the bar must catch. */
export const shortcut: CoverageSetting = {
  dimensions: 16,
  count: 5,
  degreesOfFreedom: 40,
  kind: 'ellipsoid',
  takenAsKnown: true,
};

export async function run(repeats = 4000): Promise<BarFigure[]> {
  const figures = settings().map((setting, i) => {
    const { kind, dimensions, count, degreesOfFreedom } = setting;
    const label = `${kind}, d ${dimensions}, n ${count}, nu ${degreesOfFreedom}`;
    return between(label, coverage(setting, repeats, i + 1), 0.93, 0.97);
  });
  const label = 'chi-squared shortcut, d 16, n 5, nu 40: must fail';
  return [...figures, below(label, coverage(shortcut, repeats, 99), 0.93)];
}
