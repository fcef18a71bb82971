import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, evaluate, type FitOptions, fit, type Logs, type Loss, type Progress } from 'tfjs-flows';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler, numbers, ToyMean } from './toys';

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

async function run(count: number, options: FitOptions) {
  const model = new ToyMean();
  const history = await fit(model, numbers(count), { ...quiet, ...options });
  model.dispose();
  return { history, seen: model.seen, w: model.seen.map(({ w }) => w) };
}

describe('the order of examples', () => {
  it('is another one in every epoch, each with all examples once', async () => {
    const { seen } = await run(12, { epochs: 3, batchSize: 4 });
    const epochs = [0, 3, 6].map((at) => seen.slice(at, at + 3).flatMap(({ x }) => x));
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual(numbers(12).flat());
    expect(new Set([numbers(12).flat(), ...epochs].map(String)).size).toBe(4);
  });

  it('is that of the data without shuffling', async () => {
    const { seen } = await run(5, { epochs: 2, batchSize: 2, shuffle: false });
    expect(seen.map(({ x }) => x)).toEqual([[0, 1], [2, 3], [4], [0, 1], [2, 3], [4]]);
  });

  it('is the same for the same seed', async () => {
    const order = async (seed: number) => (await run(12, { seed })).seen[0].x;
    expect(await order(7)).toEqual(await order(7));
    expect(await order(7)).not.toEqual(await order(8));
  });
});

