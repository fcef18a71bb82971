import { ConfigError, complaint, FormatError } from '../core/errors';
import { sizeOf } from '../core/shapes';
import { type Bytes, joinBytes, toBytes, viewOf } from './bytes';

import { fileKind } from './fileKind';
import { latin1 } from './latin1';
import { checkNdArray, emptyLike, type NdArray, type NumericData } from './ndArray';
import { isNumberFormat, type NumberFormat, readNumbers } from './numbers';

/** A whole file of something else than plain numbers or text, which may be left alone where it was not asked for. */
export class OtherArrayError extends FormatError {}

const magic = '\x93NUMPY';

/** Characters of a header, as many as version 1 can hold; numpy itself stops at 10,000. */
const LONGEST_HEADER = 2 ** 16;
/** Axes of an array; numpy stops at 64. */
const MOST_AXES = 64;

/**
 * Reads a numpy array file (.npy), versions 1 to 3, either byte order, C or Fortran order.
 *
 * Types: booleans and integers of 8 to 64 bits, float16, float32 and float64; 64-bit integers become float64 (exact up to 2^53), float16
 * becomes float32, and so does bfloat16, which numpy writes as V2. Text of fixed width becomes numbers with the width as one more axis, |S its bytes (uint8), U its code points (uint32);
 * `decodeText` makes strings of them.
 * Source: numpy.lib.format, "NumPy array file format" (NEP 1).
 *
 * @param input the file's bytes
 * @throws FormatError for another format, a pickle (object arrays are never read: they can run code), or a damaged or truncated file
 * @example
 * const array = readNpy(writeNpy({ shape: [2], data: Float32Array.of(1, 2) })); // { shape: [2], data: Float32Array [1, 2] }
 */
export function readNpy(input: Bytes): NdArray {
  return parseNpy('readNpy', toBytes('readNpy', input));
}

/** `readNpy` on behalf of `where`, for messages. */
export function parseNpy(where: string, bytes: Uint8Array): NdArray {
  const { start, ...form } = readHeader(where, bytes);
  return readArray(where, form, bytes.subarray(start));
}

/** The array of this form whose values these bytes are. */
export function readArray(where: string, form: ArrayForm, values: Uint8Array): NdArray {
  const { kind, littleEndian, fortranOrder, shape } = form;
  if (shape.length > MOST_AXES || !shape.every(Number.isSafeInteger)) {
    const received = `${shape.length} axes [${shape.slice(0, MOST_AXES).join(', ')}]`;
    throw new FormatError(complaint(where, `at most ${MOST_AXES} axes of whole lengths`, received));
  }
  const text = /^[SU]\d+$/.test(kind);
  const format = text ? TEXT[kind[0]] : kind;
  if (!isNumberFormat(format)) {
    const hint = kind[0] === 'O' ? 'Object arrays are pickles, which can run code; save plain arrays.' : '';
    throw new OtherArrayError(
      complaint(where, 'booleans, integers, floats of 16 to 64 bits or text', kind, hint),
    );
  }
  const width = text ? Number(kind.slice(1)) : 1;
  const data = readNumbers(where, values, format, sizeOf(shape) * width, littleEndian);
  const rowMajor = fortranOrder ? toRowMajor(data, shape, width) : data;
  return { shape: text ? [...shape, width] : shape, data: rowMajor };
}

/** Numbers that text is made of: bytes, or the code points of UTF-32. */
const TEXT: Record<string, NumberFormat> = { S: 'u1', U: 'u4' };

/** How an array's values stand in bytes. */
export interface ArrayForm {
  /** Letter and width of the values in numpy's form, as in 'f4'. */
  kind: string;
  littleEndian: boolean;
  fortranOrder: boolean;
  shape: number[];
}

