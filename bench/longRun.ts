/**
 * Many small training steps on wasm: memory and the number of tensors must stay where they are.
 *
 *     npm run bench:long [-- steps threads]      default: 10000 steps, 2 threads
 *
 * Prints both at ten moments, and fails where tensors grew at all or resident memory by more than 64 MB since the first.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';

const [stepsText = '10000', threadsText = '2'] = process.argv.slice(2);
const steps = Number(stepsText);
/** Bytes: the garbage collector's own room varies by tens of megabytes. */
const SLACK = 64e6;

await prepareWasm({ threads: Number(threadsText) });
const imageShape: [number, number, number] = [8, 8, 1];
const glow = new Glow({ imageShape, levels: 2, stepsPerLevel: 2, hiddenChannels: 16, seed: 1 });
const x = tf.tidy(() => tf.floor(tf.mul(new RandomStream(1).uniform([64, ...imageShape]), 256)));

const seen: { tensors: number; rss: number }[] = [];
const start = performance.now();
let step = 0;
const onBatchEnd = () => {
  if (++step % Math.ceil(steps / 10) !== 0) return;
  const now = { tensors: tf.memory().numTensors, rss: process.memoryUsage.rss() };
  seen.push(now);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`step ${step}: ${now.tensors} tensors, ${(now.rss / 1e6).toFixed(0)} MB, ${seconds} s`);
};
await glow.fit(x, { steps, batchSize: 8, seed: 1, progress: 'none', callbacks: { onBatchEnd } });
const [first, last] = [seen[0], seen[seen.length - 1]];
if (last.tensors > first.tensors || last.rss > first.rss + SLACK) throw new Error('memory or tensors grew');
