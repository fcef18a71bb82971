/**
 * Many small training steps: memory and the number of tensors must stay where they are.
 *
 *     npm run bench:long [-- steps place]      default: 10000 steps on wasm; places are those of peers/places.ts
 *
 * Prints both at ten moments, and fails where tensors or bytes on a GPU grew at all or resident memory by more than 64 MB since the first.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream } from 'tfjs-flows';
import { places } from './peers/places';

const [stepsText = '10000', place = 'wasm'] = process.argv.slice(2);
const steps = Number(stepsText);
/** Bytes: the garbage collector's own room varies by tens of megabytes. */
const SLACK = 64e6;

await places[place as keyof typeof places]({ threads: 2 });
const imageShape: [number, number, number] = [8, 8, 1];
const glow = new Glow({ imageShape, levels: 2, stepsPerLevel: 2, hiddenChannels: 16, seed: 1 });
const random = new RandomStream(1);
const x = { x: Uint8Array.from({ length: 64 * 64 }, () => random.integer(256)), shape: imageShape };

const seen: { tensors: number; gpuBytes: number; rss: number }[] = [];
const start = performance.now();
let step = 0;
const onBatchEnd = () => {
  if (++step % Math.ceil(steps / 10) !== 0) return;
  const { numTensors: tensors, numBytesAllocatedInGPU: gpuBytes = 0 } = tf.memory() as tf.MemoryInfo & {
    numBytesAllocatedInGPU?: number;
  };
  const now = { tensors, gpuBytes, rss: process.memoryUsage.rss() };
  seen.push(now);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const [gpu, resident] = [gpuBytes, now.rss].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  console.log(`step ${step}: ${tensors} tensors, ${gpu} on a GPU, ${resident} resident, ${seconds} s`);
};
await glow.fit(x, { steps, batchSize: 8, seed: 1, progress: 'none', callbacks: { onBatchEnd } });
const [first, last] = [seen[0], seen[seen.length - 1]];
if (last.tensors > first.tensors || last.gpuBytes > first.gpuBytes || last.rss > first.rss + SLACK) {
  throw new Error('memory or tensors grew');
}
// A device keeps its process.
process.exit();
