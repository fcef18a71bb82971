import { complaint, FormatError } from '../core/errors';
import { isJsonObject, parseJsonObject } from '../core/json';
import { sizeOf } from '../core/shapes';
import { type Bytes, joinBytes, toBytes, undecodable, viewOf } from '../data/bytes';
import { fileKind } from '../data/fileKind';
import { checkNdArray, type NdArray } from '../data/ndArray';
import { elementSize, float32Bytes, int64Bytes, isElementType, readElements } from './elements';
import type { StoredTensors } from './storedTensor';

/** A safetensors file: its tensors by name and its metadata. */
export interface Safetensors {
  tensors: StoredTensors;
  metadata: Record<string, string>;
  /** Tensors of types that are not read, as 'name (F8_E4M3)'. */
  skipped: string[];
}

const WHERE = 'readSafetensors';

/** What the header says of one tensor. */
interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/**
 * Reads a safetensors file; values are decoded when a tensor's `read` is called.
 *
 * Types: 8- to 64-bit integers, booleans, float16, bfloat16, float32, float64; 64-bit integers become float64.
 * Source: github.com/huggingface/safetensors, "Format".
 *
 * Tensors of other types (F8_E4M3, F4, ...) are left out by name.
 *
 * @throws FormatError for another format, or a damaged or truncated file
 * @example
 * const { tensors } = readSafetensors(writeSafetensors({ z: { shape: [2], data: Float32Array.of(1, 2) } }));
 * tensors.get('z')!.read().data; // Float32Array [1, 2]
 */
export function readSafetensors(input: Bytes): Safetensors {
  const bytes = toBytes(WHERE, input);
  const { header, start } = readHeader(bytes);
  const { __metadata__: metadata = {}, ...entries } = header;
  const data = bytes.subarray(start);
  const tensors: StoredTensors = new Map();
  const ranges: [number, number][] = [];
  const skipped: string[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: range } = checkEntry(name, entry, data.length);
    ranges.push(range);
    if (!isElementType(dtype)) {
      skipped.push(`${name} (${dtype})`);
      continue;
    }
    const read = () => ({
      shape,
      data: readElements(`${WHERE}('${name}')`, data.subarray(...range), dtype, sizeOf(shape)),
    });
    tensors.set(name, { dtype, shape, read });
  }
  checkCovered(ranges, data.length);
  return { tensors, metadata: checkMetadata(metadata), skipped };
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  const length = bytes.length < 8 ? Number.NaN : Number(viewOf(bytes).getBigUint64(0, true));
  if (bytes[8] !== 0x7b) throw new FormatError(complaint(WHERE, 'a safetensors file', fileKind(bytes)));
  if (!(length <= bytes.length - 8)) {
    const received = `one of ${length} bytes in ${bytes.length}`;
    throw new FormatError(complaint(WHERE, 'a header within the file', received, 'The file is truncated.'));
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length));
  } catch (error) {
    throw undecodable(WHERE, 'a header in UTF-8', error);
  }
  return { header: parseJsonObject(WHERE, 'the header', text), start: 8 + length };
}

/** Texts by name, as the format has it. */
function checkMetadata(metadata: unknown): Record<string, string> {
  const wrong = isJsonObject(metadata)
    ? Object.keys(metadata).find((name) => typeof metadata[name] !== 'string')
    : '';
  if (wrong !== undefined) {
    const received = wrong === '' ? 'something else' : `something else as '${wrong.slice(0, 60)}'`;
    throw new FormatError(complaint(WHERE, 'metadata that are texts by name', received));
  }
  return metadata as Record<string, string>;
}

function checkEntry(name: string, entry: unknown, available: number): Entry {
  const { dtype, shape, data_offsets: range } = (entry ?? {}) as Partial<Entry>;
  const where = `${WHERE}('${name.slice(0, 200)}')`;
  const whole = [shape, range].every(
    (list) => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0),
  );
  if (typeof dtype !== 'string' || !whole || shape === undefined || range?.length !== 2) {
    throw new FormatError(complaint(where, 'dtype, shape and data_offsets', 'something else'));
  }
  const [from, to] = range;
  // Types that are not read may have values of half a byte.
  const size = isElementType(dtype) ? sizeOf(shape) * elementSize(dtype) : to - from;
  if (from > to || to - from !== size || to > available) {
    const expected = `${size} bytes for ${dtype} [${shape.slice(0, 8).join(', ')}] within ${available}`;
    throw new FormatError(complaint(where, expected, `bytes ${from} to ${to}`));
  }
  return { dtype, shape, data_offsets: range };
}

/** The format forbids holes, overlaps and trailing bytes, so that a file means one thing only. */
function checkCovered(ranges: readonly [number, number][], length: number): void {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const ends = [0, ...sorted.map(([, to]) => to)];
  const wrong = [...sorted.map(([from]) => from), length].findIndex((from, i) => from !== ends[i]);
  if (wrong !== -1) {
    const expected = `tensors that cover all ${length} bytes once`;
    throw new FormatError(complaint(WHERE, expected, `a gap or an overlap at byte ${ends[wrong]}`));
  }
}

/** Types of whole numbers in a safetensors file, beside bytes. */
export type WholeType = 'I64' | 'BOOL';

/**
 * Writes arrays as a safetensors file: bytes as U8, all others as F32, but for those that are given another type. The same arrays give
 * the same bytes.
 *
 * @param metadata strings to keep in the header
 * @param types for arrays of whole numbers by name: 'I64' or 'BOOL'
 * @throws ConfigError where a shape and its data do not belong together
 * @example
 * const bytes = writeSafetensors({ z: { shape: [1, 2], data: Float32Array.of(0.5, -1) } }); // safetensors.torch.load(bytes)['z']
 */
export function writeSafetensors(
  arrays: Record<string, NdArray>,
  metadata: Record<string, string> = {},
  types: Readonly<Record<string, WholeType>> = {},
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  // Wider types first keeps every tensor aligned.
  const typed = Object.entries(arrays).map(([name, array]) => {
    const dtype = types[name] ?? (array.data instanceof Uint8Array ? 'U8' : 'F32');
    return { name, array, dtype };
  });
  for (const { name, array, dtype } of typed.sort((a, b) => elementSize(b.dtype) - elementSize(a.dtype))) {
    checkNdArray(`writeSafetensors('${name}')`, array);
    const bytes = writers[dtype](array.data);
    header[name] = { dtype, shape: array.shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  viewOf(padded).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);
  return joinBytes([padded, ...parts]);
}

/** Values as bytes, by type. */
const writers = {
  F32: float32Bytes,
  int64Bytes,
  U8: (values: ArrayLike<number>) => Uint8Array.from(values),
  BOOL: (values: ArrayLike<number>) => Uint8Array.from(values, Number),
  I64: int64Bytes,
};
