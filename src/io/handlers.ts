import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { named } from '../core/numbers';
import { isLocalStorage, keepingOld } from './localStorage';
import { Turns } from './turns';

/** A place to save to or load from: a tf.io handler, or a URL that tf.io knows (`indexeddb://`, `localstorage://`, `downloads://`, `https://`, `file://`). */
export type Location = tf.io.IOHandler | string;

/** Saves that other saves to the same handler or URL wait for. */
const turns = new Turns<Location>();

/**
 * Saves to a location, after all earlier saves to it: the last call is what stays there.
 *
 * @param make gives the artifacts; it is called at once, so that they hold what is saved as it is now
 */
export function saveTo(
  where: string,
  location: Location,
  make: () => Promise<tf.io.ModelArtifacts>,
): Promise<tf.io.SaveResult> {
  const save = saverOf(where, location);
  const artifacts = make();
  // What fails before its turn is reported in its turn.
  artifacts.catch(() => undefined);
  return turns.take(location, async () => save(await artifacts));
}

/** The handler that saves to a location. */
export function saverOf(where: string, location: Location): tf.io.SaveHandler {
  const handler = handlerOf(where, location, tf.io.getSaveHandlers);
  if (handler.save === undefined) {
    throw new ConfigError(complaint(where, 'a handler that can save', 'one that can only load'));
  }
  return isLocalStorage(location) ? keepingOld(where, location, handler) : handler.save.bind(handler);
}

/** The handler that loads from a location. */
export function loaderOf(where: string, location: Location): tf.io.LoadHandler {
  const handler = handlerOf(where, location, tf.io.getLoadHandlers);
  if (handler.load === undefined) {
    throw new ConfigError(complaint(where, 'a handler that can load', 'one that can only save'));
  }
  return handler.load.bind(handler);
}

function handlerOf(
  where: string,
  location: Location,
  find: (url: string) => tf.io.IOHandler[],
): tf.io.IOHandler {
  if (typeof location === 'string') return pick(where, location, find);
  const given = location as Partial<tf.io.IOHandler> | null | undefined;
  if (typeof given?.save === 'function' || typeof given?.load === 'function') return location;
  const [received, hint] = named(location);
  const todo = given instanceof Promise ? hint : '';
  throw new ConfigError(
    complaint(where, "a URL such as 'indexeddb://name', or a tf.io handler", received, todo),
  );
}

function pick(where: string, url: string, find: (url: string) => tf.io.IOHandler[]): tf.io.IOHandler {
  const found = find(url);
  if (found.length === 0) {
    const hint = url.startsWith('file:')
      ? "Import 'tfjs-flows/node' first."
      : "Paths of files are written 'file://path', with 'tfjs-flows/node' imported.";
    throw new ConfigError(complaint(where, 'a URL that tf.io can handle here', `'${url}'`, hint));
  }
  return found[found.length - 1];
}
