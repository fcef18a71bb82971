/**
 * Our side of the comparison: the same commands and answers as glow.py, on our `fit`, `encode` and `sample`.
 *
 *     tsx bench/peers/glow.ts '{"imageShape": [32, 32, 3], "levels": 3, "stepsPerLevel": 8, "hiddenChannels": 128, "batch": 16, "threads": 1}'
 */
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, Glow, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';

const { batch, threads, ...options } = JSON.parse(process.argv[2]);
const report = await prepareWasm({ threads });
const glow = new Glow({ ...options, seed: 1 });
const images = tf.tidy(() =>
  tf.floor(tf.mul(new RandomStream(1).uniform([batch, ...options.imageShape]), 256)),
);

const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Time of a forward-only computation, its result read back. */
function time(compute: () => tf.Tensor): { ms: number; value: number } {
  const start = performance.now();
  const value = tf.tidy(() => tf.sum(compute()).dataSync()[0]);
  return { ms: performance.now() - start, value };
}

/** Batches for `fit`, one per command to train; a step ends when `fit` asks for the next batch. */
async function* batches(): AsyncGenerator<Batch> {
  answer({ ready: `tfjs-flows, FMA ${report.fusedMultiplyAdd}`, parameters: glow.parameterCount });
  for (;;) {
    const { value: command, done } = await lines.next();
    if (done) return;
    if (command === 'encode') answer(time(() => glow.encode(images)));
    else if (command === 'sample') answer(time(() => glow.sample(batch)));
    else if (command === 'memory') {
      answer({ rss: process.resourceUsage().maxRSS * 1024, tensors: tf.memory().numTensors });
    } else {
      const start = performance.now();
      yield { x: tf.clone(images) };
      answer({ ms: performance.now() - start });
    }
  }
}

await glow.fit(batches(), { epochs: 1, learningRate: 1e-4, clipNorm: 100, seed: 1, progress: 'none' });
