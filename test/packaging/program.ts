import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Glow, readNpz, ShapeError, writeNpz } from 'tfjs-flows';

await tf.setBackend('cpu');
const glow = new Glow({
  imageShape: [4, 4, 1],
  levels: 2,
  stepsPerLevel: 1,
  hiddenChannels: 4,
  classes: 2,
  nBits: 3,
  seed: 1,
});
const x = Uint8Array.from({ length: 8 * 16 }, (_, i) => (i * i) % 8);
const context = [0, 1, 0, 1, 0, 1, 0, 1];
const history = await glow.fit(
  { x, shape: [4, 4, 1], context },
  { steps: 2, batchSize: 4, progress: 'none', seed: 2 },
);
if (history.losses.length !== 2) throw new Error(`losses ${history.losses}`);

const images = glow.sample(3, { temperature: 0.7, context: 1 });
const z = glow.encode(images, { context: 1 });
const difference = tf.max(tf.abs(tf.sub(glow.decode(z, { context: 1 }), images))).dataSync()[0];
if (difference !== 0) throw new Error(`decode(encode(x)) differs from x by ${difference}`);

const file = writeNpz({ z: { shape: z.shape, data: Float32Array.from(z.dataSync()) } });
if (readNpz(file).z.shape.join() !== '3,16') throw new Error('npz');

let message = '';
try {
  glow.encode(tf.zeros([2, 4, 4, 3]));
} catch (error) {
  // Messages name the class even where its code is minified.
  if (error instanceof ShapeError) message = error.message;
}
if (!message.startsWith('Glow.encode: expected [batch, 4, 4, 1], got [2, 4, 4, 3]')) throw new Error(message);
console.log('done');
