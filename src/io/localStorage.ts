import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';

const SCHEME = 'localstorage://';

/** Whether a URL names a model in the browser's local storage. */
export function isLocalStorage(location: unknown): location is string {
  return typeof location === 'string' && location.startsWith(SCHEME);
}

/**
 * tf.io's handler for local storage, which removes what was there where a save fails; this puts it back. (To write the new model
 * beside the old one first would halve what fits.)
 */
export function keepingOld(where: string, url: string, handler: tf.io.IOHandler): tf.io.SaveHandler {
  const save = (handler.save as tf.io.SaveHandler).bind(handler);
  return async (artifacts) => {
    const old = await handler.load?.().catch(() => undefined);
    try {
      return await save(artifacts);
    } catch (error) {
      const kept = old === undefined ? 'no model was there' : await putBack(save, old);
      const bytes = tf.io.CompositeArrayBuffer.join(artifacts.weightData).byteLength;
      const hint = `Browsers keep about 5 MB there. Save to 'indexeddb://${url.slice(SCHEME.length)}', which holds much more.`;
      const message = complaint(
        where,
        `room in the browser's local storage for ${(bytes / 1e6).toPrecision(3)} MB of weights, as base64`,
        `'${(error as Error).message}'; ${kept}`,
        hint,
      );
      throw new ConfigError(message, { cause: error });
    }
  };
}

async function putBack(save: tf.io.SaveHandler, old: tf.io.ModelArtifacts): Promise<string> {
  try {
    await save(old);
    return 'the model that was there is there still';
  } catch {
    return 'the model that was there could not be put back';
  }
}
