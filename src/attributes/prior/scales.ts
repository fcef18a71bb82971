import { complaint, DataError } from '../../core/errors';
import type { Matrix } from '../../linalg';

/** Below this share of a column's largest value, what remains after the means are taken off is rounding. */
const ROUNDING = 1e-13;

/** Standard deviation within subclasses of every column, and the columns that have none. */
export interface WithinScales {
  /** [d], positive. */
  deviations: Float64Array;
  /** Columns that are constant within every subclass: they have no scale of their own and got the root mean square of the others. */
  constant: number[];
}

/**
 * The within-class standard deviations s_j = sqrt(sum of squared residuals / degrees of freedom) that columns are divided by, so that
 * their units have no say in what is shrunk.
 *
 * @param common whether all columns are divided by the root mean square of them, which is for columns that share one unit
 * @throws DataError where no column varies
 */
export function withinScales(
  where: string,
  z: Matrix,
  residuals: Matrix,
  degreesOfFreedom: number,
  common: boolean,
): WithinScales {
  const d = residuals.cols;
  const squares = new Float64Array(d);
  const largest = new Float64Array(d);
  for (let i = 0; i < residuals.rows; i++) {
    const row = residuals.row(i);
    const source = z.row(i);
    for (let j = 0; j < d; j++) {
      squares[j] += row[j] * row[j];
      largest[j] = Math.max(largest[j], Math.abs(source[j]));
    }
  }
  const deviations = squares.map((sum) => Math.sqrt(sum / degreesOfFreedom));
  const constant = Array.from(deviations.keys()).filter((j) => !(deviations[j] > ROUNDING * largest[j]));
  if (constant.length === d) {
    throw new DataError(complaint(where, 'samples that differ within their subclass', 'none that do'));
  }
  const lost = new Set(constant);
  const varying = deviations.filter((_, j) => !lost.has(j));
  const typical = Math.sqrt(varying.reduce((sum, value) => sum + value * value, 0) / varying.length);
  if (common) return { deviations: deviations.fill(typical), constant: [] };
  for (const j of constant) deviations[j] = typical;
  return { deviations, constant };
}

/** Columns divided by `deviations`, in place. */
export function divideColumns(rows: Matrix, deviations: Float64Array): Matrix {
  for (let i = 0; i < rows.rows; i++) {
    const row = rows.row(i);
    for (let j = 0; j < row.length; j++) row[j] /= deviations[j];
  }
  return rows;
}
