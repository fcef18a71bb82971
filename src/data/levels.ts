import { complaint, DataError } from '../core/errors';
import { named } from '../core/numbers';
import { checkInteger } from '../core/shapes';
import { emptyLike, type NumericData } from './ndArray';

/** Whether values are 0 and 1, both of them, and nothing else: black and white, which as levels of more bits are all black. */
export function isZeroAndOne(values: ArrayLike<number>): boolean {
  const seen = [false, false];
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== 0 && values[i] !== 1) return false;
    seen[values[i]] = true;
  }
  return seen[0] && seen[1];
}

/**
 * Coarser levels: floor(x / 2^(from - to)), so that images of `from` bits have `to` bits.
 *
 * Glow's published 5-bit models are trained on `reduceBits(x, 8, 5)`.
 * Source: Kingma and Dhariwal, "Glow" (2018), section 6, arXiv:1807.03039.
 *
 * @param x integer levels 0 .. 2^from - 1
 * @returns a new array of the same kind, levels 0 .. 2^to - 1
 * @throws DataError for a value that is no level of `from` bits; ConfigError unless 1 <= to <= from
 * @example
 * reduceBits(Uint8Array.of(0, 7, 8, 255), 8, 5); // Uint8Array [0, 0, 1, 31]
 */
export function reduceBits<Data extends NumericData>(x: Data, from: number, to: number): Data {
  checkInteger('reduceBits', 'to', to);
  checkInteger('reduceBits', 'from', from, to);
  if (!ArrayBuffer.isView(x) && !Array.isArray(x)) {
    const hint = 'Give a typed array; of a tensor, what await tensor.data() gives.';
    throw new DataError(complaint('reduceBits', 'levels in an array', named(x)[0], hint));
  }
  const highest = 2 ** from - 1;
  const width = 2 ** (from - to);
  const reduced = emptyLike(x, x.length);
  for (let i = 0; i < x.length; i++) {
    if (!Number.isInteger(x[i]) || x[i] < 0 || x[i] > highest) {
      throw new DataError(complaint('reduceBits', `levels 0..${highest}`, `${x[i]} at index ${i}`));
    }
    reduced[i] = Math.floor(x[i] / width);
  }
  return reduced;
}
