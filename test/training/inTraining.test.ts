import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, Flow, fit, realNvp } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { numbers, ToyFlow, ToyMean, toyData, weightsOf } from './toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const rows = toyData(8);
const quiet = { progress: 'none', seed: 1 } as const;

describe('what two runs would share', () => {
  it('a bijector of two flows: the second is refused and changes nothing, later it may', async () => {
    const flow = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [4], seed: 1 });
    const other = new Flow({ bijector: flow.bijector, name: 'other' });
    const alone = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [4], seed: 1 });
    const options = { ...quiet, steps: 3, batchSize: 4 };
    await leavesNoTensors(async () => {
      const first = flow.fit(rows, options);
      const second = other.fit(rows, options).catch((reason) => reason);
      const error = await second;
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(
        /^fit: expected a model that is not in training, got Flow, whose '.*' is trained by the fit of VectorFlow\. Await/,
      );
      await first;
    });
    await alone.fit(rows, options);
    const values = (model: Flow) => model.weights.map(({ variable }) => [...variable.dataSync()]);
    expect(values(flow)).toEqual(values(alone));
    expect((await other.fit(rows, options)).stopped).toBe('finished');
    flow.dispose();
    alone.dispose();
  });

  it('an optimizer given to both: refused while the first runs, put back and free after it', async () => {
    const optimizer = tf.train.adam(0.01);
    const [one, other] = [new ToyFlow(), new ToyFlow()];
    const before = weightsOf(other);
    const first = fit(one, rows, { ...quiet, optimizer });
    await expect(fit(other, rows, { ...quiet, optimizer })).rejects.toThrow(
      /^fit: expected an optimizer of its own, got one that the fit of TestToyFlow uses\. Await the first\.$/,
    );
    expect(weightsOf(other)).toEqual(before);
    await first;
    await fit(one, rows, { ...quiet, optimizer });
    optimizer.dispose();
    one.dispose();
    other.dispose();
  });

  it('is free again on every way out', async () => {
    const model = new ToyMean();
    const optimizer = tf.train.sgd(0.1);
    const train = (data: unknown, options = {}) =>
      fit(model, data as never, { ...quiet, optimizer, ...options }).catch((reason) => reason.message);
    const boom = () => Promise.reject(new Error('mine'));
    expect(await train([])).toMatch(/empty data set/);
    expect(await train([[1, 2]])).toMatch(/ToyMean/);
    expect(await train(numbers(4), { callbacks: { onBatchEnd: boom } })).toBe('mine');
    expect(await train(numbers(4), { resume: { load: boom } })).toBe('mine');
    const closing = {
      next: () => ({ value: tf.tensor2d([[1]]), done: false }),
      return: () => {
        throw new Error('closing');
      },
      [Symbol.iterator]: () => closing,
    };
    expect(await train(closing, { steps: 1 })).toBe('closing');
    const { stopped } = await fit(model, numbers(4), { ...quiet, optimizer, signal: AbortSignal.abort() });
    expect(stopped).toBe('aborted');
    expect((await fit(model, numbers(4), { ...quiet, optimizer })).stopped).toBe('finished');
    optimizer.dispose();
    model.dispose();
  });
});
