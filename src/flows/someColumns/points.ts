import { Matrix } from '../../linalg';

/** Points on lines, with categories beside them. */
export interface Points {
  count: number;
  /** [count, c], row-major. */
  line: Float64Array;
  /** [count, m], row-major. */
  categories: Int32Array;
}

/** Chosen points, in the given order; a point may be chosen again. */
export function pick({ count, line, categories }: Points, chosen: ArrayLike<number>): Points {
  const [c, m] = [line.length / count, categories.length / count];
  const result = {
    count: chosen.length,
    line: new Float64Array(chosen.length * c),
    categories: new Int32Array(chosen.length * m),
  };
  for (let i = 0; i < chosen.length; i++) {
    const at = chosen[i];
    result.line.set(line.subarray(at * c, (at + 1) * c), i * c);
    result.categories.set(categories.subarray(at * m, (at + 1) * m), i * m);
  }
  return result;
}

/** Every step-th point, `wanted` of them at most. */
export function spread(count: number, wanted: number): Int32Array {
  const taken = Math.min(wanted, count);
  return Int32Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

/** Weighted covariance of the lines; what does not vary gets a little room, so that there is a Cholesky factor. */
export function covarianceOf(
  { count, line }: Omit<Points, 'categories'>,
  weights: Float64Array,
  room: Float64Array,
): Matrix {
  const c = line.length / count;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = meanOf({ count, line }, weights);
  const result = Matrix.zeros(c, c);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < c; j++) {
      const a = (weights[i] / total) * (line[i * c + j] - mean[j]);
      for (let k = 0; k <= j; k++) result.data[j * c + k] += a * (line[i * c + k] - mean[k]);
    }
  }
  for (let j = 0; j < c; j++) {
    result.data[j * c + j] += room[j];
    for (let k = 0; k < j; k++) result.data[k * c + j] = result.data[j * c + k];
  }
  return result;
}

/** The categories of some points, with the weighted mean of all for their lines. */
export function atMean(some: Points, all: Points, weights: Float64Array): Points {
  const mean = meanOf(all, weights);
  const line = new Float64Array(some.line.length);
  for (let i = 0; i < some.count; i++) line.set(mean, i * mean.length);
  return { ...some, line };
}

/** Weighted mean of the lines. */
export function meanOf({ count, line }: Omit<Points, 'categories'>, weights: Float64Array): Float64Array {
  const c = line.length / count;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = new Float64Array(c);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < c; j++) mean[j] += (weights[i] / total) * line[i * c + j];
  }
  return mean;
}

/** Weights that sum to 1, of their logarithms; the log of the sum they had. */
export function normalized(logWeights: Float64Array): { weights: Float64Array; logSum: number } {
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of logWeights) if (value > highest) highest = value;
  if (highest === Number.NEGATIVE_INFINITY)
    return { weights: new Float64Array(logWeights.length), logSum: highest };
  const weights = logWeights.map((value) => Math.exp(value - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { weights: weights.map((weight) => weight / sum), logSum: highest + Math.log(sum) };
}

/** How many equal weights say as much: (sum w)^2 / sum w^2 (Kong 1992). */
export function effectiveSize(weights: Float64Array): number {
  let squares = 0;
  for (const weight of weights) squares += weight * weight;
  return squares === 0 ? 0 : 1 / squares;
}

/** n numbers of points by their weights, with one random number for all (systematic resampling). */
export function resample(weights: Float64Array, n: number, uniform: number): Int32Array {
  const chosen = new Int32Array(n);
  let passed = 0;
  let at = -1;
  for (let i = 0; i < n; i++) {
    while (passed <= (i + uniform) / n && at < weights.length - 1) passed += weights[++at];
    chosen[i] = at;
  }
  return chosen;
}
