import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  AveragedWeights,
  ConfigError,
  DisposedError,
  type FitOptions,
  fit,
  NonFiniteError,
  withAveragedWeights,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeEach, describe, expect, it } from 'vitest';
import { ToyFlow, toyData, weightsOf } from './toys';

const rows = toyData(8);
const options: FitOptions = { progress: 'none', seed: 3, batchSize: 4, learningRate: 0.05 };

let tensors: number;

beforeEach(async () => {
  await tf.setBackend('cpu');
  tensors = tf.memory().numTensors;
});

/** A model of one weight, and one that stays fixed. */
function tiny(value = 1) {
  const [variable, fixed] = [value, 7].map((start) => tf.tidy(() => tf.variable(tf.scalar(start))));
  const weights = [
    { name: 'fixed', variable: fixed, trainable: false },
    { name: 'w', variable, trainable: true },
  ];
  const set = (next: number) => tf.tidy(() => variable.assign(tf.scalar(next)));
  return { weights, variable, set, value: () => variable.dataSync()[0], fixed };
}

const averagesOf = (averages: AveragedWeights) =>
  averages.tensors().map(({ tensor }) => tensor.dataSync()[0]);

describe('AveragedWeights', () => {
  it('are the weights in a hand-computed sequence', () => {
    const model = tiny(5);
    const averages = new AveragedWeights(model, 0.5);
    expect(averages.tensors().map(({ name }) => name)).toEqual(['w']);
    expect(averagesOf(averages)).toEqual([5]);
    // sum_i 0.5 * 0.5^(t-i) w_i / (1 - 0.5^t) of 4, 1, -2: 4; (1 + 0.5) / 0.75 = 2; (0.5 + 0.25 - 1) / 0.875.
    const expected = [4, 2, -0.25 / 0.875];
    for (const [i, weight] of [4, 1, -2].entries()) {
      model.set(weight);
      averages.update();
      expect(averagesOf(averages)[0]).toBeCloseTo(expected[i], 6);
      expect(averages.updates).toBe(i + 1);
    }
    averages.dispose();
    tf.dispose([model.variable, model.fixed]);
  });

  it('remember 1 / (1 - d) steps: with d = 0.9 the first of three weighs 0.81 of the last', () => {
    const model = tiny();
    const averages = new AveragedWeights(model, 0.9);
    for (const weight of [1, 0, 0]) {
      model.set(weight);
      averages.update();
    }
    expect(averagesOf(averages)[0]).toBeCloseTo(0.81 / (1 + 0.9 + 0.81), 6);
    averages.dispose();
    tf.dispose([model.variable, model.fixed]);
  });

  it('go on from saved ones with the same numbers', () => {
    const model = tiny();
    const [whole, first, second] = [0, 1, 2].map(() => new AveragedWeights(model, 0.7));
    model.set(3);
    for (const averages of [whole, first]) averages.update();
    second.restore(new Map(first.tensors().map(({ name, tensor }) => [name, tensor])), first.updates);
    model.set(-1);
    for (const averages of [whole, second]) averages.update();
    expect(averagesOf(second)).toEqual(averagesOf(whole));
    for (const averages of [whole, first, second]) averages.dispose();
    tf.dispose([model.variable, model.fixed]);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('swap to and fro; what is written to the weights meanwhile reaches neither', () => {
    const model = tiny();
    const averages = new AveragedWeights(model, 0.5);
    model.set(10);
    averages.update();
    model.set(3);
    averages.swap();
    expect([model.value(), averagesOf(averages)[0], averages.swapped]).toEqual([10, 10, true]);
    model.set(Number.NaN);
    averages.swap();
    expect([model.value(), averagesOf(averages)[0], averages.swapped]).toEqual([3, 10, false]);
    const others = new AveragedWeights(model, 0.5);
    others.dispose();
    tf.dispose([model.variable, model.fixed]);
    for (const gone of [averages, others]) {
      expect(() => gone.swap()).toThrow(DisposedError);
      expect(() => gone.update()).toThrow(DisposedError);
    }
    averages.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('take nothing in while the model has them', async () => {
    const model = new ToyFlow();
    const averages = new AveragedWeights(model, 0.5);
    averages.swap();
    expect(() => averages.update()).toThrow(ConfigError);
    expect(() => averages.restore(new Map(), 1)).toThrow(
      /restore: expected the model to have its own weights/,
    );
    await expect(fit(model, rows, { ...options, average: averages })).rejects.toThrow(
      /own weights.*swap\(\)/,
    );
    averages.swap();
    await fit(model, rows, { ...options, average: averages });
    expect(averages.updates).toBe(2);
    averages.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('of another model are refused by fit', async () => {
    const [model, other] = [new ToyFlow(), new ToyFlow()];
    const averages = new AveragedWeights(other, 0.5);
    await expect(fit(model, rows, { ...options, average: averages })).rejects.toThrow(
      /those of another model/,
    );
    expect(averages.updates).toBe(0);
    averages.dispose();
    model.dispose();
    other.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

describe('withAveragedWeights', () => {
  async function setUp() {
    const model = tiny();
    const averages = new AveragedWeights(model, 0.5);
    model.set(10);
    averages.update();
    model.set(3);
    return { model, averages, end: () => tf.dispose([model.variable, model.fixed]) };
  }

  it.each<[string, (averages: AveragedWeights, see: () => number) => unknown]>([
    ['throws', () => Promise.reject(new Error('stop'))],
    [
      'throws at once',
      () => {
        throw new Error('stop');
      },
    ],
    ['swaps', (averages) => averages.swap()],
    [
      'swaps and throws',
      (averages) => {
        averages.swap();
        throw new Error('stop');
      },
    ],
  ])('leaves the weights as they were where the work %s', async (_, work) => {
    const { model, averages, end } = await setUp();
    await withAveragedWeights(averages, () => work(averages, model.value)).catch(() => undefined);
    expect([model.value(), averagesOf(averages)[0]]).toEqual([3, 10]);
    averages.dispose();
    end();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('shows the averages inside of itself too', async () => {
    const { model, averages, end } = await setUp();
    const seen: number[] = [];
    await withAveragedWeights(averages, async () => {
      seen.push(model.value());
      await withAveragedWeights(averages, () => seen.push(model.value()));
      seen.push(model.value());
    });
    seen.push(model.value());
    expect(seen).toEqual([10, 10, 10, 3]);
    averages.dispose();
    end();
  });
});

for (const backend of ['cpu', 'wasm']) {
  describe(`averages in fit on ${backend}`, () => {
    beforeEach(async () => {
      await (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend('cpu'));
      tensors = tf.memory().numTensors;
    });

    const finite = (averages: AveragedWeights) =>
      averages.tensors().every(({ tensor }) => tensor.dataSync().every(Number.isFinite));

    it('stay finite where an update spoils the weights', async () => {
      // tfjs subtracts epsilon under the root of centered RMSProp, so small gradients give NaN weights.
      const optimizer = tf.train.rmsprop(0.01, 0.9, 0, 1e3, true);
      const model = new ToyFlow();
      const averages = new AveragedWeights(model, 0.5);
      const run = fit(model, rows, { ...options, steps: 5, optimizer, average: averages });
      await expect(run).rejects.toThrow(NonFiniteError);
      expect(averages.updates).toBe(0);
      expect(finite(averages)).toBe(true);
      averages.dispose();
      optimizer.dispose();
      model.dispose();
    });

    it.each(['onBatchEnd', 'onEpochEnd', 'onEpochBegin'] as const)(
      'stay finite, with the model, where %s sets NaN',
      async (hook) => {
        const model = new ToyFlow();
        const averages = new AveragedWeights(model, 0.5);
        let calls = 0;
        const spoil = () => {
          if (++calls !== 2) return;
          const { variable } = model.weights[0];
          tf.tidy(() => variable.assign(tf.fill(variable.shape, Number.NaN)));
        };
        const callbacks = { [hook]: spoil };
        const run = fit(model, rows, { ...options, epochs: 3, average: averages, callbacks });
        // What is written where an epoch ends is written over the averages in the model, and goes with them.
        if (hook === 'onEpochEnd') await run;
        else await expect(run).rejects.toThrow(NonFiniteError);
        // Two steps an epoch: the batch after which NaN is set is not in.
        expect(averages.updates).toBe({ onBatchEnd: 1, onEpochEnd: 6, onEpochBegin: 2 }[hook]);
        expect(finite(averages)).toBe(true);
        expect(Object.values(weightsOf(model)).flat().every(Number.isFinite)).toBe(true);
        averages.dispose();
        model.dispose();
        expect(tf.memory().numTensors).toBe(tensors);
      },
    );

    it('take in a weight only if it is finite, even one that no loss shows', async () => {
      // An infinite weight whose part in the loss is cut off.
      class Blind extends ToyFlow {
        readonly hidden = this.addWeight('hidden', tf.scalar(1));
        override loss(...given: Parameters<ToyFlow['loss']>) {
          const { loss, metrics } = super.loss(...given);
          return { loss: tf.add(loss, tf.relu(this.hidden)) as tf.Scalar, metrics };
        }
      }
      const model = new Blind();
      const averages = new AveragedWeights(model, 0.5);
      let batches = 0;
      const onBatchEnd = () => {
        if (++batches === 1) tf.tidy(() => model.hidden.assign(tf.scalar(Number.NEGATIVE_INFINITY)));
      };
      const run = fit(model, rows, { ...options, epochs: 4, average: averages, callbacks: { onBatchEnd } });
      await expect(run).rejects.toThrow(/hidden/);
      expect(averages.updates).toBe(0);
      expect(finite(averages)).toBe(true);
      averages.dispose();
      model.dispose();
      expect(tf.memory().numTensors).toBe(tensors);
    });
  });
}
