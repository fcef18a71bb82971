import * as tf from '@tensorflow/tfjs-core';
import { zipSync } from 'fflate';
import { loadFlow, moduleToArtifacts } from 'tfjs-flows';
import type { Params, Result, SavedFlow } from '../protocol';
import { currentFlow, setCurrentFlow } from './currentFlow';
import { previewOf } from './preview';

/** Names in IndexedDB, which other pages of the same origin share. */
const PREFIX = 'indexeddb://tfjs-flows-demo-';

export async function saveFlow({ name }: Params<'saveFlow'>): Promise<SavedFlow[]> {
  await currentFlow().save(PREFIX + name);
  return listFlows();
}

/** Flows that this page saved in this browser. */
export async function listFlows(): Promise<SavedFlow[]> {
  const models = await tf.io.listModels();
  return Object.entries(models)
    .filter(([url]) => url.startsWith(PREFIX))
    .map(([url, { weightDataBytes, dateSaved }]) => ({
      name: url.slice(PREFIX.length),
      bytes: weightDataBytes ?? 0,
      date: dateSaved.toISOString(),
    }));
}

export async function openFlow({ name }: Params<'openFlow'>): Promise<Result<'openFlow'>> {
  const flow = setCurrentFlow(await loadFlow(PREFIX + name));
  return { kind: flow.eventShape.length === 1 ? 'points' : 'pictures', preview: await previewOf(flow) };
}

export async function removeFlow({ name }: Params<'removeFlow'>): Promise<SavedFlow[]> {
  await tf.io.removeModel(PREFIX + name);
  return listFlows();
}

/** The layout that tf.io reads over HTTP and `tfjs-flows/node` from a folder. */
export async function packFlow(): Promise<Uint8Array> {
  const { weightData, weightSpecs, ...rest } = await moduleToArtifacts(currentFlow());
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs ?? [] }];
  return zipSync({
    'model.json': new TextEncoder().encode(JSON.stringify({ ...rest, weightsManifest })),
    'weights.bin': new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
  });
}
