import * as tf from '@tensorflow/tfjs-core';
import { fit, NonFiniteError, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyGradients } from '../../src/training/applyGradients';
import { globalNorm } from '../../src/training/clipping';
import { makeOptimizer, optimizerTensors } from '../../src/training/optimizers';
import { ToyFlow, toyData, weightsOf } from '../training/toys';
import { distance } from './helpers';

const shapes = [[3], [7, 5], [130, 300], [1], [2, 3, 4]];

/** Weights and optimizer state after some steps with scaled gradients, that of the fourth weight missing in every second one. */
function train(name: 'adam' | 'adamax'): Float32Array[] {
  const before = tf.memory().numTensors;
  const random = new RandomStream(2);
  const variables = shapes.map((shape) => {
    const initial = random.normal(shape);
    const variable = tf.variable(initial);
    initial.dispose();
    return variable;
  });
  const optimizer = makeOptimizer(name, 0.05);
  let count = 0;
  for (let step = 0; step < 5; step++) {
    const gradients = shapes.map((shape, i) => (i === 3 && step % 2 === 1 ? null : random.normal(shape)));
    applyGradients(optimizer, variables, gradients, 0.3);
    tf.dispose(gradients.filter((gradient) => gradient !== null));
    if (step > 0) expect(tf.memory().numTensors).toBe(count);
    count = tf.memory().numTensors;
  }
  const names = shapes.map((_, i) => `w${i}`);
  const values = [...variables, ...optimizerTensors(optimizer, names).map(({ tensor }) => tensor)].map(
    (tensor) => tensor.dataSync<'float32'>().slice(),
  );
  optimizer.dispose();
  tf.dispose(variables);
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

describe.each([1, 2])('passes over all weights on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  it.each(['adam', 'adamax'] as const)(
    '%s: weights and state as the optimizer of tfjs leaves them',
    async (name) => {
      const fused = train(name);
      await tf.setBackend('cpu');
      const ordinary = train(name);
      await tf.setBackend('wasm');
      expect(fused.length).toBe(ordinary.length);
      ordinary.forEach((expected, i) => {
        expect(distance(expected, fused[i])).toBeLessThan(1e-6);
      });
    },
  );

  it.each(['adam', 'adamax'] as const)('%s: a step is taken back to rounding', (name) => {
    const random = new RandomStream(6);
    tf.tidy(() => {
      const variables = shapes.map((shape) => tf.variable(random.normal(shape)));
      const optimizer = makeOptimizer(name, 0.05);
      const values = () => variables.map((variable) => variable.dataSync<'float32'>().slice());
      const step = () =>
        applyGradients(
          optimizer,
          variables,
          shapes.map((shape, i) => (i === 3 ? null : random.normal(shape))),
        );
      step();
      const before = values();
      const undo = step();
      values().forEach((moved, i) => {
        expect(distance(before[i], moved) > 1e-3).toBe(i !== 3);
      });
      undo?.();
      // Half a unit in the last place of a weight and of the step.
      values().forEach((restored, i) => {
        expect(distance(before[i], restored)).toBeLessThan(2e-7);
      });
      optimizer.dispose();
      tf.dispose(variables);
    });
  });

  it('fit gives back the weights from before the step that led to a loss of NaN', async () => {
    class Failing extends ToyFlow {
      steps = 0;
      override loss(...given: Parameters<ToyFlow['loss']>) {
        const { loss, metrics } = super.loss(...given);
        return { loss: tf.mul(loss, ++this.steps === 4 ? Number.NaN : 1) as tf.Scalar, metrics };
      }
    }
    const model = new Failing();
    const before = tf.memory().numTensors;
    const seen: Record<string, number[]>[] = [];
    const callbacks = { onBatchBegin: () => void seen.push(weightsOf(model)) };
    const run = fit(model, toyData(32), {
      progress: 'none',
      seed: 5,
      learningRate: 0.1,
      batchSize: 8,
      gradients: 'stored',
      callbacks,
    });
    await expect(run).rejects.toThrow(NonFiniteError);
    const [, , wanted, moved] = seen;
    for (const [name, values] of Object.entries(weightsOf(model))) {
      expect(distance(wanted[name], values), name).toBeLessThan(2e-7);
      if (name !== 'first/sign' && name !== 'second/sign')
        expect(distance(moved[name], values), name).toBeGreaterThan(1e-3);
    }
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('fit gives back a weight that somebody spoiled between two steps', async () => {
    const model = new ToyFlow();
    const before = tf.memory().numTensors;
    const spoiled = model.weights.find(({ name }) => name === 'second/bias')?.variable as tf.Variable;
    const seen: Record<string, number[]>[] = [];
    const callbacks = {
      onBatchBegin: () => void seen.push(weightsOf(model)),
      onBatchEnd: () => {
        if (seen.length === 3) tf.tidy(() => spoiled.assign(tf.fill(spoiled.shape, Number.NaN)));
      },
    };
    const run = fit(model, toyData(32), { progress: 'none', seed: 5, batchSize: 8, callbacks });
    await expect(run).rejects.toThrow(NonFiniteError);
    expect(seen).toHaveLength(4);
    for (const [name, values] of Object.entries(weightsOf(model))) {
      expect(distance(seen[2][name], values), name).toBeLessThan(2e-7);
    }
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('a step too long to come back says so, and fit holds the old weights', async () => {
    const variable = tf.tidy(() => tf.variable(tf.ones([5])));
    const optimizer = makeOptimizer('adam', 100);
    expect(applyGradients(optimizer, [variable], [tf.ones([5])])).toBeUndefined();
    optimizer.dispose();
    variable.dispose();

    // The step would have left weights of 1e30, of which subtraction makes no small ones again.
    const model = new ToyFlow();
    const run = fit(model, toyData(32), { progress: 'none', seed: 5, learningRate: 1e30, batchSize: 8 });
    await expect(run).rejects.toThrow(NonFiniteError);
    const values = Object.values(weightsOf(model)).flat();
    expect(values.every((value) => Math.abs(value) < 5)).toBe(true);
    expect(values.filter((value) => value !== 0 && Math.abs(value) !== 1).length).toBeGreaterThan(3);
    model.dispose();
  });

  it('what somebody else holds of weights and moments stays as it was', () => {
    const before = tf.memory().numTensors;
    const variable = tf.tidy(() => tf.variable(tf.ones([5])));
    const optimizer = makeOptimizer('adam', 0.05);
    const step = () => applyGradients(optimizer, [variable], [tf.fill([5], 0.5)]);
    const moments = () =>
      optimizerTensors(optimizer, ['w'])
        .filter(({ tensor }) => tensor.size === 5)
        .map(({ tensor }) => tensor);
    step();
    const present = (): tf.Tensor[] => [variable, ...moments()];
    const held = present().map((tensor) => tf.clone(tensor));
    const values = (tensors: tf.Tensor[]) => tensors.map((tensor) => [...tensor.dataSync()]);
    const then = values(held);
    step();
    expect(values(held)).toEqual(then);
    expect(values(present())).not.toEqual(then);
    tf.dispose([variable, ...held]);
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('global norm of many tensors equals float64', () => {
    const random = new RandomStream(4);
    const values = [40_000, 3, 16_384, 1].map((size) => Float32Array.from(random.normalArray(size)));
    const tensors = values.map((data) => tf.tensor1d(data));
    const norm = globalNorm([...tensors, null]);
    const exact = Math.sqrt(values.flatMap((data) => [...data]).reduce((sum, value) => sum + value ** 2, 0));
    expect(Math.abs(norm.dataSync()[0] / exact - 1)).toBeLessThan(1e-6);
    tf.dispose([norm, ...tensors]);
  });

  it.each([1e20, 1e37, 1e-30])(
    'global norm of values of %d: squares neither overflow nor vanish',
    (value) => {
      const run = (name: string, inputs: object) =>
        tf.engine().runKernel(name, inputs as never) as tf.Tensor[];
      const values = [5, 1030].map((size) => tf.fill([size], value));
      const x = tf.fill([6], value);
      const [halves] = run('FlowToBfloat16', { x });
      const [[norm], [ofHalves]] = [run('FlowGlobalNorm', values), run('FlowGlobalNormBfloat16', [halves])];
      const single = Math.fround(value);
      expect(norm.dataSync()[0]).toBe(Math.fround(Math.sqrt(1035) * single));
      // Rounded to 8 bits.
      expect(Math.abs(ofHalves.dataSync()[0] / (Math.sqrt(6) * single) - 1)).toBeLessThan(2 ** -8);
      tf.dispose([...values, x, halves, norm, ofHalves]);
    },
  );

  it('global norm shows NaN and infinity', () => {
    const norms = [Number.NaN, Number.POSITIVE_INFINITY].map((value) =>
      tf.tidy(() => globalNorm([tf.ones([50]), tf.tensor1d([1, 2, value])]).dataSync()[0]),
    );
    expect(norms).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  });
});