describe('the rate of a schedule', () => {
  it('is what a step goes by, and what logs say', async () => {
    const rates = [0.5, 0.25, 0, 1];
    const logged: number[] = [];
    const { history, w } = await run(1, {
      epochs: 5,
      schedule: (step) => rates[step] ?? 0.5,
      callbacks: { onBatchEnd: (_, { learningRate }) => void logged.push(learningRate) },
      validationData: [[8]],
    });
    expect(logged).toEqual([...rates, 0.5]);
    expect(history.epochs.map(({ learningRate }) => learningRate)).toEqual([...rates, 0.5]);
    expect(w[0]).toBe(0);
  });

  it('moves the weight by rate times gradient', async () => {
    const model = new ToyMean(1);
    const after: number[] = [];
    const options: FitOptions = {
      ...quiet,
      epochs: 4,
      schedule: { kind: 'step', every: 2, factor: 0.5 },
      callbacks: { onBatchEnd: () => void after.push(model.w) },
    };
    // w - rate (w - 0) with the rates 1/2, 1/2, 1/4, 1/4.
    await fit(model, [[0]], options);
    expect(after).toEqual([0.5, 0.25, 0.1875, 0.140625]);
    model.dispose();
  });

  it.each<[string, unknown, RegExp]>([
    ['NaN', Number.NaN, /^schedule: expected a learning rate >= 0 from the function, got NaN at step 2\.$/],
    ['negative', -0.1, /got -0\.1 at step 2/],
    ['infinite', Number.POSITIVE_INFINITY, /got Infinity at step 2/],
    ['a text', '0.1', /got the text '0\.1' at step 2/],
    ['missing', undefined, /got a missing value \(undefined\) at step 2/],
    ['a promise', Promise.resolve(0.1), /got a Promise at step 2/],
  ])('that is %s ends training before it is applied', async (_, rate, message) => {
    const model = new ToyMean(1);
    const schedule = (step: number) => (step < 2 ? 0.5 : rate) as number;
    const error = await fit(model, [[0]], { ...quiet, epochs: 4, schedule }).catch((reason) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
    expect(model.w).toBe(0.25);
    expect(model.seen).toHaveLength(2);
    model.dispose();
  });

  it('leaves a given optimizer with its own', async () => {
    const optimizer = tf.train.sgd(0.5);
    const model = new ToyMean(1);
    const rate = () => (optimizer as unknown as { learningRate: number }).learningRate;
    const during: number[] = [];
    const callbacks = { onBatchEnd: () => void during.push(rate()) };
    await fit(model, [[0]], {
      progress: 'none',
      optimizer,
      epochs: 2,
      schedule: (s) => 0.1 * (s + 1),
      callbacks,
    });
    expect(during).toEqual([0.1, 0.2]);
    expect(rate()).toBe(0.5);
    expect((await fit(model, [[0]], { progress: 'none', optimizer })).epochs[0].learningRate).toBe(0.5);
    optimizer.dispose();
    model.dispose();
  });
});

describe('logs', () => {
  it('of a batch hold its loss from before the update, its size and its place; those of an epoch weigh by examples', async () => {
    const batches: Logs[] = [];
    const model = new ToyMean(1);
    const options: FitOptions = {
      ...quiet,
      batchSize: 2,
      shuffle: false,
      callbacks: { onBatchEnd: (batch, logs) => void batches.push({ ...logs, given: batch }) },
    };
    const history = await fit(model, [[0], [2], [4]], options);
    // [0, 2] at w = 1: loss 1/2, gradient 0; [4] at w = 1: loss 9/2, gradient -3.
    const shared = { learningRate: 0.5 };
    expect(batches).toEqual([
      { ...shared, batch: 0, given: 0, size: 2, loss: 0.5, largest: 2, gradientNorm: 0 },
      { ...shared, batch: 1, given: 1, size: 1, loss: 4.5, largest: 4, gradientNorm: 3 },
    ]);
    expect(history.losses).toEqual([0.5, 4.5]);
    const [epoch] = history.epochs;
    expect(epoch).toMatchObject({ epoch: 0, step: 2, learningRate: 0.5 });
    expect(epoch.loss).toBeCloseTo((2 * 0.5 + 4.5) / 3, 12);
    expect(epoch.largest).toBeCloseTo((2 * 2 + 4) / 3, 12);
    expect(epoch.gradientNorm).toBeCloseTo(1, 12);
    model.dispose();
  });

  it('say the unit of the model in its own words', async () => {
    const reports: Progress[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { history } = await run(2, {
      progress: 'lines',
      onProgress: (report) => void reports.push(report),
    });
    const written = write.mock.calls.join('');
    write.mockRestore();
    expect(history.lossUnit).toBe('squares');
    expect(reports.at(-1)?.lossUnit).toBe('squares');
    expect(written).toMatch(/0\.250 squares/);
  });

  it.each(['loss', 'gradientNorm', 'learningRate', 'batch', 'size', 'epoch', 'step', 'val_loss', 'val_mine'])(
    "a metric named '%s' would stand in their place",
    async (name) => {
      class Named extends ToyMean {
        override loss(batch: Parameters<ToyMean['loss']>[0]): Loss {
          return { ...super.loss(batch), metrics: { [name]: tf.scalar(0) } };
        }
      }
      const model = new Named(5);
      await leavesNoTensors(async () => {
        for (const call of [fit(model, [[0]], quiet), evaluate(model, [[0]])]) {
          const error = await call.catch((reason) => reason);
          expect(error).toBeInstanceOf(ConfigError);
          expect(error.message).toMatch(new RegExp(`metrics with names other than .*got '${name}'`));
        }
      });
      expect(model.w).toBe(5);
      model.dispose();
    },
  );
});

describe('the length of a run', () => {
  it('goes by what comes first of steps and epochs', async () => {
    const steps = async (options: FitOptions) =>
      (await run(6, { batchSize: 2, ...options })).history.losses.length;
    expect(await steps({})).toBe(3);
    expect(await steps({ epochs: 2 })).toBe(6);
    expect(await steps({ steps: 7 })).toBe(7);
    expect(await steps({ steps: 4, epochs: 2 })).toBe(4);
    expect(await steps({ steps: 9, epochs: 2 })).toBe(6);
    expect(await steps({ epochs: 3, stepsPerEpoch: 5 })).toBe(15);
    expect(await steps({ epochs: 3, stepsPerEpoch: 5, steps: 11 })).toBe(11);
  });

  it('checkpoints come every so many steps, and at the end', async () => {
    const saved: number[] = [];
    let step = 0;
    const keeper = memoryHandler();
    const location = {
      save: async (artifacts: tf.io.ModelArtifacts) => {
        saved.push(step);
        return (await keeper.save?.(artifacts)) as tf.io.SaveResult;
      },
    };
    const callbacks = { onBatchEnd: () => void step++ };
    await run(6, { batchSize: 2, steps: 8, checkpoint: { location, everySteps: 3 }, callbacks });
    expect(saved).toEqual([3, 6, 8]);
    saved.length = step = 0;
    await run(6, { batchSize: 2, steps: 8, checkpoint: { location }, callbacks });
    expect(saved).toEqual([8]);
  });

  it('a resumed run has the logs of epochs beyond the arguments of a call', async () => {
    const location = memoryHandler();
    await run(2, { epochs: 1, checkpoint: { location } });
    const artifacts = location.artifacts as tf.io.ModelArtifacts;
    const { position } = (artifacts.modelTopology as { content: { position: { epochs: object[] } } }).content;
    position.epochs = new Array(200_000).fill(position.epochs[0]);
    const resume = { load: async () => artifacts };
    const { history } = await run(2, { epochs: 2, resume });
    expect(history.epochs.length).toBe(200_001);
  });
});

describe('yieldEvery', () => {
  it('says after which steps and epochs the event loop runs', async () => {
    const turnsOf = async (yieldEvery: FitOptions['yieldEvery']) => {
      const yields: string[] = [];
      let turned = false;
      const turns: number[] = [];
      let steps = 0;
      setImmediate(function turn() {
        if (!turned) setImmediate(turn);
        turns.push(steps);
      });
      await run(4, {
        batchSize: 2,
        epochs: 2,
        yieldEvery,
        callbacks: {
          onYield: (epoch, batch) => void yields.push(`${epoch}.${batch}`),
          onBatchEnd: () => void steps++,
        },
      });
      turned = true;
      return { yields, turns: new Set(turns.filter((step) => step > 0)) };
    };
    expect(await turnsOf('step')).toEqual({
      yields: ['0.0', '0.1', '1.0', '1.1'],
      turns: new Set([1, 2, 3, 4]),
    });
    expect(await turnsOf('epoch')).toEqual({ yields: [], turns: new Set([2, 4]) });
    expect(await turnsOf('never')).toEqual({ yields: [], turns: new Set() });
    expect((await turnsOf(0)).yields).toEqual(['0.0', '0.1', '1.0', '1.1']);
    expect((await turnsOf(1e9)).yields).toEqual([]);
  });
});
