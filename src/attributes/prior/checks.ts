import { complaint, ShapeError } from '../../core/errors';
import type { Matrix } from '../../linalg';

/** Throws a ShapeError unless the rows have d values. */
export function checkDimension(where: string, rows: Matrix, d: number): void {
  if (rows.cols !== d) {
    throw new ShapeError(
      complaint(where, `samples of ${d} values, as the prior's`, `${rows.cols}`, 'Same flow, same layout?'),
    );
  }
}
