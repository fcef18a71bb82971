import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AveragedWeights,
  Chain,
  type FitData,
  type FitOptions,
  Flow,
  FormatError,
  fit,
  Glow,
  RandomStream,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { describe, expect, it } from 'vitest';
import { memoryHandler, ToyFlow, toyData, weightsOf } from './toys';

const quiet: FitOptions = { progress: 'none', seed: 5 };

/** One run to the end, and one that is aborted after `stopAt` steps and resumed in a fresh model with another seed. */
async function compare(data: () => FitData, options: () => FitOptions, stopAt: number) {
  const whole = new ToyFlow();
  const expected = await fit(whole, data(), { ...quiet, ...options() });

  const location = memoryHandler();
  const first = new ToyFlow();
  const controller = new AbortController();
  let steps = 0;
  const stopped = await fit(first, data(), {
    ...quiet,
    ...options(),
    checkpoint: { location },
    signal: controller.signal,
    callbacks: { onBatchEnd: () => void (++steps === stopAt && controller.abort()) },
  });
  expect(stopped.stopped).toBe('aborted');
  expect(stopped.losses).toEqual(expected.losses.slice(0, stopAt));

  const second = new ToyFlow();
  const tensors = tf.memory().numTensors;
  const resumed = await fit(second, data(), { ...quiet, ...options(), seed: 99, resume: location });
  expect(tf.memory().numTensors).toBe(tensors);
  expect(resumed).toEqual(expected);
  expect(weightsOf(second)).toEqual(weightsOf(whole));
  for (const model of [whole, first, second]) model.dispose();
}

const rows = toyData(40);
const base: FitOptions = { epochs: 4, batchSize: 8, learningRate: 0.02 };

for (const backend of ['cpu', 'wasm']) {
  describe(`a resumed run on ${backend}`, () => {
    const use = () => (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend(backend));

    it.each(['sgd', 'momentum', 'adagrad', 'adadelta', 'adam', 'compactAdam', 'adamax', 'rmsprop'] as const)(
      'continues bit for bit with %s, from the middle of an epoch',
      async (optimizer) => {
        await use();
        await compare(
          () => rows,
          () => ({ ...base, optimizer }),
          7,
        );
      },
    );

    it('continues with centered RMSProp and with an optimizer given as an instance', async () => {
      await use();
      const made: tf.Optimizer[] = [];
      const options = () => {
        // tfjs subtracts epsilon under this root; with the usual sign small gradients give NaN.
        const optimizer = tf.train.rmsprop(0.01, 0.9, 0.5, -1e-4, true);
        made.push(optimizer);
        return { ...base, optimizer };
      };
      const tensors = tf.memory().numTensors;
      const whole = new ToyFlow();
      const expected = await fit(whole, rows, { ...quiet, ...options() });
      const location = memoryHandler();
      const model = new ToyFlow();
      await fit(model, rows, { ...quiet, ...options(), steps: 7, checkpoint: { location } });
      const resumed = await fit(model, rows, { ...quiet, ...options(), resume: location });
      expect(resumed).toEqual(expected);
      expect(weightsOf(model)).toEqual(weightsOf(whole));
      for (const optimizer of made) optimizer.dispose();
      whole.dispose();
      model.dispose();
      expect(tf.memory().numTensors).toBe(tensors);
    });

    it('continues schedule, clipping, average, validation and early stopping', async () => {
      await use();
      const options = (): FitOptions => ({
        ...base,
        epochs: 6,
        schedule: { kind: 'cosine', steps: 24, warmupSteps: 5 },
        clipValue: 1,
        clipNorm: 0.5,
        average: 0.9,
        validationSplit: 0.2,
        earlyStopping: { patience: 3 },
      });
      // In the middle of an epoch, at an end that is not yet closed, and after it.
      for (const stopAt of [6, 8, 9]) await compare(() => rows, options, stopAt);
    });
  });
}

