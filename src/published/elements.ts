import { viewOf } from '../data/bytes';
import type { NumericData } from '../data/ndArray';
import { type NumberFormat, readNumbers } from '../data/numbers';
import type { ElementType } from './storedTensor';

/** Types that JavaScript has no array for, one value at a time from its 16 bits. */
const halves: Partial<Record<ElementType, (bits: number) => number>> = {
  F16: fromFloat16,
  BF16: fromBfloat16,
};

const formats: Partial<Record<ElementType, NumberFormat>> = {
  F64: 'f8',
  F32: 'f4',
  I64: 'i8',
  I32: 'i4',
  I16: 'i2',
  I8: 'i1',
  U64: 'u8',
  U32: 'u4',
  U16: 'u2',
  U8: 'u1',
  BOOL: 'b1',
};

/** Bytes of one value of each type. */
export function elementSize(type: ElementType): number {
  const format = formats[type];
  return format === undefined ? 2 : Number(format[1]);
}

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && (Object.hasOwn(formats, name) || Object.hasOwn(halves, name));
}

/**
 * Reads `count` little-endian values, which must be all that `bytes` hold; both 16-bit float types become float32, exactly.
 *
 * @throws FormatError where the bytes are too few or too many
 */
export function readElements(
  where: string,
  bytes: Uint8Array,
  type: ElementType,
  count: number,
): NumericData {
  const half = halves[type];
  if (half === undefined) return readNumbers(where, bytes, formats[type] as NumberFormat, count, true);
  const bits = readNumbers(where, bytes, 'u2', count, true);
  return Float32Array.from(bits, half);
}

/** Source: IEEE 754-2019, binary16. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. */
export function fromBfloat16(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** The bytes of 32-bit floats, little-endian whatever the machine is. */
export function float32Bytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = viewOf(bytes);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return bytes;
}
