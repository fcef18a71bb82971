import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, callbacks as layersCallbacks } from '@tensorflow/tfjs-layers';
import { ConfigError, evaluate, type FitOptions, fit, realNvp } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryHandler, numbers, ToyMean } from './toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A fit that must be refused before its first step. */
async function refusal(options: unknown, ...more: unknown[]): Promise<Error> {
  const model = new ToyMean();
  const tensors = tf.memory().numTensors;
  const given = [model, numbers(8), options, ...more] as never as Parameters<typeof fit>;
  const error = await fit(...given).then(
    () => expect.fail('fit accepted it'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect(model.seen).toHaveLength(0);
  expect(tf.memory().numTensors).toBe(tensors);
  model.dispose();
  return error;
}

describe('unknown options', () => {
  it.each<[object, RegExp]>([
    [{ epoch: 5 }, /got 'epoch'\. Did you mean 'epochs'\?/],
    [{ batch_size: 64 }, /Did you mean 'batchSize'\?/],
    [{ lr: 1e-3 }, /Did you mean 'learningRate'\?/],
    [{ verbose: 0 }, /Did you mean 'progress'\?/],
    [{ earlyStopping: { min_delta: 1 } }, /^fit \(earlyStopping\):.*Did you mean 'minDelta'\?/],
    [{ earlyStopping: { restoreBestWeights: true } }, /Did you mean 'restoreBest'\?/],
    [
      { checkpoint: { location: memoryHandler(), every: 5 } },
      /^fit \(checkpoint\):.*Did you mean 'everySteps'\?/,
    ],
    [
      { schedule: { kind: 'cosine', steps: 5, warmup: 2 } },
      /^schedule 'cosine':.*Did you mean 'warmupSteps'/,
    ],
    [
      { schedule: { kind: 'constant', steps: 5 } },
      /^schedule 'constant': expected options among kind, warmup/,
    ],
    [{ schedule: { kind: 'step', every: 5, gamma: 0.5 } }, /Did you mean 'factor'\?/],
    [{ schedule: { kind: 'noam', steps: 2 } }, /^schedule 'noam'/],
    [
      { callbacks: { onEpochsEnd: () => {} } },
      /^fit \(callbacks\):.*'onEpochsEnd'.*Did you mean 'onEpochEnd'\?/,
    ],
    [{ callbacks: [{}, { epochEnd: () => {} }] }, /'epochEnd'.*Did you mean 'onEpochEnd'\?/],
  ])('%j is refused', async (options, message) => {
    expect((await refusal(options)).message).toMatch(message);
  });

  it('a hook of a class that nothing calls is refused; its other methods and those of tfjs-layers are not', async () => {
    class Mine {
      log: number[] = [];
      onEpochsEnd() {}
      keep(value: number) {
        this.log.push(value);
      }
    }
    expect((await refusal({ callbacks: new Mine() })).message).toMatch(/'onEpochsEnd'/);
    const model = new ToyMean();
    const counting = {
      count: 0,
      add() {
        this.count++;
      },
      onBatchEnd() {
        this.add();
      },
    };
    const all = [counting, new CustomCallback({}), layersCallbacks.earlyStopping({ monitor: 'loss' })];
    await fit(model, numbers(8), { progress: 'none', callbacks: all as never[] });
    expect(counting.count).toBe(1);
    model.dispose();
  });

  it('of evaluate are refused', async () => {
    const model = new ToyMean();
    const refused = (options: object) => expect(evaluate(model, numbers(4), options)).rejects;
    await refused({ batch_size: 2 }).toThrow(/^evaluate: .*Did you mean 'batchSize'\?/);
    await refused({ batchSize: 0 }).toThrow(/^evaluate: expected batchSize to be an integer >= 1, got 0/);
    await refused({ steps: -1 }).toThrow(/^evaluate: expected steps/);
    await refused({ seed: Number.NaN }).toThrow(/^evaluate: expected a seed/);
    await refused([1, 2]).toThrow(
      /^evaluate: expected an object of options, got an array of 2\. Labels go in/,
    );
    model.dispose();
  });
});

describe('labels as an argument', () => {
  it('are not options', async () => {
    const y = tf.zeros([8, 1]);
    const message = /^fit: expected an object of options, got a tensor\. Labels go in as \{ x, y \}\.$/;
    expect((await refusal(y, { epochs: 5 })).message).toMatch(message);
    expect((await refusal(new Float32Array(8))).message).toMatch(/got a Float32Array\. Labels go in/);
    expect((await refusal([[1], [2]])).message).toMatch(/got an array of 2\. Labels go in/);
    expect((await refusal({}, { epochs: 5 })).message).toMatch(/one argument more\. Labels go in/);
    expect((await refusal(undefined, { epochs: 5 })).message).toMatch(/one argument more/);
    expect((await refusal(null)).message).toMatch(/an object of options, got null/);
    y.dispose();
  });

  it('nor are they for a flow', async () => {
    const flow = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [4], seed: 1 });
    const train = flow.fit.bind(flow) as (...given: unknown[]) => Promise<unknown>;
    await expect(train([[1, 2]], [[0]], { epochs: 5 })).rejects.toThrow(/Labels go in as \{ x, y \}/);
    await expect(train([[1, 2]], undefined, { epochs: 5 })).rejects.toThrow(/Labels go in as \{ x, y \}/);
    flow.dispose();
  });
});

