import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type FitData, type FitOptions, fit, type History } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryHandler, numbers, ToyFlow, ToyMean, toyData, weightsOf } from './toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const quiet = {
  progress: 'none',
  gradients: 'stored',
  seed: 1,
  optimizer: 'sgd',
  learningRate: 0.5,
} as const;

/** A run of the mean of numbers, and what its model saw. */
async function run(data: FitData, options: FitOptions) {
  const model = new ToyMean();
  const history = await fit(model, data, { ...quiet, ...options });
  const result = { history, seen: model.seen, w: model.w };
  model.dispose();
  return result;
}

/** The loss of a weight on numbers. */
const lossOf = (w: number, x: number[]) => x.reduce((sum, v) => sum + 0.5 * (w - v) ** 2, 0) / x.length;

describe('validation', () => {
  it('takes the last part of the examples, which training never sees', async () => {
    const { history, seen } = await run(numbers(10), { epochs: 2, batchSize: 4, validationSplit: 0.3 });
    const held = [7, 8, 9];
    const isHeld = ({ x }: { x: number[] }) => x.some((v) => held.includes(v));
    expect(seen.filter(isHeld).map(({ x }) => x)).toEqual([held, held]);
    for (const [epoch, validation] of seen.filter(isHeld).entries()) {
      expect(history.epochs[epoch].val_loss).toBeCloseTo(lossOf(validation.w, held), 5);
      expect(history.epochs[epoch].val_largest).toBe(9);
    }
    const trained = seen.filter((entry) => !isHeld(entry)).flatMap(({ x }) => x);
    expect(trained.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
  });

  it('sees the averaged weights, and so do callbacks and early stopping', async () => {
    const inCallback: number[] = [];
    const model = new ToyMean();
    const raw: number[] = [];
    const history = await fit(model, [[8]], {
      ...quiet,
      epochs: 3,
      average: 0.5,
      validationData: [[100]],
      earlyStopping: { patience: 9 },
      callbacks: {
        onBatchEnd: () => void raw.push(model.w),
        onEpochEnd: () => void inCallback.push(model.w),
      },
    });
    // w goes half of the way to 8 in each step; the average with decay 1/2 without its bias, by hand.
    expect(raw).toEqual([4, 6, 7]);
    const averaged = [4, (6 + 0.5 * 4) / 1.5, (7 + 0.5 * 6 + 0.25 * 4) / 1.75];
    for (const [epoch, w] of averaged.entries()) {
      expect(inCallback[epoch]).toBeCloseTo(w, 5);
      expect(history.epochs[epoch].val_loss / lossOf(w, [100])).toBeCloseTo(1, 5);
    }
    // The best epoch is the last, with its averaged weights.
    expect(model.w).toBeCloseTo(averaged[2], 5);
    model.dispose();
  });

  it('takes the first validationSteps batches of a pass each time, every validationFrequency epochs', async () => {
    const options = { batchSize: 2, validationData: numbers(6, 100), validationSteps: 2 };
    const { history, seen } = await run(numbers(2), { ...options, epochs: 5, validationFrequency: 2 });
    const held = seen.filter(({ x }) => x[0] >= 100);
    expect(held.map(({ x }) => x)).toEqual([
      [100, 101],
      [102, 103],
      [100, 101],
      [102, 103],
    ]);
    expect(history.epochs.map((logs) => 'val_loss' in logs)).toEqual([false, true, false, true, false]);
    expect(history.epochs[1].val_loss / lossOf(held[0].w, [100, 101, 102, 103])).toBeCloseTo(1, 5);
  });

  it('weighs examples equally, the last batch included', async () => {
    const { history, seen } = await run(numbers(1), { batchSize: 4, validationData: numbers(5, 10) });
    expect(history.epochs[0].val_loss).toBeCloseTo(lossOf(seen[1].w, [10, 11, 12, 13, 14]), 4);
  });

  it('opens a new pass for each validation, and closes what it does not read to the end', async () => {
    const passes: number[] = [];
    let closed = 0;
    function* validationData(pass: number) {
      passes.push(pass);
      try {
        for (let i = 0; ; i++) yield tf.tensor2d([[100 + 10 * pass + i]]);
      } finally {
        closed++;
      }
    }
    const tensors = tf.memory().numTensors;
    const { seen } = await run(numbers(2), { epochs: 3, validationData, validationSteps: 2 });
    expect(passes).toEqual([0, 1, 2]);
    expect(closed).toBe(3);
    expect(seen.flatMap(({ x }) => x).filter((v) => v >= 100)).toEqual([100, 101, 110, 111, 120, 121]);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it.each([1, 2, 3])('of %i steps is the same in a resumed run', async (validationSteps) => {
    for (const kind of ['examples', 'function of the pass']) {
      const held = toyData(24, 7);
      const validationData: FitData =
        kind === 'examples'
          ? held
          : (pass) => [0, 8, 16].map((at) => held.slice(at, at + 8).map(([a, b]) => [a + pass, b]));
      const options: FitOptions = {
        progress: 'none',
        seed: 4,
        batchSize: 8,
        epochs: 4,
        validationData,
        validationSteps,
      };
      const whole = new ToyFlow();
      const expected = await fit(whole, toyData(16), options);
      for (const steps of [1, 2, 3, 5]) {
        const location = memoryHandler();
        const model = new ToyFlow();
        await fit(model, toyData(16), { ...options, steps, checkpoint: { location } });
        const resumed = await fit(model, toyData(16), { ...options, resume: location });
        expect(resumed).toEqual(expected);
        expect(resumed.epochs.every((logs) => Number.isFinite(logs.val_loss))).toBe(true);
        model.dispose();
      }
      whole.dispose();
    }
  });
});

describe('options that only watch', () => {
  it('do not change the run', async () => {
    const train = async (options: FitOptions): Promise<[number[], Record<string, number[]>]> => {
      const model = new ToyFlow();
      const history: History = await fit(model, toyData(24), {
        progress: 'none',
        seed: 3,
        epochs: 3,
        batchSize: 8,
        ...options,
      });
      const weights = weightsOf(model);
      model.dispose();
      return [history.losses, weights];
    };
    const expected = await train({});
    const validationData = toyData(16, 5);
    const watching: FitOptions[] = [
      { validationData },
      { validationData, validationFrequency: 2 },
      { validationData, validationSteps: 1 },
      { validationData: () => [validationData] },
      { progress: 'lines' },
      { onProgress: () => {} },
      { callbacks: { onEpochEnd: () => {} } },
      { earlyStopping: { patience: 9, restoreBest: false } },
      { checkpoint: { location: memoryHandler(), everySteps: 2 } },
      { yieldEvery: 'step' },
    ];
    for (const options of watching) expect(await train(options), JSON.stringify(options)).toEqual(expected);
  });
});
