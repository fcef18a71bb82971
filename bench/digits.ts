/**
 * Glow on the 8 x 8 digits: the curve of held-out bits per dimension.
 *
 * Set-up of the reference runs: levels merged to 16 (min(pixel, 15)), 1500 training and 297 held-out images by a fixed
 * permutation, 2 levels of 8 steps, hidden 64, batch 64, Adam 1e-3 with 100 warm-up steps, clip norm 100.
 * The published PyTorch code reached 2.27 to 2.43 bits per dimension.
 *
 *     npm run bench:digits [-- steps seed backend]
 */
import { readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Glow, gatherRows, RandomStream, readNpz, shuffleSplit } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';

const [steps = '1500', seed = '1', backend = 'wasm'] = process.argv.slice(2);
if (backend === 'wasm') await prepareWasm();
else await tf.setBackend(backend);

const { images } = readNpz(readFileSync(new URL('../examples/data/digits_8x8.npz', import.meta.url)));
const levels = Float32Array.from(images.data, (pixel) => Math.min(Number(pixel), 15));
const all = { data: levels, shape: [images.shape[0], 8, 8, 1] };
const [trainingRows, heldRows] = shuffleSplit(images.shape[0], [1500, 297], new RandomStream(0));
const part = (rows: Int32Array) => {
  const { data, shape } = gatherRows(all, rows);
  return tf.tensor(data, shape);
};
const training = part(trainingRows);
const held = part(heldRows);

const glow = new Glow({
  imageShape: [8, 8, 1],
  levels: 2,
  stepsPerLevel: 8,
  hiddenChannels: 64,
  nBits: 4,
  seed: Number(seed),
});
const start = performance.now();
console.log('step   train   held-out   s');
await glow.fit(training, {
  steps: Number(steps),
  batchSize: 64,
  stepsPerEpoch: 100,
  learningRate: 1e-3,
  schedule: { kind: 'constant', warmupSteps: 100 },
  clipNorm: 100,
  validationData: held,
  seed: Number(seed),
  progress: 'none',
  callbacks: {
    onEpochEnd: async (epoch, logs) => {
      const seconds = (performance.now() - start) / 1000;
      const row = [(epoch + 1) * 100, logs?.loss?.toFixed(3), logs?.val_loss?.toFixed(3), seconds.toFixed(0)];
      console.log(row.join('   '));
    },
  },
});
