import type { Matrix } from '../linalg';
import { dot } from '../statistics/covariance';
import { type LatentsInput, toLatents } from '../statistics/inputs';
import { type DirectionInput, toDirection } from './manipulate';

/**
 * Position of every latent along a direction, in units of strength: moving a latent by strength s adds s to it.
 *
 *     p_i = delta^T z_i / |delta|^2
 *
 * Shapes: z [n, d], delta [d] -> [n].
 *
 * @throws ShapeError, DataError (values that are not finite, a direction of zeros)
 * @example
 * const positions = positionsAlong(latents, zDelta(labeled));
 */
export function positionsAlong(z: LatentsInput, direction: DirectionInput): Float64Array {
  const rows = toLatents('positionsAlong', z);
  const delta = toDirection('positionsAlong', direction, rows.cols);
  const squaredLength = dot(delta, delta);
  return projections(rows, delta).map((value) => value / squaredLength);
}

/** Inner product of every row with a vector, [n]. */
export function projections(z: Matrix, vector: Float64Array): Float64Array {
  return Float64Array.from({ length: z.rows }, (_, i) => dot(z.row(i), vector));
}
