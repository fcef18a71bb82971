import { complaint, ShapeError } from '../../core/errors';
import type { Matrix } from '../../linalg';
import { type LatentsInput, toColumns, toLatents, type VectorInput } from '../../statistics/inputs';

/** Samples of one subclass: [n, d], `{ z }` as labelled samples hold them, or a flat list where a latent is one value. */
export type SamplesInput = LatentsInput | VectorInput | { z: LatentsInput | VectorInput };

/** Samples of d values each; a ShapeError where they have another number. */
export function toSamples(where: string, input: SamplesInput, d: number): Matrix {
  const given = holdsLatents(input) ? input.z : input;
  const rows = d === 1 ? toColumns(where, given) : toLatents(where, given as LatentsInput);
  checkDimension(where, rows, d);
  return rows;
}

function holdsLatents(input: SamplesInput): input is { z: LatentsInput | VectorInput } {
  return typeof input === 'object' && input !== null && 'z' in input;
}

/** Throws a ShapeError unless the rows have d values. */
export function checkDimension(where: string, rows: Matrix, d: number): void {
  if (rows.cols !== d) {
    throw new ShapeError(
      complaint(where, `samples of ${d} values, as the prior's`, `${rows.cols}`, 'Same flow, same layout?'),
    );
  }
}
