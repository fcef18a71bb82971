import { ConfigError, complaint } from '../core/errors';
import { named } from '../core/numbers';

/** Throws a ConfigError unless `path` is the text of a path. */
export function checkPath(where: string, path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  const [received, hint] =
    path instanceof URL ? [`the URL ${path}`, 'Give fileURLToPath(url).'] : named(path);
  throw new ConfigError(
    complaint(where, 'a path', received, path instanceof Promise || path instanceof URL ? hint : ''),
  );
}
