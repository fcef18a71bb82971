import { type Zippable, zipSync } from 'fflate';
import { type Bytes, toBytes } from './bytes';
import type { NdArray } from './ndArray';
import { parseNpy, writeNpy } from './npy';
import { openZip } from './zip';

/**
 * Reads a numpy archive (.npz): its arrays by name. Stored or deflated; checksums are verified, pickles refused.
 *
 * An array is unpacked when it is first asked for, so that one which cannot be read (objects, a damaged entry) hides no other.
 * Files of other kinds in the archive are left out.
 *
 * @param input the file's bytes
 * @throws FormatError for another format, or a truncated file; on access, for an array that is damaged, made to fill memory or no
 * plain numbers or text. The message names the array
 * @example
 * const { x } = readNpz(writeNpz({ x: { shape: [2], data: Float32Array.of(1, 2) } })); // x.shape is [2]
 */
export function readNpz(input: Bytes): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {};
  for (const [file, entry] of openZip('readNpz', 'a whole npz file', toBytes('readNpz', input))) {
    if (!file.endsWith('.npy')) continue;
    const name = file.slice(0, -'.npy'.length);
    const become = (value: NdArray) => {
      Object.defineProperty(arrays, name, { value, writable: true, enumerable: true, configurable: true });
      return value;
    };
    Object.defineProperty(arrays, name, {
      get: () => become(parseNpy(`readNpz('${file}')`, entry.read())),
      set: become,
      enumerable: true,
      configurable: true,
    });
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
