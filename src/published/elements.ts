import { viewOf } from '../data/bytes';
import type { NumericData } from '../data/ndArray';
import { type NumberFormat, readNumbers } from '../data/numbers';
import type { ElementType } from './storedTensor';

const formats: Record<ElementType, NumberFormat> = {
  F64: 'f8',
  F32: 'f4',
  F16: 'f2',
  BF16: 'V2',
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
  return Number(formats[type][1]);
}

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && Object.hasOwn(formats, name);
}

/** The type of values that numpy's letters name. */
export function elementTypeOf(format: string): ElementType | undefined {
  const types = Object.keys(formats) as ElementType[];
  return types.find((type) => formats[type] === format);
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
  return readNumbers(where, bytes, formats[type], count, true);
}

/** The bytes of 32-bit floats, little-endian whatever the machine is. */
export function float32Bytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = viewOf(bytes);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return bytes;
}

/** The bytes of 64-bit whole numbers, likewise. */
export function int64Bytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = viewOf(bytes);
  for (let i = 0; i < values.length; i++) view.setBigInt64(8 * i, BigInt(values[i]), true);
  return bytes;
}
