import { complaint, DataError } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { figure, printable } from '../core/printable';
import { gram, Matrix } from '../linalg';
import { type LatentsInput, toLatents } from './inputs';
import { meanOfRows, subtractFromRows } from './rows';

/** Options of `ledoitWolf`. */
export interface LedoitWolfOptions {
  /** Whether the rows have mean 0 already, so that no mean is taken off. Default: false. */
  assumeCentered?: boolean;
}

const OPTIONS: OptionNames<LedoitWolfOptions> = { assumeCentered: 'boolean' };

/** A shrunk covariance. */
export interface LedoitWolfResult {
  /** (1 - shrinkage) S + shrinkage * mean variance * I, [d, d], with S = X^T X / n. */
  covariance: Matrix;
  /** Weight of the multiple of the identity, 0 .. 1. */
  shrinkage: number;
}

/**
 * Covariance of few samples, shrunk towards a multiple of the identity by the amount that minimizes the expected squared error.
 *
 *     S* = (1 - a) S + a m I,   m = tr(S) / d,   a = min(b^2, d^2) / d^2
 *
 * Of two samples it is S as it is, and singular: their one deviation has no error to estimate.
 *
 * Shapes: [n, d] -> [d, d]. Meant for d up to some hundreds; `fitPrior` uses low-rank forms beyond.
 *
 * Source: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004), section 3.2,
 * doi:10.1016/S0047-259X(03)00096-4.
 *
 * @throws DataError for an empty or non-finite input, and where all samples are equal (no variance)
 * @example
 * const { covariance, shrinkage } = ledoitWolf([[1, 2], [2, 1], [4, 5]]);
 */
export function ledoitWolf(x: LatentsInput, options: LedoitWolfOptions = {}): LedoitWolfResult {
  checkOptions('ledoitWolf', options, OPTIONS);
  const { assumeCentered = false } = options;
  const rows = toLatents('ledoitWolf', x, assumeCentered ? 1 : 2);
  const centered = assumeCentered ? rows : subtractFromRows(rows, meanOfRows('ledoitWolf', rows));
  const scatter = gram(centered.transpose());
  const shrinkage = shrinkageOf('ledoitWolf', centered, sumOfSquares(scatter.data));
  const covariance = shrinkScatter(scatter, centered.rows, shrinkage);
  return printable({ covariance, shrinkage }, (result) => [
    `Ledoit-Wolf: shrinkage ${figure(result.shrinkage)}, covariance ${result.covariance}`,
  ]);
}

/** (1 - shrinkage) S + shrinkage m I with S = scatter / n. */
export function shrinkScatter(scatter: Matrix, n: number, shrinkage: number): Matrix {
  const d = scatter.rows;
  let trace = 0;
  for (let j = 0; j < d; j++) trace += scatter.at(j, j);
  const covariance = new Matrix(
    scatter.data.map((value) => ((1 - shrinkage) * value) / n),
    d,
    d,
  );
  for (let j = 0; j < d; j++) covariance.data[j * (d + 1)] += (shrinkage * trace) / (n * d);
  return covariance;
}

/**
 * Ledoit and Wolf's weight of the identity from centred rows and the squared Frobenius norm of their products.
 *
 * X X^T and X^T X have the same norm, so the caller may use whichever is smaller.
 */
export function shrinkageOf(where: string, centered: Matrix, squaredNorm: number): number {
  const { rows: n, cols: d } = centered;
  let trace = 0;
  let fourth = 0;
  for (let i = 0; i < n; i++) {
    const length = sumOfSquares(centered.row(i));
    trace += length / n;
    fourth += length * length;
  }
  if (!(trace > 0)) {
    throw new DataError(complaint(where, 'samples that differ', 'equal samples', 'Their covariance is 0.'));
  }
  const frobenius = squaredNorm / (n * n);
  const distance = frobenius - (trace * trace) / d;
  const error = (fourth / n - frobenius) / n;
  return error <= 0 || distance <= 0 ? 0 : Math.min(1, error / distance);
}

export function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j] * values[j];
  return sum;
}
