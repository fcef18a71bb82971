/**
 * Our side of the comparison: the same commands and answers as serve.py, on our `fit`, `encode` and `sample`.
 *
 *     tsx bench/peers/ours.ts '{"model": "realNvp", "dimensions": 8, "layers": 8, "hiddenUnits": [64, 64], "batch": 512, "threads": 1}'
 *
 * `backend: "cpu"` takes the ordinary ops of tfjs; `hiddenInstructions: false` what the engine has without a flag.
 */
import { createInterface } from 'node:readline';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, type Flow, Glow, RandomStream, realNvp } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { vectorFlow } from './vectors';

const { model, batch, threads, clock, gradients, optimizer, backend, hiddenInstructions, ...options } =
  JSON.parse(process.argv[2]);

async function prepare(): Promise<string> {
  if (backend === 'cpu') {
    // No banner that recommends another backend, no checks.
    tf.enableProdMode();
    await tf.setBackend('cpu');
    return 'ordinary ops on cpu';
  }
  const report = await prepareWasm({ threads, hiddenInstructions });
  const arithmetic = report.fusedMultiplyAdd ? ', fused multiply-add' : '';
  return `wasm, ${report.vectorBits} bits${arithmetic}`;
}

function images(): tf.Tensor {
  return tf.tidy(() => tf.floor(tf.mul(new RandomStream(1).uniform([batch, ...options.imageShape]), 256)));
}

const ready = await prepare();
const models: Record<string, () => Flow> = {
  glow: () => new Glow({ ...options, seed: 1 }),
  realNvp: () => realNvp({ ...options, seed: 1 }),
  vector: () => vectorFlow(options),
};
const flow = models[model]();
const data = model === 'glow' ? images() : new RandomStream(1).normal([batch, options.dimensions]);

const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Milliseconds since some moment, of time or of this process on the processor. */
function milliseconds(): number {
  if (clock !== 'cpu') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Time of a forward-only computation, its result read back. */
function time(compute: () => tf.Tensor): { ms: number; finite: boolean } {
  const start = milliseconds();
  const value = tf.tidy(() => tf.sum(compute()).dataSync()[0]);
  return { ms: milliseconds() - start, finite: Number.isFinite(value) };
}

/** Batches for `fit`, one per command to train; a step ends when `fit` asks for the next batch. */
async function* batches(): AsyncGenerator<Batch> {
  answer({ ready, parameters: flow.parameterCount });
  for (;;) {
    const { value: command, done } = await lines.next();
    if (done) return;
    if (command === 'encode') answer(time(() => flow.encode(data)));
    else if (command === 'logProb') answer(time(() => flow.logProb(data)));
    else if (command === 'sample') answer(time(() => flow.sample(batch)));
    else if (command === 'memory') {
      answer({ rss: process.resourceUsage().maxRSS * 1024, tensors: tf.memory().numTensors });
    } else {
      const start = milliseconds();
      yield { x: tf.clone(data) };
      answer({ ms: milliseconds() - start });
    }
  }
}

await flow.fit(batches(), {
  epochs: 1,
  learningRate: 1e-5,
  clipNorm: 100,
  seed: 1,
  progress: 'none',
  gradients,
  optimizer,
});
