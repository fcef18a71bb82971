import { complaint, FormatError } from '../core/errors';
import type { Module } from '../core/module';
import { type Location, loadModule } from '../io';
import { Flow } from './flow';

/**
 * Loads a flow that `save` wrote, of whatever class it was.
 *
 * @param location a tf.io handler or URL
 * @throws FormatError for a damaged or truncated file, one of another version, or one that holds no flow
 * @example
 * await glow.save('indexeddb://faces');
 * const copy = await loadFlow<Glow>('indexeddb://faces');
 */
export async function loadFlow<T extends Flow = Flow>(location: Location): Promise<T> {
  const loaded = await loadModule<Module>(location);
  if (loaded instanceof Flow) return loaded as T;
  loaded.dispose();
  throw new FormatError(
    complaint('loadFlow', 'a flow', `a ${loaded.label}`, 'loadModule reads other modules.'),
  );
}
