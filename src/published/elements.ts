import { viewOf } from '../data/bytes';
import { fromBfloat16 } from '../data/halves';
import type { NumericData } from '../data/ndArray';
import { type NumberFormat, readNumbers } from '../data/numbers';
import type { ElementType } from './storedTensor';

/** bfloat16 has no letter of numpy's. */
const formats: Record<Exclude<ElementType, 'BF16'>, NumberFormat> = {
  F64: 'f8',
  F32: 'f4',
  F16: 'f2',
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
  return type === 'BF16' ? 2 : Number(formats[type][1]);
}

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && (name === 'BF16' || Object.hasOwn(formats, name));
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
  if (type !== 'BF16') return readNumbers(where, bytes, formats[type], count, true);
  const bits = readNumbers(where, bytes, 'u2', count, true);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = fromBfloat16(bits[i]);
  return values;
}

/** The bytes of 32-bit floats, little-endian whatever the machine is. */
export function float32Bytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = viewOf(bytes);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return bytes;
}