describe('values out of range', () => {
  it.each<[FitOptions | object, RegExp]>([
    [{ validationSplit: -0.5 }, /a validationSplit between 0 and 1, got -0\.5/],
    [{ validationSplit: Number.NaN }, /between 0 and 1, got NaN/],
    [{ validationSplit: 1 }, /between 0 and 1, got 1\./],
    [{ validationSplit: 0 }, /between 0 and 1, got 0\./],
    [{ epochs: '5' }, /epochs to be an integer >= 1, got 5/],
    [{ learningRate: '0.1' }, /learningRate > 0, got the text '0\.1'/],
    [{ earlyStopping: { patience: -1 } }, /patience to be an integer >= 0, got -1/],
    [{ earlyStopping: { minDelta: -0.1 } }, /minDelta >= 0, got -0\.1/],
    [{ earlyStopping: { minDelta: Number.NaN } }, /minDelta >= 0, got NaN/],
    [{ earlyStopping: { restoreBest: 1 } }, /restoreBest to be true or false, got 1/],
    [{ earlyStopping: { monitor: 3 } }, /monitor to be a name, got 3/],
    [
      { yieldEvery: 'second' },
      /yieldEvery to be one of auto, step, epoch, never, or milliseconds, got second/,
    ],
    [{ yieldEvery: -1 }, /got -1/],
    [{ progress: true }, /progress to be one of/],
    [{ shuffle: 'batch' }, /shuffle to be true or false, got the text 'batch'/],
    [{ seed: Number.NaN }, /a seed that is a number or a text, got NaN/],
    [{ seed: null }, /a seed that is a number or a text, got a missing value/],
    [{ optimizer: {} }, /a tf\.train optimizer or the name of one/],
    [{ average: true }, /a decay or AveragedWeights as average, got true/],
    [{ signal: new AbortController() }, /Write controller\.signal/],
    [{ onProgress: 1 }, /onProgress to be a function, got 1/],
    [{ callbacks: () => {} }, /callbacks that are objects, got a function/],
    [{ callbacks: { onEpochEnd: 1 } }, /callbacks\.onEpochEnd to be a function, got 1/],
    [{ checkpoint: {} }, /^fit \(checkpoint\): expected a URL such as/],
    [{ schedule: 'cosine' }, /a kind, or a function, got the text 'cosine'\. Write \{ kind: 'cosine'/],
  ])('%j is refused', async (options, message) => {
    expect((await refusal(options)).message).toMatch(message);
  });
});
