import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';

/** A place to save to or load from: a tf.io handler, or a URL that tf.io knows (`indexeddb://`, `localstorage://`, `downloads://`, `https://`, `file://`). */
export type Location = tf.io.IOHandler | string;

/** The handler that saves to a location. */
export function saverOf(where: string, location: Location): tf.io.SaveHandler {
  const handler = typeof location === 'string' ? pick(where, location, tf.io.getSaveHandlers) : location;
  if (handler?.save === undefined) {
    throw new ConfigError(complaint(where, 'a handler that can save', 'one that can only load'));
  }
  return handler.save.bind(handler);
}

/** The handler that loads from a location. */
export function loaderOf(where: string, location: Location): tf.io.LoadHandler {
  const handler = typeof location === 'string' ? pick(where, location, tf.io.getLoadHandlers) : location;
  if (handler?.load === undefined) {
    throw new ConfigError(complaint(where, 'a handler that can load', 'one that can only save'));
  }
  return handler.load.bind(handler);
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
