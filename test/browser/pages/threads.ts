import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';

/** What a short training run on wasm used and gave. */
export interface WasmRun {
  isolated: boolean;
  threads: number;
  limits: string[];
  losses: number[];
}

/** What the test in Node calls in the page. */
export interface ThreadsPage {
  inPage(threads?: number): Promise<WasmRun>;
  inWorker(): Promise<WasmRun>;
}

async function train(wanted?: number): Promise<WasmRun> {
  const { threads, limits } = await prepareWasm({ wasmFolder: '/wasm/', threads: wanted });
  const glow = new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 8, seed: 1 });
  const x = tf.tidy(() => tf.floor(tf.mul(new RandomStream(2).uniform([16, 8, 8, 1]), 256)));
  const { losses } = await glow.fit(x, { steps: 3, batchSize: 8, seed: 3, progress: 'none' });
  return { isolated: globalThis.crossOriginIsolated, threads, limits, losses };
}

const page: ThreadsPage = {
  inPage: train,
  inWorker: () =>
    new Promise((resolve, reject) => {
      const worker = new Worker('/script.js');
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    }),
};

// The worker runs this same script, and has no document.
if (typeof document === 'undefined') train().then((run) => postMessage(run));
else Object.assign(globalThis, { page });
