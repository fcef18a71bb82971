import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Batch,
  evaluate,
  type FitOptions,
  fit,
  Glow,
  type Loss,
  type RandomStream,
  realNvp,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler, numbers, ToyFlow, ToyMean, toyData } from './toys';

/** A flow-like model whose loss throws in the given call, after it has computed it. */
class Throwing extends ToyFlow {
  calls = 0;

  constructor(private readonly at: number) {
    super();
  }

  override loss(batch: Batch, random: RandomStream): Loss {
    const result = super.loss(batch, random);
    if (++this.calls === this.at) throw new Error('mine');
    return result;
  }
}

const boom = () => {
  throw new Error('mine');
};

const everything: FitOptions = {
  progress: 'none',
  gradients: 'stored',
  seed: 1,
  batchSize: 8,
  epochs: 2,
  average: 0.9,
  clipValue: 1,
  clipNorm: 0.1,
  earlyStopping: { patience: 3 },
};

describe.each(['cpu', 'wasm'])('nothing is left on %s', (backend) => {
  const use = () => (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend(backend));

  it.each([1, 2, 4, 5, 8])('where the loss throws in call %i, in training or validation', async (at) => {
    await use();
    const model = new Throwing(at);
    await leavesNoTensors(async () => {
      const run = fit(model, toyData(16), { ...everything, validationData: toyData(16, 3) });
      await expect(run).rejects.toThrow('mine');
    });
    model.dispose();
  });

  it('where the loss of a flow throws, by stored and by reversible gradients', async () => {
    await use();
    const flow = realNvp({ dimensions: 2, layers: 4, hiddenUnits: [8], seed: 1 });
    const weak = flow as unknown as { lossOf: () => Loss };
    await fit(flow, toyData(8), { ...everything, epochs: 1 });
    weak.lossOf = boom;
    for (const gradients of ['stored', 'reversible'] as const) {
      await leavesNoTensors(async () => {
        await expect(fit(flow, toyData(16), { ...everything, gradients })).rejects.toThrow('mine');
        await expect(evaluate(flow, toyData(16))).rejects.toThrow('mine');
      });
    }
    flow.dispose();
  });

  it.each<[string, FitOptions]>([
    ['onTrainBegin', { callbacks: { onTrainBegin: boom } }],
    ['onEpochBegin', { callbacks: { onEpochBegin: boom } }],
    ['onBatchBegin', { callbacks: { onBatchBegin: boom } }],
    ['onBatchEnd', { callbacks: { onBatchEnd: boom } }],
    ['onYield', { yieldEvery: 'step', callbacks: { onYield: boom } }],
    ['onEpochEnd', { callbacks: { onEpochEnd: boom } }],
    ['onTrainEnd', { callbacks: { onTrainEnd: boom } }],
    ['onProgress', { onProgress: boom }],
    ['a schedule', { schedule: boom }],
    ['writing a checkpoint', { checkpoint: { location: { save: async () => boom() }, everySteps: 1 } }],
    ['reading a checkpoint', { resume: { load: async () => boom() } }],
    ['validation data', { validationData: boom }],
  ])('where %s throws', async (_, options) => {
    await use();
    const model = new ToyFlow();
    await leavesNoTensors(async () => {
      const run = fit(model, toyData(16), { ...everything, validationData: toyData(4), ...options });
      await expect(run).rejects.toThrow('mine');
    });
    model.dispose();
  });

  it('where a metric is no scalar, or the model refuses a batch', async () => {
    await use();
    class Wide extends ToyMean {
      override loss(batch: Batch): Loss {
        return { ...super.loss(batch), metrics: { wide: tf.zeros([2]) as unknown as tf.Scalar } };
      }
    }
    const model = new Wide();
    await leavesNoTensors(async () => {
      await expect(fit(model, numbers(4), everything)).rejects.toThrow();
      await expect(evaluate(model, numbers(4))).rejects.toThrow();
      const batches = function* () {
        yield { x: tf.zeros([2, 3]), context: tf.zeros([2]) };
      };
      await expect(fit(model, batches, everything)).rejects.toThrow(/ToyMean/);
      await expect(evaluate(model, batches)).rejects.toThrow(/ToyMean/);
    });
    model.dispose();
  });

  it('where a source throws in the middle, or gives what is no batch', async () => {
    await use();
    const model = new ToyMean();
    let closed = 0;
    const bad: (() => unknown)[] = [
      boom,
      () => 'text',
      () => ({ x: tf.zeros([1, 1]), y: 'text' }),
      () => ({ x: tf.zeros([1, 1]), label: tf.zeros([1]) }),
      () => [tf.zeros([1, 1]), tf.zeros([1, 1])],
      () => ({ images: tf.zeros([1, 1]) }),
    ];
    for (const make of bad) {
      const source = function* () {
        try {
          yield tf.zeros([1, 1]);
          yield make() as tf.Tensor;
        } finally {
          closed++;
        }
      };
      await leavesNoTensors(async () => {
        await expect(fit(model, source, everything)).rejects.toThrow();
        await expect(evaluate(model, source)).rejects.toThrow();
        await expect(fit(model, numbers(2), { ...everything, validationData: source })).rejects.toThrow();
      });
    }
    expect(closed).toBe(3 * bad.length);
    model.dispose();
  });

  it('where a checkpoint does not fit', async () => {
    await use();
    const location = memoryHandler();
    const [small, large] = [new ToyFlow(2), new ToyFlow(3)];
    await fit(small, toyData(8), { ...everything, checkpoint: { location } });
    await leavesNoTensors(async () => {
      const rows = toyData(8).map((row) => [...row, 0]);
      await expect(fit(large, rows, { ...everything, resume: location })).rejects.toThrow(/mix/);
    });
    small.dispose();
    large.dispose();
  });
});

describe('an abort', () => {
  it('leaves nothing either, at whatever call it comes', async () => {
    await tf.setBackend('cpu');
    const make = () =>
      new Glow({ imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 2, seed: 1 });
    const x = Uint8Array.from({ length: 8 * 16 }, (_, i) => (i * 37) % 256);
    for (const hook of ['onTrainBegin', 'onBatchBegin', 'onBatchEnd', 'onEpochEnd'] as const) {
      const glow = make();
      await leavesNoTensors(async () => {
        const controller = new AbortController();
        const callbacks = { [hook]: () => controller.abort() };
        const options = { ...everything, batchSize: 4, signal: controller.signal, callbacks };
        expect((await fit(glow, { x, shape: [4, 4, 1] }, options)).stopped).toBe('aborted');
      });
      glow.dispose();
    }
  });
});
