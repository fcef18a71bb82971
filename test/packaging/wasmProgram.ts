import * as tf from '@tensorflow/tfjs-core';
import { Glow } from 'tfjs-flows';
import { checkpointDirectory } from 'tfjs-flows/node';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';

const { threads } = await prepareWasm({ threads: 2 });
const glow = new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 2, hiddenChannels: 16, seed: 1 });
const x = tf.tidy(() => tf.floor(tf.randomUniform([16, 8, 8, 1], 0, 255, 'float32', 1)));
await glow.fit(x, { steps: 2, batchSize: 8, progress: 'none', seed: 2 });
await glow.save('file://glow');
if (typeof checkpointDirectory !== 'function' || threads !== 2) throw new Error('entries');
if (Object.keys(wasmReport().fallbacks).length > 0) throw new Error(JSON.stringify(wasmReport().fallbacks));
console.log('done');
