import { complaint, DataError } from './errors';
import { type HostArray, type NumericArray, placeOf } from './numbers';
import { type Shape, sizeOf } from './shapes';

/*
 * What becomes of numbers on the way to a device, which computes in float32.
 */

/** Throws a DataError for the first value that is NaN, infinite, or too large for float32; it says where. */
export function checkFinite32(where: string, what: string, { values, shape }: HostArray, hint = ''): void {
  const size = sizeOf(shape);
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(Math.fround(values[i]))) continue;
    const place = [Math.floor(i / size), ...coordinates(i % size, shape)];
    const received = `${values[i]} ${placeOf(place)} of ${what}`;
    const large = Number.isFinite(values[i]);
    const reason = large ? 'float32 holds values up to 3.4e38.' : hint;
    throw new DataError(complaint(where, 'finite values', received, reason));
  }
}

function coordinates(index: number, shape: Shape): number[] {
  let rest = index;
  return [...shape]
    .reverse()
    .map((length) => {
      const place = rest % length;
      rest = Math.floor(rest / length);
      return place;
    })
    .reverse();
}

/** Rows that a look at precision takes: enough to see a loss, few enough to cost nothing. */
const LOOKED_AT = 4096;
/** Below this share of distinct values that survive, a column is not what it was. */
const SURVIVING = 0.8;

/**
 * Throws a DataError where float64 or whole numbers lose a good part of their distinct values in float32, which is what devices
 * compute in: millisecond stamps differ by less than float32 can tell.
 */
export function checkFloat32(where: string, what: string, { values, count, shape }: HostArray): void {
  const wide =
    values instanceof Float64Array || values instanceof Int32Array || values instanceof Uint32Array;
  if (!wide) return;
  const size = sizeOf(shape);
  const stride = Math.max(1, Math.ceil(count / LOOKED_AT));
  for (let column = 0; column < size; column++) {
    if (!collides(values, column, size, stride)) continue;
    const seen = new Set<number>();
    const left = new Set<number>();
    for (let at = column; at < values.length; at += size * stride) {
      seen.add(values[at]);
      left.add(Math.fround(values[at]));
    }
    if (left.size >= SURVIVING * seen.size) continue;
    const place = shape.length === 0 ? '' : `, in column ${column}`;
    const received = `${seen.size} distinct values of which float32 tells ${left.size} apart${place}`;
    const hint = 'Subtract its mean and divide by its deviation first, in float64.';
    throw new DataError(complaint(where, `${what} that float32 can hold`, received, hint));
  }
}

/** Whether two neighbours of a column differ, and no more in float32: the cheap look before the full one. */
function collides(values: NumericArray, column: number, size: number, stride: number): boolean {
  let before = values[column];
  for (let at = column + size * stride; at < values.length; at += size * stride) {
    const value = values[at];
    if (value !== before && Math.fround(value) === Math.fround(before)) return true;
    before = value;
  }
  return false;
}
