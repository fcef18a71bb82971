import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, logAbsDet, RandomStream, ShapeError } from 'tfjs-flows';

await tf.setBackend('cpu');
const random = new RandomStream(1);
const logDet = logAbsDet(
  tf.tensor2d([
    [2, 0],
    [0, 3],
  ]),
);
if (Math.abs(logDet.dataSync()[0] - Math.log(6)) > 1e-6) throw new Error('logAbsDet');

const layer = new ActNorm({ inputShape: [3] });
layer.initialize(random.normal([8, 3])).dispose();
let message = '';
try {
  layer.forward(tf.zeros([2, 4]));
} catch (error) {
  // Messages name the class even where its code is minified.
  if (error instanceof ShapeError) message = error.message;
}
if (!message.startsWith('ActNorm.forward: expected [batch, 3], got [2, 4]')) throw new Error(message);
console.log('done');
