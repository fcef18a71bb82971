import * as tf from '@tensorflow/tfjs-core';

/** Lets 'indexeddb://name', which only browsers have, work here: models are kept in memory. */
export function keepIndexedDbInMemory(): void {
  const kept = new Map<string, tf.io.ModelArtifacts>();
  const isOurs = (url: string | string[]): url is string =>
    typeof url === 'string' && url.startsWith('indexeddb://');
  tf.io.registerSaveRouter((url) =>
    isOurs(url)
      ? tf.io.withSaveHandler(async (artifacts) => {
          kept.set(url, artifacts);
          return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
        })
      : (null as never),
  );
  tf.io.registerLoadRouter((url) => (isOurs(url) ? tf.io.fromMemory(kept.get(url)!) : (null as never)));
}
