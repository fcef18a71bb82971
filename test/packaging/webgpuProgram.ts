import * as tf from '@tensorflow/tfjs-core';
import { BackendError, realNvp } from 'tfjs-flows';
import { prepareWebGpu, webGpuReport } from 'tfjs-flows/webgpu';

const { backend, release } = await prepareWebGpu();
const flow = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], seed: 1 });
const x = Array.from({ length: 16 }, (_, i) => [i, (i * i) % 5]);
const { losses } = await flow.fit(x, { steps: 3, batchSize: 8, progress: 'none', seed: 2 });
if (backend !== 'webgpu' || losses.length !== 3) throw new Error(`${backend} ${losses}`);
if (webGpuReport().kernels.length === 0) throw new Error('kernels');
await release();
if (tf.engine().backendNames().includes('webgpu')) throw new Error('released');
let message = '';
try {
  webGpuReport();
} catch (error) {
  if (error instanceof BackendError) message = error.message;
}
if (!message.startsWith('webGpuReport: call prepareWebGpu first')) throw new Error(message);
console.log('done');
