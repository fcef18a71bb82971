import { complaint, DataError } from '../core/errors';
import { checkFloat32 } from '../core/hostValues';
import type { HostArray } from '../core/numbers';
import { sizeOf } from '../core/shapes';

/** From here on float32 skips whole numbers. */
const EXACT = 2 ** 24;
/** A column that spreads over no more steps of float32 than this was rounded to a few values before it came. */
const STEPS = 16;

/**
 * Throws a DataError where float32 cannot tell the values of a column apart: values that came wider and would become equal, and
 * large float32 values that lie a few steps of float32 apart, as tf.data makes them of millisecond stamps.
 */
export function checkPrecision(where: string, what: string, array: HostArray): void {
  checkFloat32(where, what, array);
  const { values, shape } = array;
  if (!(values instanceof Float32Array)) return;
  const size = sizeOf(shape);
  for (let column = 0; column < Math.min(size, values.length); column++) {
    let [low, high] = [values[column], values[column]];
    if (Math.abs(low) < EXACT) continue;
    for (let at = column + size; at < values.length; at += size) {
      low = Math.min(low, values[at]);
      high = Math.max(high, values[at]);
    }
    const step = 2 ** (Math.floor(Math.log2(Math.max(-low, high))) - 23);
    const steps = (high - low) / step;
    if (!(steps > 0 && steps <= STEPS)) continue;
    const received = `values from ${low} to ${high}, ${steps} steps of float32 apart, in column ${column}`;
    const hint = 'Subtract its mean and divide by its deviation first, in float64.';
    throw new DataError(complaint(where, `${what} that float32 can hold`, received, hint));
  }
}
