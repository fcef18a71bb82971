import { ConfigError, complaint } from '../core/errors';
import { checkFinite32 } from '../core/hostValues';
import { toFloat64 } from '../core/numbers';

/**
 * Values that a weight starts from; zeros where none are given.
 *
 * @param what name of the option
 * @throws ConfigError for a wrong number of them; DataError for what is no finite number
 */
export function startValues(
  where: string,
  what: string,
  given: ArrayLike<number> | undefined,
  count: number,
): Float32Array {
  const values = toFloat64(where, what, given ?? new Float32Array(count));
  if (values.length !== count) {
    throw new ConfigError(complaint(where, `${count} values of ${what}`, values.length));
  }
  checkFinite32(where, what, { values, count, shape: [], dtype: 'float32' });
  return Float32Array.from(values);
}
