import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  AveragedWeights,
  type FitData,
  fit,
  NonFiniteError,
  type Progress,
  withAveragedWeights,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { ToyFlow, toyData, weightsOf } from './toys';

const quiet = { progress: 'none', seed: 5 } as const;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function trained(data: FitData, options: Parameters<typeof fit>[2]) {
  const model = new ToyFlow();
  const history = await fit(model, data, { ...quiet, ...options });
  const weights = weightsOf(model);
  model.dispose();
  return { history, weights };
}

describe('fit', () => {
  it('initializes from the first batch, learns, and logs every step and epoch', async () => {
    const { history } = await trained(toyData(60), { epochs: 5, batchSize: 16, learningRate: 0.01 });
    expect(history.stopped).toBe('finished');
    expect(history.losses).toHaveLength(20);
    expect(history.epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [0, 4],
      [1, 8],
      [2, 12],
      [3, 16],
      [4, 20],
    ]);
    expect(history.epochs[4].loss).toBeLessThan(history.epochs[0].loss);
    expect(Object.keys(history.epochs[0]).sort()).toEqual(
      ['energy', 'epoch', 'gradientNorm', 'learningRate', 'loss', 'step'].sort(),
    );
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
  });

  it('weighs examples equally in the means of an epoch, the short last batch included', async () => {
    const { history } = await trained(toyData(10), { batchSize: 8, learningRate: 1e-12 });
    const [full, rest] = history.losses;
    expect(history.epochs[0].loss).toBeCloseTo((8 * full + 2 * rest) / 10, 12);
  });

  it('takes the same steps on the same examples, however they are given', async () => {
    const rows = toyData(24);
    const options = { epochs: 2, batchSize: 8, shuffle: false };
    const expected = await trained(rows, options);
    const flat = Float32Array.from(rows.flat());
    const batches = [0, 8, 16].map((start) => rows.slice(start, start + 8));
    const tensor = tf.tensor2d(rows);
    const kept = batches.map((batch) => tf.tensor2d(batch));
    async function* read() {
      for (const batch of batches) yield { x: tf.tensor2d(batch) };
    }
    const dataset = {
      async iterator() {
        const entries = batches.values();
        return {
          async next() {
            const { value, done } = entries.next();
            return { value: done ? null : { xs: tf.tensor2d(value as number[][]) }, done: done === true };
          },
        };
      },
    };
    const sources: Record<string, FitData> = {
      tensor,
      'typed array': { x: flat, shape: [2] },
      'float64 array': { x: Float64Array.from(rows.flat()), shape: [2] },
      'x tensor': { x: tensor },
      'array of batches': kept,
      'function of the pass': read,
      dataset,
    };
    for (const [kind, data] of Object.entries(sources)) {
      const { history, weights } = await trained(data, options);
      expect(history.losses, kind).toEqual(expected.history.losses);
      expect(weights, kind).toEqual(expected.weights);
    }
    expect(kept.every((batch) => !batch.isDisposed)).toBe(true);
    tf.dispose([tensor, kept]);
  });

  it('trains on a real tf.data dataset', async () => {
    const data = await import('@tensorflow/tfjs-data');
    const rows = toyData(24);
    const dataset = data.array(rows).batch(8);
    const { history } = await trained(dataset as never, { epochs: 2 });
    expect(history.losses).toHaveLength(6);
  });

  it('passes labels on, and accepts them as y', async () => {
    const rows = toyData(12);
    const labels = rows.map((_, i) => i % 3);
    const a = await trained({ x: rows, context: labels }, { epochs: 2 });
    const b = await trained({ x: rows, y: Int32Array.from(labels) }, { epochs: 2 });
    expect(b.weights).toEqual(a.weights);
    expect(a.weights).not.toEqual((await trained(rows, { epochs: 2 })).weights);
  });

  it('counts epochs in steps where asked, over the ends of passes', async () => {
    const { history } = await trained(toyData(24), { epochs: 3, batchSize: 8, stepsPerEpoch: 2 });
    expect(history.epochs.map(({ step }) => step)).toEqual([2, 4, 6]);
    const limited = await trained(toyData(24), { steps: 7, batchSize: 8 });
    expect(limited.history.epochs.map(({ step }) => step)).toEqual([3, 6, 7]);
  });

  it('gives the same run for the same seed, and another for another', async () => {
    const options = { epochs: 2, batchSize: 8 };
    const a = await trained(toyData(20), options);
    expect(await trained(toyData(20), options)).toEqual(a);
    expect((await trained(toyData(20), { ...options, seed: 6 })).history.losses).not.toEqual(
      a.history.losses,
    );
  });

  it('validates on the last part of the examples or on other data, with the same noise each time', async () => {
    const rows = toyData(40);
    const split = await trained(rows, { epochs: 3, validationSplit: 0.25, validationFrequency: 2 });
    expect(split.history.epochs.map((logs) => 'val_loss' in logs)).toEqual([false, true, false]);
    const options = { epochs: 3, learningRate: 1e-12 };
    const given = await trained(rows.slice(0, 30), { ...options, validationData: rows.slice(30) });
    const [first, , last] = given.history.epochs;
    expect(last.val_loss).toBeCloseTo(first.val_loss, 9);
    expect(first).toHaveProperty('val_energy');
  });

  it('stops early and restores the weights of the best epoch', async () => {
    // The rate explodes after epoch 2, so the best epoch is one of the first.
    const model = new ToyFlow();
    const seen: Record<string, number[]>[] = [];
    const history = await fit(model, toyData(32), {
      ...quiet,
      epochs: 20,
      schedule: (step) => (step < 6 ? 0.01 : 1),
      batchSize: 16,
      earlyStopping: { patience: 2 },
      callbacks: { onEpochEnd: () => void seen.push(weightsOf(model)) },
    });
    const losses = history.epochs.map(({ loss }) => loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(history.stopped).toBe('earlyStopping');
    expect(history.epochs).toHaveLength(best + 3);
    expect(weightsOf(model)).toEqual(seen[best]);
    model.dispose();
  });

  it('ends cleanly on an abort signal', async () => {
    const controller = new AbortController();
    const { history } = await trained(toyData(32), {
      epochs: 10,
      batchSize: 8,
      signal: controller.signal,
      callbacks: { onBatchEnd: (batch) => void (batch === 2 && controller.abort()) },
    });
    expect(history.stopped).toBe('aborted');
    expect(history.losses).toHaveLength(3);
    const before = await trained(toyData(8), { signal: AbortSignal.abort() });
    expect(before.history).toEqual({ epochs: [], losses: [], stopped: 'aborted', lossUnit: 'nats' });
  });

  it('reports progress with speed and time left', async () => {
    const reports: Progress[] = [];
    await trained(toyData(32), {
      epochs: 2,
      batchSize: 8,
      onProgress: (progress) => void reports.push(progress),
    });
    expect(reports).toHaveLength(10);
    expect(reports[1]).toMatchObject({
      epoch: 0,
      epochs: 2,
      step: 2,
      steps: 8,
      stepInEpoch: 2,
      stepsPerEpoch: 4,
    });
    expect(reports[1].examplesPerSecond).toBeGreaterThan(0);
    expect(reports.at(-1)).toMatchObject({ step: 8, secondsLeft: 0, epochEnd: true });
  });

  it('keeps the number of tensors flat over steps and leaves none behind', async () => {
    const model = new ToyFlow();
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    const history = await fit(model, toyData(64), {
      ...quiet,
      epochs: 2,
      batchSize: 4,
      clipValue: 0.5,
      clipNorm: 0.1,
      average: 0.9,
      validationSplit: 0.25,
      earlyStopping: { patience: 5 },
      callbacks: { onBatchEnd: () => void counts.push(tf.memory().numTensors) },
    });
    expect(new Set(counts.slice(2, 12)).size).toBe(1);
    expect(new Set(counts.slice(12)).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    expect(history.losses).toHaveLength(24);
    model.dispose();
  });
});

describe('fit with a non-finite value', () => {
  it('stops before the bad update, restores the last good weights and names the layer', async () => {
    const model = new ToyFlow();
    const poisoned = model.weights.find(({ name }) => name === 'second/bias')?.variable as tf.Variable;
    const seen: Record<string, number[]>[] = [];
    const tensors = tf.memory().numTensors;
    const run = fit(model, toyData(32), {
      ...quiet,
      epochs: 5,
      batchSize: 8,
      callbacks: {
        onBatchBegin: () => void seen.push(weightsOf(model)),
        onBatchEnd: (_, { loss }) => {
          expect(loss).not.toBeNaN();
          if (seen.length === 4) tf.tidy(() => poisoned.assign(tf.fill([2], Number.NaN)));
        },
      },
    });
    const error: NonFiniteError = await run.then(
      () => expect.fail('fit resolved'),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.layer).toBe('second');
    expect(error.message).toMatch(
      /^fit: expected a finite loss and gradient, got loss NaN .* at step 4\. .*second/,
    );
    expect(weightsOf(model)).toEqual(seen[3]);
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });

  it('names the layer of a gradient that is not finite though the loss is', async () => {
    class Rooted extends ToyFlow {
      override loss(...given: Parameters<ToyFlow['loss']>) {
        const { loss, metrics } = super.loss(...given);
        // d sqrt(u) / du is infinite at u = 0, where the second layer's bias starts.
        const bias = this.weights.find(({ name }) => name === 'second/bias')?.variable as tf.Variable;
        return { loss: tf.add(loss, tf.sum(tf.sqrt(tf.abs(bias)))) as tf.Scalar, metrics };
      }
    }
    const model = new Rooted();
    const before = fit(model, toyData(8), quiet);
    await expect(before).rejects.toMatchObject({ name: 'NonFiniteError', layer: 'second' });
    model.dispose();
  });

  it('stops where validation is not finite', async () => {
    const model = new ToyFlow();
    const good: Record<string, number[]>[] = [];
    const run = fit(model, toyData(8), {
      ...quiet,
      average: 0.5,
      validationData: [[1e30, 1e30]],
      callbacks: { onBatchBegin: () => void good.push(weightsOf(model)) },
    });
    await expect(run).rejects.toThrow(NonFiniteError);
    expect(weightsOf(model)).toEqual({ ...good[0], ...firstLayerOf(model) });
    model.dispose();
  });
});

/** Set by the data-dependent initialization, which comes after the first onBatchBegin. */
function firstLayerOf(model: ToyFlow): Record<string, number[]> {
  return Object.fromEntries(Object.entries(weightsOf(model)).filter(([name]) => name.startsWith('first/')));
}

describe('averaged weights', () => {
  it('equal the zero-debiased exponential average (float32 rounding, 1e-6)', async () => {
    const model = new ToyFlow();
    const averages = new AveragedWeights(model, 0.8);
    const seen: number[][] = [];
    await fit(model, toyData(32), {
      ...quiet,
      epochs: 3,
      batchSize: 8,
      learningRate: 0.05,
      average: averages,
      callbacks: { onBatchEnd: () => void seen.push(weightsOf(model)['first/bias']) },
    });
    const t = seen.length;
    const expected = [0, 1].map(
      (j) => seen.reduce((sum, w, i) => sum + 0.2 * 0.8 ** (t - 1 - i) * w[j], 0) / (1 - 0.8 ** t),
    );
    const raw = weightsOf(model);
    await withAveragedWeights(averages, () => {
      for (const [j, value] of weightsOf(model)['first/bias'].entries()) {
        expect(value).toBeCloseTo(expected[j], 6);
      }
    });
    expect(weightsOf(model)).toEqual(raw);
    await expect(withAveragedWeights(averages, () => Promise.reject(new Error('stop')))).rejects.toThrow(
      'stop',
    );
    expect(weightsOf(model)).toEqual(raw);
    averages.dispose();
    model.dispose();
  });

  it('are what the model ends with where average is a number', async () => {
    const options = { epochs: 2, batchSize: 8, learningRate: 0.05 };
    const raw = await trained(toyData(32), options);
    const averaged = await trained(toyData(32), { ...options, average: 0.9 });
    expect(averaged.history.losses).toEqual(raw.history.losses);
    expect(averaged.weights).not.toEqual(raw.weights);
  });
});
