import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { prepareWebGpu } from 'tfjs-flows/webgpu';
import { registry } from '../../conformance/registry';
import { type Differences, differencesFromCpu, trainingCurve } from '../../support/agreement';
import {
  type PublishedDifferences,
  publishedFlows,
  type ReadFixtures,
} from '../../support/publishedAgreement';

/** What the test in Node calls in the page. */
export interface AgreementPage {
  /** Prepares webgpu; false where the browser has none. */
  hasWebgpu(): Promise<boolean>;
  differences(bijector: string): Promise<Differences>;
  publishedDifferences(flow: string): Promise<PublishedDifferences>;
  losses(backend: string, steps: number): Promise<number[]>;
}

const readFixtures: ReadFixtures = (folder, names) =>
  Promise.all(
    names.map(async (name) => {
      const response = await fetch(`/fixtures/${folder}/${name}`);
      return new Uint8Array(await response.arrayBuffer());
    }),
  );

const page: AgreementPage = {
  async hasWebgpu() {
    if (navigator.gpu === undefined) return false;
    await prepareWebGpu();
    return true;
  },
  differences: (name) => differencesFromCpu('webgpu', registry[name]),
  async publishedDifferences(name) {
    await tf.setBackend('webgpu');
    return publishedFlows[name](readFixtures);
  },
  losses: trainingCurve,
};

Object.assign(globalThis, { page });
