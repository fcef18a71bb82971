import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, type EarlyStoppingOptions, type FitOptions, fit, type Loss } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler, ToyMean } from './toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A model whose validation loss and metric are what the test says, epoch by epoch; w grows by 1 in each. */
class Scripted extends ToyMean {
  private epoch = 0;

  constructor(private readonly script: readonly number[]) {
    super();
  }

  override loss(batch: Batch): Loss {
    const center = this.weights[0].variable;
    if (batch.x.dataSync()[0] === 0) return { loss: tf.neg(center) as tf.Scalar, metrics: {} };
    const value = this.script[this.epoch++];
    if (value === undefined) throw new Error('end of the script');
    return { loss: tf.scalar(value), metrics: { score: tf.scalar(value) } };
  }
}

/** Trains by the script; the model's weight says at the end of which epoch it stands. */
async function run(script: number[], earlyStopping: EarlyStoppingOptions, options: FitOptions = {}) {
  const model = new Scripted(script);
  const all: FitOptions = {
    progress: 'none',
    gradients: 'stored',
    optimizer: 'sgd',
    learningRate: 1,
    epochs: script.length,
    validationData: [[1]],
    earlyStopping,
    ...options,
  };
  const outcome = await fit(model, [[0]], all).catch((error) => error as Error);
  const epochs = outcome instanceof Error ? Number.NaN : outcome.epochs.length;
  const result = { outcome, epochs, w: model.w };
  model.dispose();
  return result;
}

describe('early stopping', () => {
  it.each<[string, number[], EarlyStoppingOptions, number, number]>([
    ['at the first epoch that is no better', [3, 2, 2, 1], {}, 3, 2],
    ['after as many as patience says, in a row', [3, 4, 2, 4, 5, 1], { patience: 2 }, 5, 3],
    ['not where patience is just enough', [3, 4, 2, 4, 1, 0.5], { patience: 2 }, 6, 6],
    [
      'where less than minDelta is gained on the best',
      [3, 2.75, 2.6, 2.3],
      { patience: 2, minDelta: 0.5 },
      3,
      1,
    ],
    [
      'not where the best is beaten by more than minDelta',
      [3, 2.75, 2.4, 1.8],
      { patience: 2, minDelta: 0.5 },
      4,
      4,
    ],
    ['a gain of exactly minDelta is none', [3, 2.5, 2], { minDelta: 0.5 }, 2, 1],
    ['with the most in mode max', [1, 2, 3, 1], { mode: 'max', monitor: 'val_score' }, 4, 3],
    ['minDelta in mode max', [1, 1.25, 2], { mode: 'max', minDelta: 0.5 }, 2, 1],
    ['the last weights where the best are not asked for', [3, 2, 4], { restoreBest: false }, 3, 3],
    ['by a log that is not the loss of validation', [1, 2, 3], { monitor: 'loss' }, 3, 3],
  ])('stops %s', async (_, script, options, epochs, w) => {
    const result = await run(script, options);
    expect(result.epochs).toBe(epochs);
    expect(result.w).toBe(w);
  });

  it('does not count epochs without a validation', async () => {
    const { epochs, w } = await run([3, 4, 5, 5, 5, 5], { patience: 1 }, { validationFrequency: 2 });
    expect([epochs, w]).toEqual([4, 2]);
  });

  it('does not say that it stopped where the epochs ended', async () => {
    expect((await run([3, 2, 1], {})).outcome).toMatchObject({ stopped: 'finished' });
    expect((await run([3, 2, 4, 1], {})).outcome).toMatchObject({ stopped: 'earlyStopping' });
  });
});

describe('the best epoch', () => {
  const patient = { patience: 9 };

  it('comes back where validation throws', async () => {
    const { outcome, w } = await run([3, 1, 2], patient, { epochs: 4 });
    expect(outcome).toMatchObject({ message: 'end of the script' });
    expect(w).toBe(2);
  });

  it('comes back where validation is not finite', async () => {
    const { outcome, w } = await run([3, 1, 2, Number.NaN], patient);
    expect(outcome).toMatchObject({ name: 'NonFiniteError' });
    expect(w).toBe(2);
  });

  it.each<[string, FitOptions]>([
    ['the end of a batch', { callbacks: { onBatchBegin: throwingAt(3) } }],
    ['the end of an epoch', { callbacks: { onEpochEnd: throwingAt(3) } }],
    ['the end of training', { callbacks: { onTrainEnd: throwingAt(1) } }],
    ['progress', { onProgress: throwingAt(5) }],
    ['a checkpoint', { checkpoint: { location: { save: throwingAt(1) as never } } }],
  ])('comes back where %s throws', async (_, options) => {
    await leavesNoTensors(async () => {
      const { outcome, w } = await run([3, 1, 2, 2.5], patient, options);
      expect(outcome).toMatchObject({ message: 'mine' });
      expect(w).toBe(2);
    });
  });

  it('is this one where its own callback throws', async () => {
    const { outcome, w } = await run([3, 2, 1, 2], patient, { callbacks: { onEpochEnd: throwingAt(3) } });
    expect(outcome).toMatchObject({ message: 'mine' });
    expect(w).toBe(3);
  });

  it('comes back after an abort', async () => {
    const controller = new AbortController();
    let steps = 0;
    const { outcome, w } = await run([3, 1, 2, 2.5], patient, {
      signal: controller.signal,
      callbacks: { onBatchEnd: () => void (++steps === 3 && controller.abort()) },
    });
    expect(outcome).toMatchObject({ stopped: 'aborted' });
    expect(w).toBe(2);
  });

  it('outlives a resume, with what was waited', async () => {
    const location = memoryHandler();
    const script = [3, 1, 2, 2, 2, 2];
    const whole = await run(script, { patience: 3 });
    await run(script.slice(0, 4), { patience: 3 }, { checkpoint: { location }, steps: 4 });
    // The end of the fourth epoch is not in a checkpoint that was written before it.
    const resumed = await run([2, 2, 2], { patience: 3 }, { epochs: 6, resume: location });
    expect(resumed.outcome).toEqual(whole.outcome);
    expect([resumed.w, whole.w]).toEqual([2, 2]);
    expect(whole.epochs).toBe(5);
  });
});

function throwingAt(call: number): () => never {
  let calls = 0;
  return () => {
    if (++calls === call) throw new Error('mine');
    return undefined as never;
  };
}
