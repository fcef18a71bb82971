import { complaint, DataError } from '../core/errors';
import { Matrix } from '../linalg';

/** The given rows of a matrix, copied, in the order given. */
export function selectRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const result = Matrix.zeros(rows.length, matrix.cols);
  for (let i = 0; i < rows.length; i++) result.row(i).set(matrix.row(rows[i]));
  return result;
}

/** Mean of the given rows (default: all), [d]. Throws a DataError on an empty group. */
export function meanOfRows(where: string, matrix: Matrix, rows?: ArrayLike<number>): Float64Array {
  const count = rows === undefined ? matrix.rows : rows.length;
  if (count === 0)
    throw new DataError(complaint(where, 'at least one sample in the group', 'an empty group'));
  const mean = new Float64Array(matrix.cols);
  for (let i = 0; i < count; i++) {
    const row = matrix.row(rows === undefined ? i : rows[i]);
    for (let j = 0; j < mean.length; j++) mean[j] += row[j];
  }
  for (let j = 0; j < mean.length; j++) mean[j] /= count;
  return mean;
}

/** Every row minus `center`, [n, d]. */
export function subtractFromRows(matrix: Matrix, center: ArrayLike<number>): Matrix {
  const result = Matrix.zeros(matrix.rows, matrix.cols);
  for (let i = 0; i < matrix.rows; i++) {
    const source = matrix.row(i);
    const target = result.row(i);
    for (let j = 0; j < target.length; j++) target[j] = source[j] - center[j];
  }
  return result;
}
