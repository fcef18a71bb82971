import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  BackendError,
  ConfigError,
  DataError,
  DisposedError,
  evaluate,
  type FitData,
  type FitOptions,
  fit,
  NonFiniteError,
  ShapeError,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryHandler, ToyFlow, toyData, weightsOf } from './toys';

const rows = toyData(8);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A fit that must be refused, leaving weights as they were and no tensor behind. */
async function refused(data: FitData, options: FitOptions = {}): Promise<Error> {
  const model = new ToyFlow();
  const before = weightsOf(model);
  const tensors = tf.memory().numTensors;
  const error = await fit(model, data, { progress: 'none', ...options }).then(
    () => expect.fail('fit accepted it'),
    (reason) => reason,
  );
  expect(weightsOf(model)).toEqual(before);
  expect(tf.memory().numTensors).toBe(tensors);
  model.dispose();
  return error;
}

function* oneBatch(make: () => tf.Tensor): Generator<tf.Tensor> {
  yield make();
}

type ErrorClass = new (...given: never[]) => Error;

describe('data that fit refuses', () => {
  const bad = (value: number) => rows.map((row, i) => (i === 5 ? [row[0], value] : row));
  it.each<[string, FitData, ErrorClass, RegExp]>([
    ['an empty array', [], DataError, /at least one example, got an empty data set/],
    ['an empty typed array', { x: new Float32Array(0), shape: [2] }, DataError, /empty data set/],
    ['an iterable without batches', () => [], DataError, /at least one batch/],
    ['NaN', bad(Number.NaN), DataError, /finite values, got NaN in row 5, column 1 of x/],
    ['infinity', bad(Number.NEGATIVE_INFINITY), DataError, /-Infinity in row 5, column 1/],
    [
      'NaN in a dataset',
      () => oneBatch(() => tf.tensor2d([[1, Number.NaN]])),
      DataError,
      /x of the batch.*NaN at index 1/,
    ],
    ['labels of another number', { x: rows, context: [1, 2] }, DataError, /each of the 8 examples, got 2/],
    ['NaN labels', { x: rows, y: rows.map(() => Number.NaN) }, DataError, /finite values/],
    ['another width', toyData(4).map((row) => [...row, 1]), ShapeError, /ToyFlow/],
    ['another rank', [1, 2, 3], ShapeError, /ToyFlow/],
    ['a batch of another rank', () => oneBatch(() => tf.tensor1d([1, 2])), ShapeError, /ToyFlow/],
    ['ragged rows', [[1, 2], [3]], ShapeError, /rows of one length \(2 values\), got 1 at index 1/],
    ['rows of mixed depth', [[1, 2], 3] as never, DataError, /rows of numbers, got 3 in row 1/],
    ['words', [['a', 'b']] as never, DataError, /numbers in x, got the text 'a' in row 0, column 0/],
    [
      'a typed array without shape',
      new Float32Array(8),
      ConfigError,
      /Write \{ x: values, shape: \[28, 28, 1\] \}/,
    ],
    [
      'a typed array with a rest',
      { x: new Float32Array(7), shape: [2] },
      DataError,
      /whole examples of 2 values, got 7/,
    ],
    ['a string', 'images' as never, DataError, /got the text 'images'\. Read the file first/],
    ['null', null as never, DataError, /got null/],
    ['an unknown object', { images: rows } as never, DataError, /dataset or an \(async\) iterable/],
    [
      'an unknown batch',
      () => [{ images: 1 }] as never,
      DataError,
      /tensors, nested arrays or \{ x, context \}/,
    ],
  ])('%s', async (_, data, errorClass, message) => {
    const error = await refused(data);
    expect(error).toBeInstanceOf(errorClass);
    expect(error.message).toMatch(message);
  });

  it('an iterator that is used up after one pass', async () => {
    const model = new ToyFlow();
    function* once() {
      yield tf.tensor2d(rows);
    }
    const error = await fit(model, once(), { progress: 'none', epochs: 2 }).catch((reason) => reason);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/none in pass 1\. An iterator can be read once; give a function/);
    model.dispose();
  });

  it('not a batch size beyond the data', async () => {
    const model = new ToyFlow();
    const history = await fit(model, rows, { progress: 'none', batchSize: 512 });
    expect(history.losses).toHaveLength(1);
    model.dispose();
  });
});

