import { strFromU8, unzipSync, type Zippable, zipSync } from 'fflate';
import { crc32 } from '../core/checksum';
import { type Bytes, toBytes, undecodable, viewOf } from './bytes';
import type { NdArray } from './ndArray';
import { parseNpy, writeNpy } from './npy';

/**
 * Reads a numpy archive (.npz): its arrays by name. Stored or deflated; checksums are verified, pickles refused.
 *
 * @param input the file's bytes
 * @throws FormatError for another format, or a damaged or truncated file; the message names the array
 * @example
 * const { x } = readNpz(writeNpz({ x: { shape: [2], data: Float32Array.of(1, 2) } })); // x.shape is [2]
 */
export function readNpz(input: Bytes): Record<string, NdArray> {
  const bytes = toBytes(input);
  let files: Record<string, Uint8Array>;
  let checksums: Map<string, number>;
  try {
    files = unzipSync(bytes);
    checksums = readChecksums(bytes);
  } catch (error) {
    throw undecodable('readNpz', 'a whole npz file', error);
  }
  const arrays: Record<string, NdArray> = {};
  for (const [file, content] of Object.entries(files)) {
    const where = `readNpz('${file}')`;
    if (checksums.get(file) !== crc32(content)) throw undecodable(where, 'a whole array', 'wrong checksum');
    arrays[file.replace(/\.npy$/, '')] = parseNpy(where, content);
  }
  return arrays;
}

/**
 * The checksum of each file in the archive, which fflate skips over.
 *
 * Source: PKWARE, "APPNOTE.TXT", sections 4.3.12 (central directory) and 4.3.16 (end record).
 */
function readChecksums(bytes: Uint8Array): Map<string, number> {
  const view = viewOf(bytes);
  let end = bytes.length - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  let at = view.getUint32(end + 16, true);
  const checksums = new Map<string, number>();
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const nameLength = view.getUint16(at + 28, true);
    const isUtf8 = (view.getUint16(at + 8, true) & 2048) !== 0;
    const name = strFromU8(bytes.subarray(at + 46, at + 46 + nameLength), !isUtf8);
    checksums.set(name, view.getUint32(at + 16, true));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return checksums;
}

/**
 * Writes arrays as a numpy archive (.npz), deflated. The same arrays give the same bytes.
 *
 * @throws ConfigError where a shape and its data do not belong together
 * @example
 * const bytes = writeNpz({ z: { shape: [1, 2], data: Float32Array.of(0.5, -1) } }); // np.load(...)['z']
 */
export function writeNpz(arrays: Record<string, NdArray>): Uint8Array {
  const files: Zippable = {};
  for (const [name, array] of Object.entries(arrays)) files[`${name}.npy`] = writeNpy(array);
  return zipSync(files, { mtime: new Date(1980, 0, 1) });
}
