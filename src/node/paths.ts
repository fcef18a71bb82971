import { ConfigError, complaint } from '../core/errors';
import { named } from '../core/numbers';

const SCHEME = 'file://';

/**
 * A path that was given as it is or as a `file://` address. What follows `file://` is a plain path, relative or absolute, as tfjs-node has it:
 * `#`, `?` and `%` are characters as all others.
 *
 * @throws ConfigError for anything but the text of a path
 */
export function pathOf(where: string, given: unknown): string {
  const path = isFileAddress(given) ? plainPath(given) : given;
  if (typeof path === 'string' && path !== '') return path;
  const [received, hint] =
    given instanceof URL ? [`the URL ${given}`, 'Give fileURLToPath(url).'] : named(given);
  throw new ConfigError(
    complaint(where, 'a path', received, given instanceof Promise || given instanceof URL ? hint : ''),
  );
}

/** Whether an address of tf.io is a path. */
export function isFileAddress(address: unknown): address is string {
  return typeof address === 'string' && address.startsWith(SCHEME);
}

/** On Windows absolute paths begin with a letter: `file:///C:/models`. */
function plainPath(address: string): string {
  return address.slice(SCHEME.length).replace(/^\/(?=[A-Za-z]:[\\/])/, '');
}