describe('options that fit refuses', () => {
  it.each<[string, FitOptions, RegExp]>([
    ['epochs', { epochs: 0 }, /epochs to be an integer >= 1, got 0/],
    ['steps', { steps: 1.5 }, /steps/],
    ['batchSize', { batchSize: Number.NaN }, /batchSize/],
    ['learningRate', { learningRate: -1 }, /learningRate > 0, got -1/],
    ['clipNorm', { clipNorm: 0 }, /clipNorm > 0/],
    ['optimizer', { optimizer: 'adamw' as never }, /one of sgd, momentum.*got adamw/],
    ['average', { average: 1 }, /decay between 0 and 1, got 1/],
    ['progress', { progress: 'dots' as never }, /auto, bar, lines, none, got dots/],
    ['checkpoint', { checkpoint: { location: memoryHandler(), everySteps: 0 } }, /everySteps/],
    ['validationSplit of all', { validationSplit: 0.99 }, /examples on both sides, got 0\.99 of 8/],
    [
      'two kinds of validation',
      { validationSplit: 0.5, validationData: rows },
      /or validationData, got both/,
    ],
    ['a monitor without validation', { earlyStopping: { monitor: 'val_loss' } }, /monitor 'val_loss'/],
    ['mode', { earlyStopping: { mode: 'auto' as never } }, /min, max, got auto/],
    ['schedule', { schedule: { kind: 'cosine', steps: 0 } }, /steps/],
  ])('%s', async (_, options, message) => {
    const error = await refused(rows, options);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });

  it('a validationSplit of a dataset', async () => {
    const error = await refused(() => [tf.tensor2d(rows)], { validationSplit: 0.5 });
    expect(error.message).toMatch(
      /^fit: expected validationData beside a dataset or iterator, got validationSplit\./,
    );
  });

  it('an unknown monitor, at the end of the first epoch', async () => {
    const model = new ToyFlow();
    await expect(
      fit(model, rows, { progress: 'none', earlyStopping: { monitor: 'accuracy' } }),
    ).rejects.toThrow(/monitor 'accuracy' among the logs, got loss, energy/);
    model.dispose();
  });
});

describe('models that fit refuses', () => {
  it('a disposed one', async () => {
    const model = new ToyFlow();
    model.dispose();
    await expect(fit(model, rows)).rejects.toThrow(DisposedError);
  });

  it('one whose kernels the backend lacks', async () => {
    const model = new ToyFlow();
    model.requiredKernelsOfTest = ['Add', 'NoSuchKernel'];
    const error = await fit(model, rows).catch((reason) => reason);
    expect(error).toBeInstanceOf(BackendError);
    expect(error.message).toMatch(/^fit: expected backend 'cpu' to have the kernels NoSuchKernel, got none/);
    model.dispose();
  });

  it('one that is in training already', async () => {
    const model = new ToyFlow();
    const first = fit(model, rows, { progress: 'none' });
    await expect(fit(model, rows)).rejects.toThrow(
      /got TestToyFlow, whose 'mix' is trained by the fit of TestToyFlow/,
    );
    await first;
    await fit(model, rows, { progress: 'none' });
    model.dispose();
  });

  it('an optimizer with the accumulators of another model', async () => {
    const optimizer = tf.train.adam(0.01);
    const [small, large] = [new ToyFlow(2), new ToyFlow(3)];
    await fit(small, rows, { progress: 'none', optimizer });
    await fit(small, rows, { progress: 'none', optimizer });
    await expect(
      fit(
        large,
        toyData(4).map((row) => [...row, 0]),
        { optimizer },
      ),
    ).rejects.toThrow(/an optimizer that is new or has trained this model, got Adam/);
    optimizer.dispose();
    small.dispose();
    large.dispose();
  });
});

describe('an update that spoils the weights', () => {
  it('is undone even at the last step, and never reaches a checkpoint', async () => {
    // tfjs subtracts epsilon under the root of centered RMSProp, so small gradients give NaN weights.
    const optimizer = tf.train.rmsprop(0.01, 0.9, 0, 1e3, true);
    const model = new ToyFlow();
    let saved = 0;
    const checkpoint = { location: { save: async () => ++saved as never } };
    const error = await fit(model, rows, { progress: 'none', optimizer, checkpoint }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/finite weights after the update, got NaN or infinity in mix/);
    expect(Object.values(weightsOf(model)).flat().every(Number.isFinite)).toBe(true);
    expect(saved).toBe(0);
    optimizer.dispose();
    model.dispose();
  });
});

describe('evaluate', () => {
  it('gives the mean over all examples, and the same again', async () => {
    const model = new ToyFlow();
    const tensors = tf.memory().numTensors;
    const a = await evaluate(model, rows, { batchSize: 3 });
    expect(await evaluate(model, rows, { batchSize: 3 })).toEqual(a);
    expect(Object.keys(a).sort()).toEqual(['energy', 'loss']);
    // Noise is drawn in the order of the examples, so the cut into batches does not matter beyond float32 rounding.
    expect((await evaluate(model, rows)).loss).toBeCloseTo(a.loss, 4);
    expect((await evaluate(model, rows, { batchSize: 2, steps: 1 })).loss).toBeCloseTo(
      (await evaluate(model, rows.slice(0, 2))).loss,
      4,
    );
    await expect(evaluate(model, [[1e30, 1e30]])).rejects.toThrow(NonFiniteError);
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });
});
