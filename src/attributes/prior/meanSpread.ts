import { Matrix, symmetricEigen } from '../../linalg';
import { oracleShrinkage, traceOf } from './between';

/**
 * How the means of subclasses spread, in units of the within-class deviations, from inner products alone:
 *
 *     T = base I + sum_k (ratio_k - base) a_k a_k^T,   a_k = combinations_k (deviations of the means), of length 1
 *
 * The distance of a further mean, x^T (T + u I)^-1 x, then needs only its inner products with the other means.
 */
export interface MeanSpread {
  dimension: number;
  base: number;
  /** [K] */
  ratios: Float64Array;
  /** [K, k] for k means. */
  combinations: Matrix;
}

/**
 * @param products inner products of the centred means, [k, k], k > 1
 * @param samplingError mean of 1 / n_c, which is taken off
 * @param level mean square per dimension that the spread is scaled to; default: its own
 */
export function meanSpread(
  products: Matrix,
  dimension: number,
  samplingError: number,
  level?: number,
): MeanSpread {
  const freedom = products.rows - 1;
  const own = traceOf(products) / (freedom * dimension);
  const size = level ?? own;
  const weight = oracleShrinkage(products, freedom, dimension);
  const { values, vectors } = symmetricEigen(products);
  const floor = values[0] * products.rows * Number.EPSILON;
  const kept = values.filter((value) => value > floor).subarray(0, dimension);
  const combinations = Matrix.zeros(kept.length, products.rows);
  kept.forEach((value, k) => {
    combinations.row(k).set(vectors.row(k).map((entry) => entry / Math.sqrt(value)));
  });
  const ratio = (share: number) => Math.max(0, size * share - samplingError);
  return {
    dimension,
    base: ratio(weight),
    ratios: kept.map((value) => ratio(weight + ((1 - weight) * value) / (freedom * own))),
    combinations,
  };
}

/** Components along a_k of a vector whose inner products with the deviations are given, [K]. */
export function componentsOf({ combinations }: MeanSpread, products: Float64Array): Float64Array {
  return Float64Array.from({ length: combinations.rows }, (_, k) => {
    const row = combinations.row(k);
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += row[i] * products[i];
    return sum;
  });
}

/** x^T (T + u I)^-1 y from <x, y> and the components of both. */
export function inverseProduct(
  { base, ratios }: MeanSpread,
  u: number,
  product: number,
  x: Float64Array,
  y: Float64Array,
): number {
  const rest = 1 / (base + u);
  let sum = rest * product;
  for (let k = 0; k < ratios.length; k++) sum += (1 / (ratios[k] + u) - rest) * x[k] * y[k];
  return sum;
}

/** tr (T + u I)^-1 */
export function inverseTrace({ dimension, base, ratios }: MeanSpread, u: number): number {
  return ratios.reduce((sum, ratio) => sum + 1 / (ratio + u), (dimension - ratios.length) / (base + u));
}
