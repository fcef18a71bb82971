import { complaint, DataError } from '../../core/errors';
import { figure, pFigure, printable } from '../../core/printable';
import { toVector, type VectorInput } from '../inputs';

/** A sample made ready for tests of normality: sorted, standardized, with its moments. */
export interface Sample {
  n: number;
  mean: number;
  /** Divisor n - 1. */
  standardDeviation: number;
  /** Third standardized moment, divisor n. */
  skewness: number;
  /** Fourth standardized moment minus 3, divisor n. */
  excessKurtosis: number;
  /** Values in ascending order. */
  sorted: Float64Array;
  /** (sorted - mean) / standardDeviation */
  standardized: Float64Array;
}

/** Result of one test; a null says that the sample does not allow it, and `reason` why. */
export interface StatisticalTest {
  statistic: number | null;
  /** Probability of a statistic at least as extreme when the data are normal, 0 to 1. */
  p: number | null;
  reason?: string;
}

/** A test that prints itself: `statistic 0.93, p .041`. */
export function printableTest(test: StatisticalTest): StatisticalTest {
  return printable(test, ({ statistic, p, reason }) => [
    `statistic ${figure(statistic)}, ${pFigure(p)}${reason === undefined ? '' : ` (${reason})`}`,
  ]);
}

/** Smallest sample whose shape can differ from another's once mean and deviation are fitted. */
const SMALLEST = 3;

/**
 * Sorts and standardizes.
 *
 * @throws DataError for fewer than 3 values, values that are not finite, or all equal
 */
export function toSample(where: string, x: VectorInput): Sample {
  const values = toVector(where, x);
  if (values.length < SMALLEST) {
    throw new DataError(complaint(where, `at least ${SMALLEST} values`, `${values.length}`));
  }
  const sample = describe(values);
  const range = sample.sorted[sample.n - 1] - sample.sorted[0];
  if (range === 0) {
    throw new DataError(
      complaint(
        where,
        'values that differ',
        `${sample.n} times ${sample.sorted[0]}`,
        'Constant data have no shape to test.',
      ),
    );
  }
  if (!Number.isFinite(range)) {
    throw new DataError(complaint(where, 'values whose range is a finite number', `${range}`));
  }
  return sample;
}

/** The same for values known to be usable; sorts them in place. */
export function describe(values: Float64Array): Sample {
  const sorted = values.sort();
  const n = sorted.length;
  const origin = sorted[0];
  const range = sorted[n - 1] - origin;
  // Moments of (x - min) / range: no overflow, and no loss where the mean is far larger than the deviation.
  let shift = 0;
  for (let i = 0; i < n; i++) shift += (sorted[i] - origin) / range;
  shift /= n;
  let second = 0;
  let third = 0;
  let fourth = 0;
  const standardized = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const deviation = (sorted[i] - origin) / range - shift;
    standardized[i] = deviation;
    const square = deviation * deviation;
    second += square;
    third += square * deviation;
    fourth += square * square;
  }
  const unit = Math.sqrt(second / (n - 1));
  for (let i = 0; i < n; i++) standardized[i] /= unit;
  const variance = second / n;
  return {
    n,
    mean: origin + range * shift,
    standardDeviation: range * unit,
    skewness: third / n / variance ** 1.5,
    excessKurtosis: fourth / n / variance ** 2 - 3,
    sorted,
    standardized,
  };
}

/** Rounding and fitted formulas may leave [0, 1] by a little; a probability may not. */
export function probability(p: number): number {
  return Math.min(1, Math.max(0, p));
}

/** Value of a polynomial, coefficients from the constant up. */
export function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduceRight((value, coefficient) => value * x + coefficient, 0);
}
