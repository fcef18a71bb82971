import * as tf from '@tensorflow/tfjs-core';
import { type Flow, type Glow, loadFlow, Prior, readNpz } from 'tfjs-flows';
import type { StatisticsFile } from '../modelFiles';
import { selectPictures } from '../pictures';
import type { ModelSummary, Pictures } from '../protocol';

/** The model that the page looks at. */
export interface LoadedModel {
  glow: Glow;
  statistics: StatisticsFile;
  prior: Prior;
  pictures: Pictures;
}

let loaded: LoadedModel | undefined;

export async function loadModel({ folder }: { folder: string }): Promise<ModelSummary> {
  const [statistics, archive, glow] = await Promise.all([
    fetchFile(`${folder}statistics.json`).then((response) => response.json() as Promise<StatisticsFile>),
    fetchFile(`${folder}pictures.npz`).then((response) => response.arrayBuffer()),
    loadFlow<Glow>(tf.io.http(`${folder}model.json`)),
  ]);
  loaded?.glow.dispose();
  const { images, subclass, attributes } = readNpz(archive);
  const pictures = {
    levels: Uint8Array.from(images.data),
    count: images.shape[0],
    size: images.shape[1],
    nBits: glow.nBits,
  };
  loaded = { glow, statistics, prior: Prior.fromJSON(statistics.prior), pictures };
  await settle(glow, toTensor(selectPictures(pictures, [0])));
  return {
    ...statistics,
    attributes: statistics.attributes.map(({ delta: _, ...summary }) => summary),
    pictures,
    subclass: Int32Array.from(subclass.data),
    attributeValues: Float32Array.from(attributes.data),
    levelCount: glow.latentLayout.length,
    parameterCount: glow.parameterCount,
  };
}

/** The loaded model. */
export function model(): LoadedModel {
  if (loaded === undefined) throw new Error('No model is loaded.');
  return loaded;
}

/** Pictures as a tensor [n, size, size, 1]. */
export function toTensor({ levels, count, size }: Pictures): tf.Tensor {
  return tf.tensor(Float32Array.from(levels), [count, size, size, 1]);
}

/** A tensor [n, size, size, 1] as pictures; it is disposed. */
export async function toPictures(images: tf.Tensor, nBits: number): Promise<Pictures> {
  const levels = Uint8Array.from(await images.data());
  const [count, size] = images.shape;
  images.dispose();
  return { levels, count, size, nBits };
}

/**
 * Brings all weights to the device and back: tfjs then keeps their values on the host too, and inverting needs no synchronous read,
 * which GPUs do slowly or not at all. `x` is disposed.
 */
export async function settle(flow: Flow, x: tf.Tensor): Promise<void> {
  tf.dispose([flow.encode(x), x]);
  await Promise.all(flow.weights.map(({ variable }) => variable.data()));
}

async function fetchFile(url: string): Promise<globalThis.Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be loaded (${response.status}).`);
  return response;
}
