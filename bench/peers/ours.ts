/**
 * Our side of the comparison: the same commands and answers as serve.py, on our `fit`, `encode` and `sample`.
 *
 *     tsx bench/peers/ours.ts '{"model": "realNvp", "dimensions": 8, "layers": 8, "hiddenUnits": [64, 64], "batch": 512, "threads": 1}'
 *
 * `backend` is one of places.ts; `hiddenInstructions: false` takes what the engine has without a flag.
 */
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, type Flow, Glow, RandomStream, realNvp } from 'tfjs-flows';
import { dispatches, places } from './places';
import { vectorFlow } from './vectors';

const {
  model,
  batch,
  threads,
  clock,
  gradients,
  optimizer,
  backend = 'wasm',
  hiddenInstructions,
  ...options
} = JSON.parse(process.argv[2]);

const ready = await places[backend as keyof typeof places]({ threads, hiddenInstructions });
const models: Record<string, () => Flow> = {
  glow: () => new Glow({ ...options, seed: 1 }),
  realNvp: () => realNvp({ ...options, seed: 1 }),
  vector: () => vectorFlow(options),
};
const flow = models[model]();
const shape = model === 'glow' ? [batch, ...options.imageShape] : [batch, options.dimensions];
const random = new RandomStream(1);
const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () =>
  model === 'glow' ? random.integer(256) : random.normalNumber(),
);
const data = tf.tensor(values, shape);

const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Milliseconds since some moment, of time or of this process on the processor. */
function milliseconds(): number {
  if (clock !== 'cpu') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Bytes of all buffers on a GPU, those that wait for their next use included. */
function gpuBytes(): number | undefined {
  return (tf.memory() as { numBytesAllocatedInGPU?: number }).numBytesAllocatedInGPU;
}

/** Time of a forward-only computation, its result read back. */
async function time(compute: () => tf.Tensor): Promise<{ ms: number; finite: boolean }> {
  const start = milliseconds();
  const sum = tf.tidy(() => tf.sum(compute()));
  const [value] = await sum.data();
  const ms = milliseconds() - start;
  sum.dispose();
  return { ms, finite: Number.isFinite(value) };
}

/** Steps of a `run`, as many as it takes until all code is compiled and more. */
const RUN = 100;

/** When the step that is under way began, how many are still to end before the answer, and times of those that did. */
let began = 0;
let stepsLeft = 0;
let times: number[] = [];

/** Takes so many steps in a row; the answer is the median of the later half. */
function begin(steps: number): void {
  began = milliseconds();
  stepsLeft = steps;
  times = [];
}

/** Not when the next batch is asked for, which may be while the step runs. */
function onBatchEnd(): void {
  times.push(milliseconds() - began);
  began = milliseconds();
  if (--stepsLeft > 0) return;
  const later = times.slice(Math.floor(times.length / 2)).sort((a, b) => a - b);
  answer({ ms: later[Math.floor(later.length / 2)] });
}

/** Batches for `fit`: one per command to train, many in a row for a run. */
async function* batches(): AsyncGenerator<Batch> {
  answer({ ready, parameters: flow.parameterCount });
  for (;;) {
    const { value: command, done } = await lines.next();
    if (done) return;
    if (command === 'encode') answer(await time(() => flow.encode(data)));
    else if (command === 'logProb') answer(await time(() => flow.logProb(data)));
    else if (command === 'sample') answer(await time(() => flow.sample(batch)));
    else if (command === 'memory') {
      const { numTensors: tensors } = tf.memory();
      answer({
        rss: process.resourceUsage().maxRSS * 1024,
        tensors,
        gpuBytes: gpuBytes(),
        dispatches: dispatches(),
      });
    } else {
      const steps = command === 'run' ? RUN : 1;
      begin(steps);
      for (let i = 0; i < steps; i++) yield { x: tf.tensor(values, shape) };
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
  callbacks: [{ onBatchEnd }],
});