function readHeader(where: string, bytes: Uint8Array): ArrayForm & { start: number } {
  const version = bytes[6];
  if (latin1(bytes.subarray(0, 6)) !== magic || bytes.length < 12) {
    throw new FormatError(complaint(where, 'a npy file (\\x93NUMPY)', fileKind(bytes)));
  }
  if (version < 1 || version > 3) {
    throw new FormatError(complaint(where, 'npy version 1, 2 or 3', version));
  }
  const view = viewOf(bytes);
  const lengthBytes = version === 1 ? 2 : 4;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = 8 + lengthBytes + length;
  if (length > LONGEST_HEADER) {
    throw new FormatError(complaint(where, `a header of at most ${LONGEST_HEADER} bytes`, length));
  }
  if (start > bytes.length) {
    throw new FormatError(
      complaint(
        where,
        `a header of ${length} bytes`,
        `${bytes.length - 8 - lengthBytes}`,
        'The file is truncated.',
      ),
    );
  }
  const header = latin1(bytes.subarray(8 + lengthBytes, start));
  // A Python literal: either kind of quote, and L behind the integers of Python 2.
  const descr = /['"]descr['"]\s*:\s*u?['"]([<>|=])?([a-zA-Z]\d*)['"]/.exec(header);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header);
  const lengths = /['"]shape['"]\s*:\s*\(([\dL\s,]*)\)/.exec(header);
  if (descr === null || order === null || lengths === null) {
    throw new OtherArrayError(
      complaint(where, 'descr, fortran_order and shape of a plain array', header.trim().slice(0, 200)),
    );
  }
  const shape = lengths[1]
    .replaceAll('L', '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  return {
    kind: descr[2],
    littleEndian: descr[1] !== '>',
    fortranOrder: order[1] === 'True',
    shape,
    start,
  };
}

/** Column-major (Fortran) entries of `width` numbers in row-major order. */
function toRowMajor(data: NumericData, shape: readonly number[], width: number): NumericData {
  const rowMajor = emptyLike(data, data.length);
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  for (let i = 0; i < data.length; i += width) {
    const from = index.reduce((sum, at, axis) => sum + at * strides[axis], 0) * width;
    rowMajor.set(data.subarray(from, from + width), i);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return rowMajor;
}

const descriptions = new Map<unknown, string>([
  [Uint8Array, '|u1'],
  [Int8Array, '|i1'],
  [Uint16Array, '<u2'],
  [Int16Array, '<i2'],
  [Uint32Array, '<u4'],
  [Int32Array, '<i4'],
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
]);

/**
 * Writes an array as a numpy array file (.npy, version 1, little-endian, C order).
 *
 * @throws ConfigError where shape and data do not belong together
 * @example
 * const bytes = writeNpy({ shape: [2, 1], data: Uint8Array.of(3, 4) }); // np.load reads it
 */
export function writeNpy(array: NdArray): Uint8Array {
  checkNdArray('writeNpy', array);
  const { shape, data } = array;
  const descr = descriptions.get(data.constructor);
  if (descr === undefined) {
    throw new ConfigError(complaint('writeNpy', 'a typed array of numbers', data.constructor.name));
  }
  const values = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return joinBytes([npyHeader(descr, shape), values]);
}

/**
 * What stands before the values of an .npy file.
 *
 * @param descr their type as numpy writes it, as in '<f4'
 */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The values start at a multiple of 64, so that readers can map the file.
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const header = `${magic}\x01\x00${String.fromCharCode(length & 255, length >> 8)}${dictionary.padEnd(length - 1)}\n`;
  return Uint8Array.from(header, (character) => character.charCodeAt(0));
}

/**
 * Strings of an array of fixed-width text, as `readNpy` gives it: bytes are UTF-8, wider numbers code points. Trailing zeros are cut.
 *
 * Shapes: [n, width] -> n strings.
 *
 * @throws ConfigError for anything but two axes
 * @example
 * decodeText({ shape: [2, 3], data: Uint8Array.of(99, 97, 116, 100, 111, 0) }); // ['cat', 'do']
 */
export function decodeText(array: NdArray): string[] {
  checkNdArray('decodeText', array);
  const { shape, data } = array;
  if (shape.length !== 2) throw new ConfigError(complaint('decodeText', 'shape [n, width]', shape));
  const [count, width] = shape;
  const decoder = new TextDecoder();
  const decode =
    data instanceof Uint32Array
      ? (row: NumericData) =>
          Array.from(row, (point) => String.fromCodePoint(point > 0x10ffff ? 0xfffd : point)).join('')
      : (row: NumericData) => decoder.decode(Uint8Array.from(row));
  return Array.from({ length: count }, (_, row) =>
    decode(data.subarray(row * width, (row + 1) * width)).replace(/\0+$/, ''),
  );
}
