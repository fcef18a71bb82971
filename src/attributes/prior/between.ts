import { gram, Matrix, symmetricEigen } from '../../linalg';
import { type Covariance, DiagonalCovariance, dot, type FullCovariance } from '../../statistics/covariance';
import { sumOfSquares } from '../../statistics/ledoitWolf';

/** Smallest ratio of T to W, so that T stays positive definite where the class means do not differ. */
const LEAST_RATIO = 1e-12;

/**
 * Covariance T of the class means, held relative to the within-class covariance W, so that every function of T and W that the
 * hierarchical normal needs comes without a d x d matrix:
 *
 *     T = base W + sum_k (ratio_k - base) a_k a_k^T,   a_k^T W^-1 a_l = [k = l]
 *
 * In the diagonal form the directions are the coordinates: T_jj = ratio_j W_jj.
 */
export interface BetweenRatios {
  /** Ratio in every direction that is not listed. */
  base: number;
  /** Ratio along every direction, [K]; in the diagonal form [d]. */
  ratios: Float64Array;
  /** a_k as rows, [K, d]; absent in the diagonal form. */
  directions?: Matrix;
}

/**
 * T from class means in units of the within-class deviations, minus what their sampling error adds, shrunk towards a multiple of W.
 *
 * cov(class means) - W mean(1 / n_c), clipped to be positive semi-definite, then (1 - s) T + s tau W with tau = tr T / tr W and s from
 * `oracleShrinkage`. The clip is made in the metric of W. In the diagonal form each coordinate is a problem of its own, so s = 1 / C.
 *
 * @param deviations class means minus their mean, [C, d]
 * @param samplingError mean over classes of 1 / n_c
 */
export function estimateBetween(
  deviations: Matrix,
  within: Covariance,
  samplingError: number,
): BetweenRatios {
  const { rows: classes, cols: d } = deviations;
  const products = gram(deviations);
  const spread = traceOf(products) / (classes - 1);
  const tau = Math.max(0, spread / within.trace - samplingError);
  if (within.kind === 'diagonal') {
    const weight = 1 / classes;
    const sums = within.diagonal().map((_, j) => {
      let sum = 0;
      for (let c = 0; c < classes; c++) sum += deviations.at(c, j) ** 2;
      return sum / (classes - 1);
    });
    const ratios = within
      .diagonal()
      .map((variance, j) => (1 - weight) * Math.max(0, sums[j] / variance - samplingError) + weight * tau);
    return { base: LEAST_RATIO, ratios: ratios.map((ratio) => Math.max(LEAST_RATIO, ratio)) };
  }
  const weight = oracleShrinkage(products, classes - 1, d);
  const base = Math.max(LEAST_RATIO, weight * tau);
  const { values, directions } = whitenedDirections(deviations, within);
  const ratios = values.map(
    (value) => base + (1 - weight) * Math.max(0, value / (classes - 1) - samplingError),
  );
  return { base, ratios, directions };
}

/**
 * Weight of the multiple of the identity that lowers the expected squared error of a covariance S of few rows most, were they normal:
 *
 *     s = ((1 - 2 / d) tr(S^2) + tr(S)^2) / ((f + 1 - 2 / d) (tr(S^2) - tr(S)^2 / d)),   at most 1
 *
 * Ledoit and Wolf's weight counts on more rows than there are subclasses: with two it is 0.
 *
 * Source: Chen, Wiesel, Eldar and Hero, "Shrinkage algorithms for MMSE covariance estimation" (2010), equation 23, arXiv:0907.4698.
 *
 * @param products inner products of the centred rows, whose squares have the same sum as those of S
 * @param freedom degrees of freedom f of the rows
 */
export function oracleShrinkage(products: Matrix, freedom: number, d: number): number {
  const squares = sumOfSquares(products.data);
  const trace = traceOf(products) ** 2;
  const distance = (freedom + 1 - 2 / d) * (squares - trace / d);
  const error = (1 - 2 / d) * squares + trace;
  return distance > error ? error / distance : 1;
}

/** Sum of the diagonal. */
export function traceOf(matrix: Matrix): number {
  let sum = 0;
  for (let i = 0; i < matrix.rows; i++) sum += matrix.at(i, i);
  return sum;
}

