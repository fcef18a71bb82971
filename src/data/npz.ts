import { type Zippable, zipSync } from 'fflate';
import { type Bytes, toBytes } from './bytes';
import type { NdArray } from './ndArray';
import { parseNpy, writeNpy } from './npy';
import { unzip } from './zip';

/**
 * Reads a numpy archive (.npz): its arrays by name. Stored or deflated; checksums are verified, pickles refused.
 *
 * @param input the file's bytes
 * @throws FormatError for another format, or a damaged or truncated file; the message names the array
 * @example
 * const { x } = readNpz(writeNpz({ x: { shape: [2], data: Float32Array.of(1, 2) } })); // x.shape is [2]
 */
export function readNpz(input: Bytes): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {};
  for (const [file, content] of unzip('readNpz', 'a whole npz file', toBytes('readNpz', input))) {
    arrays[file.replace(/\.npy$/, '')] = parseNpy(`readNpz('${file}')`, content);
  }
  return arrays;
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
