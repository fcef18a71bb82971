import { complaint, FormatError } from '../core/errors';
import { viewOf } from './bytes';
import { fromBfloat16, fromFloat16 } from './halves';
import type { NumericData } from './ndArray';

/** Kind and bytes per value, in numpy's letters: u unsigned, i signed, f float, b boolean; V2, two bytes of no kind it knows, is bfloat16. */
export type NumberFormat =
  | 'V2'
  | 'u1'
  | 'i1'
  | 'b1'
  | 'u2'
  | 'i2'
  | 'u4'
  | 'i4'
  | 'i8'
  | 'u8'
  | 'f2'
  | 'f4'
  | 'f8';

interface Reader {
  make(count: number): NumericData;
  get(view: DataView, offset: number, littleEndian: boolean): number;
}

/** 64-bit integers become float64, which holds them exactly up to 2^53; 16-bit floats become float32, exactly. */
const readers: Record<NumberFormat, Reader> = {
  u1: { make: (n) => new Uint8Array(n), get: (view, at) => view.getUint8(at) },
  b1: { make: (n) => new Uint8Array(n), get: (view, at) => view.getUint8(at) },
  i1: { make: (n) => new Int8Array(n), get: (view, at) => view.getInt8(at) },
  u2: { make: (n) => new Uint16Array(n), get: (view, at, little) => view.getUint16(at, little) },
  i2: { make: (n) => new Int16Array(n), get: (view, at, little) => view.getInt16(at, little) },
  u4: { make: (n) => new Uint32Array(n), get: (view, at, little) => view.getUint32(at, little) },
  i4: { make: (n) => new Int32Array(n), get: (view, at, little) => view.getInt32(at, little) },
  u8: { make: (n) => new Float64Array(n), get: (view, at, little) => Number(view.getBigUint64(at, little)) },
  i8: { make: (n) => new Float64Array(n), get: (view, at, little) => Number(view.getBigInt64(at, little)) },
  f2: {
    make: (n) => new Float32Array(n),
    get: (view, at, little) => fromFloat16(view.getUint16(at, little)),
  },
  V2: {
    make: (n) => new Float32Array(n),
    get: (view, at, little) => fromBfloat16(view.getUint16(at, little)),
  },
  f4: { make: (n) => new Float32Array(n), get: (view, at, little) => view.getFloat32(at, little) },
  f8: { make: (n) => new Float64Array(n), get: (view, at, little) => view.getFloat64(at, little) },
};

export function isNumberFormat(format: string): format is NumberFormat {
  return Object.hasOwn(readers, format);
}

/**
 * Reads exactly `count` numbers, which must be all that `bytes` hold.
 *
 * @throws FormatError where the bytes are too few or too many
 */
export function readNumbers(
  where: string,
  bytes: Uint8Array,
  format: NumberFormat,
  count: number,
  littleEndian: boolean,
): NumericData {
  const width = Number(format[1]);
  if (bytes.length !== count * width) {
    const hint = bytes.length < count * width ? 'The file is truncated.' : 'The file has trailing bytes.';
    throw new FormatError(complaint(where, `${count * width} bytes of values`, `${bytes.length}`, hint));
  }
  const { make, get } = readers[format];
  const view = viewOf(bytes);
  const values = make(count);
  for (let i = 0; i < count; i++) values[i] = get(view, i * width, littleEndian);
  if (format === 'i8' || format === 'u8') {
    const unsafe = values.find((value) => !Number.isSafeInteger(value));
    if (unsafe !== undefined)
      throw new FormatError(complaint(where, '64-bit integers within +-2^53', unsafe));
  }
  return values;
}