/** The same for a T that is given: the generalized eigenvectors of T against W. */
export function betweenFromCovariance(between: Covariance, within: Covariance): BetweenRatios {
  if (within.kind === 'diagonal') {
    const variances = within.diagonal();
    return { base: LEAST_RATIO, ratios: between.diagonal().map((value, j) => value / variances[j]) };
  }
  const { lower } = between as FullCovariance;
  const { values, directions } = whitenedDirections(lower.transpose(), within);
  return { base: LEAST_RATIO, ratios: values, directions };
}

/**
 * R^T R = sum_k values_k a_k a_k^T for rows R [m, d], with directions that are orthonormal under W^-1.
 *
 * From the m x m matrix R W^-1 R^T, so the cost does not grow with d squared.
 */
function whitenedDirections(rows: Matrix, within: Covariance): { values: Float64Array; directions: Matrix } {
  const m = rows.rows;
  const products = Matrix.zeros(m, m);
  for (let i = 0; i < m; i++) {
    const solved = within.solve(rows.row(i));
    for (let j = 0; j < m; j++) products.data[j * m + i] = dot(rows.row(j), solved);
  }
  const { values, vectors } = symmetricEigen(products);
  const floor = values[0] * m * Number.EPSILON;
  const kept = values.filter((value) => value > floor);
  const combinations = Matrix.zeros(kept.length, m);
  kept.forEach((value, k) => {
    combinations.row(k).set(vectors.row(k).map((entry) => entry / Math.sqrt(value)));
  });
  return { values: kept, directions: combinations.multiply(rows) };
}

/** f(T W^-1) W for an increasing f > 0: f = 1 gives W, f(t) = t gives T. */
export function functionOf(
  { base, ratios, directions }: BetweenRatios,
  within: Covariance,
  f: (ratio: number) => number,
): Covariance {
  if (directions === undefined) {
    const variances = within.diagonal();
    return new DiagonalCovariance(variances.map((value, j) => f(ratios[j]) * value));
  }
  return within.scaled(f(base)).plusScatter(weighted(directions, ratios, f, base));
}

/** T -> tauSquared T while W -> lambda W: the same classes, seen from an inflated prior. */
export function rescale(
  { base, ratios, directions }: BetweenRatios,
  lambda: number,
  tauSquared: number,
): BetweenRatios {
  const factor = tauSquared / lambda;
  const root = Math.sqrt(lambda);
  return {
    base: factor * base,
    ratios: ratios.map((ratio) => factor * ratio),
    directions:
      directions &&
      new Matrix(
        directions.data.map((value) => root * value),
        directions.rows,
        directions.cols,
      ),
  };
}

/** The same ratios where coordinate j is measured in units 1 / factors_j. */
export function stretch({ base, ratios, directions }: BetweenRatios, factors: Float64Array): BetweenRatios {
  if (directions === undefined) return { base, ratios };
  const { data, rows, cols } = directions;
  const stretched = new Matrix(
    data.map((value, i) => value * factors[i % cols]),
    rows,
    cols,
  );
  return { base, ratios, directions: stretched };
}

/** G offset = T (T + W / n)^-1 offset, and offset^T (T + W / n)^-1 offset. */
export function shrinkOffset(
  { base, ratios, directions }: BetweenRatios,
  within: Covariance,
  offset: Float64Array,
  n: number,
): { shrunk: Float64Array; distance: number } {
  const gain = (ratio: number) => ratio / (ratio + 1 / n);
  const solved = within.solve(offset);
  if (directions === undefined) {
    let distance = 0;
    const shrunk = offset.map((value, j) => {
      distance += (value * solved[j]) / (ratios[j] + 1 / n);
      return gain(ratios[j]) * value;
    });
    return { shrunk, distance };
  }
  let rest = dot(offset, solved);
  let distance = 0;
  const shrunk = offset.map((value) => gain(base) * value);
  ratios.forEach((ratio, k) => {
    const direction = directions.row(k);
    const score = dot(direction, solved);
    rest -= score * score;
    distance += (score * score) / (ratio + 1 / n);
    const weight = (gain(ratio) - gain(base)) * score;
    for (let j = 0; j < shrunk.length; j++) shrunk[j] += weight * direction[j];
  });
  return { shrunk, distance: distance + Math.max(0, rest) / (base + 1 / n) };
}

function weighted(
  directions: Matrix,
  ratios: Float64Array,
  f: (ratio: number) => number,
  base: number,
): Matrix {
  const result = Matrix.zeros(directions.rows, directions.cols);
  ratios.forEach((ratio, k) => {
    const weight = Math.sqrt(Math.max(0, f(ratio) - f(base)));
    result.row(k).set(directions.row(k).map((value) => weight * value));
  });
  return result;
}