describe('a resumed run', () => {
  it('finds its place in datasets, over passes and epochs of other lengths', async () => {
    await tf.setBackend('cpu');
    const data = () =>
      function* (pass: number) {
        for (let i = 0; i < 3; i++) yield tf.tensor2d(toyData(8, 100 * pass + i));
      };
    await compare(data, () => ({ epochs: 4 }), 4);
    await compare(data, () => ({ epochs: 4, stepsPerEpoch: 4 }), 7);
    await compare(data, () => ({ epochs: 4, stepsPerEpoch: 2 }), 6);
  });

  it('of a Glow continues bit for bit on wasm: fused kernels, dequantization noise, average', async () => {
    await prepareWasm({ threads: 1 });
    const random = new RandomStream(1);
    const x = Uint8Array.from({ length: 32 * 64 }, () => random.integer(256));
    const make = () =>
      new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 4, seed: 3 });
    const options: FitOptions = { ...quiet, batchSize: 8, epochs: 2, average: 0.9 };
    const location = memoryHandler();
    const models = [make(), make(), make()];
    const expected = await fit(models[0], { x, shape: [8, 8, 1] }, options);
    await fit(models[1], { x, shape: [8, 8, 1] }, { ...options, steps: 3, checkpoint: { location } });
    const resumed = await fit(models[2], { x, shape: [8, 8, 1] }, { ...options, resume: location });
    expect(resumed).toEqual(expected);
    expect(weightsOf(models[2])).toEqual(weightsOf(models[0]));
    for (const model of models) model.dispose();
  });

  it('continues from a checkpoint that was written on the way', async () => {
    await tf.setBackend('cpu');
    const location = memoryHandler();
    const whole = new ToyFlow();
    const kept: tf.io.ModelArtifacts[] = [];
    const keeping = {
      save: async (artifacts: tf.io.ModelArtifacts) => {
        const result = await location.save?.(artifacts);
        kept.push(location.artifacts as tf.io.ModelArtifacts);
        return result as tf.io.SaveResult;
      },
    };
    const expected = await fit(whole, rows, {
      ...quiet,
      ...base,
      checkpoint: { location: keeping, everySteps: 5 },
    });
    expect(kept).toHaveLength(5);
    for (const artifacts of kept) {
      const model = new ToyFlow();
      const resume = { load: async () => artifacts };
      expect(await fit(model, rows, { ...quiet, ...base, resume })).toEqual(expected);
      expect(weightsOf(model)).toEqual(weightsOf(whole));
      model.dispose();
    }
    whole.dispose();
  });

  it('can be prolonged after it finished', async () => {
    await tf.setBackend('cpu');
    const location = memoryHandler();
    const whole = new ToyFlow();
    const expected = await fit(whole, rows, { ...quiet, ...base, epochs: 6 });
    const model = new ToyFlow();
    await fit(model, rows, { ...quiet, ...base, epochs: 3, checkpoint: { location } });
    expect(await fit(model, rows, { ...quiet, ...base, epochs: 6, resume: location })).toEqual(expected);
    expect(weightsOf(model)).toEqual(weightsOf(whole));
    whole.dispose();
    model.dispose();
  });

  it('keeps weights apart that are named like the parts of a checkpoint', async () => {
    await tf.setBackend('cpu');
    const make = () =>
      new Flow({
        bijector: Chain.from(
          [2],
          [
            (inputShape) => new ActNorm({ inputShape, name: 'weights' }),
            (inputShape) => new ActNorm({ inputShape, name: 'optimizer' }),
            (inputShape) => new ActNorm({ inputShape, name: 'average' }),
            (inputShape) => new ActNorm({ inputShape, name: 'best' }),
            (inputShape) => new ActNorm({ inputShape, name: 'losses' }),
          ],
          'best',
        ),
        name: 'weights',
      });
    const location = memoryHandler();
    const options = { ...quiet, ...base, average: 0.9, validationSplit: 0.2, earlyStopping: { patience: 9 } };
    const [whole, stopped, resumed] = [make(), make(), make()];
    const expected = await fit(whole, rows, options);
    await fit(stopped, rows, { ...options, steps: 6, checkpoint: { location } });
    expect(await fit(resumed, rows, { ...options, resume: location })).toEqual(expected);
    expect(weightsOf(resumed)).toEqual(weightsOf(whole));
    for (const model of [whole, stopped, resumed]) model.dispose();
  });

  it('refuses a checkpoint of another model, optimizer or average, and leaks nothing', async () => {
    await tf.setBackend('cpu');
    const location = memoryHandler();
    const model = new ToyFlow();
    await fit(model, rows, { ...quiet, ...base, checkpoint: { location } });
    const other = new ToyFlow(3);
    const averages = new AveragedWeights(model, 0.5);
    const tensors = tf.memory().numTensors;
    const before = weightsOf(model);
    const resume = location;
    const rows3 = rows.map((row) => [...row, 0]);
    await expect(fit(other, rows3, { ...quiet, resume })).rejects.toThrow(
      /mix is float32 \[2, 2\] instead of float32 \[3, 3\]; first\/bias is/,
    );
    await expect(fit(model, rows, { ...quiet, resume, optimizer: 'sgd' })).rejects.toThrow(
      /optimizer.*Adam.*SGD/,
    );
    await expect(fit(model, rows, { ...quiet, resume, average: averages })).rejects.toThrow(FormatError);
    await expect(fit(model, rows, { ...quiet, resume, earlyStopping: {} })).rejects.toThrow(/earlyStopping/);
    expect(weightsOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
    averages.dispose();
    model.dispose();
    other.dispose();
  });
});
