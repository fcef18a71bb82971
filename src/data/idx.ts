import { complaint, FormatError } from '../core/errors';
import { sizeOf } from '../core/shapes';
import { type Bytes, toBytes, viewOf } from './bytes';
import { fileKind } from './fileKind';
import { gunzipIfNeeded } from './gzip';
import type { NdArray } from './ndArray';
import { type NumberFormat, readNumbers } from './numbers';

const formats: Record<number, NumberFormat> = {
  8: 'u1',
  9: 'i1',
  11: 'i2',
  12: 'i4',
  13: 'f4',
  14: 'f8',
};

/**
 * Reads an idx file, the format of MNIST and Fashion-MNIST, packed with gzip or not.
 *
 * Layout: bytes 0, 0, type, rank; then `rank` big-endian uint32 lengths; then the values, big-endian, row-major.
 * Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "The IDX file format".
 *
 * @param input the file's bytes
 * @throws FormatError for another format, or a damaged or truncated file
 * @example
 * const file = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9);
 * readIdx(file); // { shape: [1, 2], data: Uint8Array [7, 9] }
 */
export function readIdx(input: Bytes): NdArray {
  const bytes = gunzipIfNeeded('readIdx', toBytes('readIdx', input));
  const view = viewOf(bytes);
  const format = bytes[0] === 0 && bytes[1] === 0 ? formats[bytes[2]] : undefined;
  const rank = bytes[3];
  if (format === undefined || rank === undefined || bytes.length < 4 + 4 * rank) {
    throw new FormatError(complaint('readIdx', 'an idx file (00 00 type rank, lengths)', fileKind(bytes)));
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { shape, data: readNumbers('readIdx', bytes.subarray(4 + 4 * rank), format, sizeOf(shape), false) };
}
