import { complaint, DataError } from '../../core/errors';
import { type Matrix, orthonormalRows } from '../../linalg';
import { meanOfRows, subtractFromRows } from '../rows';

/**
 * Rows moved and turned to mean 0 and covariance I (divisor n), [n, p].
 *
 * Statistics of multivariate normality are affine-invariant, so any such rows will do. Orthogonalizing the columns
 * directly, without forming a covariance, loses only the square root of what its inverse would lose.
 *
 * @throws DataError unless n > p + 1 and the columns are linearly independent
 */
export function whiten(where: string, z: Matrix): Matrix {
  const { rows: n, cols: p } = z;
  const hint = 'Reduce the dimension first: principal components, random projections or single coordinates.';
  if (n <= p + 1) throw new DataError(complaint(where, `more than ${p + 1} samples of ${p} values`, n, hint));
  const columns = subtractFromRows(z, meanOfRows(where, z)).transpose();
  const whitened = orthonormalRows(columns);
  for (let j = 0; j < p; j++) {
    const column = whitened.row(j);
    if (column.every((value) => value === 0)) {
      const constant = columns.row(j).every((value) => value === 0);
      const found = constant ? `column ${j} constant` : `column ${j} a combination of earlier ones`;
      throw new DataError(complaint(where, 'linearly independent columns', found, hint));
    }
    for (let i = 0; i < n; i++) column[i] *= Math.sqrt(n);
  }
  return whitened.transpose();
}
