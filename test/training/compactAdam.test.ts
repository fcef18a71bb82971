import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { CompactAdam, fit, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { applyGradients } from '../../src/training/applyGradients';
import { fromBfloat16, toBfloat16 } from '../../src/training/bfloat16';
import { distance } from '../wasm/helpers';
import { ToyFlow, toyData } from './toys';

const shapes = [[3], [7, 5], [130, 300], [1], [2, 3, 4]];

interface Fields {
  accumulatedMoments: { variable: tf.Variable }[];
}

function momentsOf(optimizer: CompactAdam, i: number): { first: number[]; second: number[] } {
  const packed = [...(optimizer as unknown as Fields).accumulatedMoments[i].variable.dataSync()];
  const floats = (bits: number[]) => [...new Float32Array(Int32Array.from(bits).buffer)];
  return {
    first: floats(packed.map((bits) => bits << 16)),
    second: floats(packed.map((bits) => (bits & 0xffff0000) >>> 1)),
  };
}

/** Weights and moments after some steps, the gradient of the fourth weight missing in every second one. */
function train(): number[][] {
  const random = new RandomStream(2);
  const variables = shapes.map((shape) => tf.tidy(() => tf.variable(random.normal(shape))));
  const optimizer = new CompactAdam(0.05);
  for (let step = 0; step < 5; step++) {
    const gradients = shapes.map((shape, i) => (i === 3 && step % 2 === 1 ? null : random.normal(shape)));
    applyGradients(optimizer, variables, gradients);
  }
  const results = shapes.flatMap((_, i) => {
    const { first, second } = momentsOf(optimizer, i);
    return [[...variables[i].dataSync()], first, second];
  });
  optimizer.dispose();
  tf.dispose(variables);
  return results;
}

for (const backend of ['cpu', 'wasm']) {
  describe(`CompactAdam on ${backend}`, () => {
    let before: number;
    beforeEach(async () => {
      await (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend('cpu'));
      before = tf.memory().numTensors;
    });

    it('loses nothing on average: moments reach those of a gradient that stays', () => {
      const size = 2000;
      const variable = tf.tidy(() => tf.variable(tf.zeros([size])));
      const optimizer = new CompactAdam(1e-3);
      const gradient = 0.3;
      const steps = 3000;
      for (let step = 0; step < steps; step++) {
        applyGradients(optimizer, [variable], [tf.fill([size], gradient)]);
      }
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / size;
      const { first, second } = momentsOf(optimizer, 0);
      // Rounded to nearest, the second moment would stand still at a quarter of this. Standard error of the means: 2e-4 of them.
      expect(mean(first) / gradient).toBeCloseTo(1, 2.5);
      expect(mean(second) / (gradient ** 2 * (1 - 0.999 ** steps))).toBeCloseTo(1, 2.5);
      // Every step is one learning rate long; the errors of single weights are 1 % a step and even out.
      expect(
        Math.max(...variable.dataSync().map((value) => Math.abs(value / -(steps * 1e-3) - 1))),
      ).toBeLessThan(0.02);
      optimizer.dispose();
      variable.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('learns as Adam does', async () => {
      const last = async (optimizer: 'adam' | 'compactAdam') => {
        const model = new ToyFlow();
        const options = { optimizer, epochs: 15, batchSize: 32, learningRate: 0.01, seed: 5 } as const;
        const { losses } = await fit(model, toyData(256), { ...options, progress: 'none' });
        model.dispose();
        return losses[losses.length - 1];
      };
      const [adam, compact] = [await last('adam'), await last('compactAdam')];
      // The loss falls by 4 nats on the way.
      expect(Math.abs(compact - adam)).toBeLessThan(0.02);
      expect(tf.memory().numTensors).toBe(before);
    });

    it('goes on from its own weights, and is rebuilt from its configuration', async () => {
      const first = tf.tidy(() => tf.variable(tf.ones([40])));
      const second = tf.tidy(() => tf.variable(tf.ones([40])));
      const optimizer = new CompactAdam(0.1, { beta1: 0.8, beta2: 0.9, epsilon: 1e-3 });
      const random = new RandomStream(3);
      const gradients = Array.from({ length: 4 }, () => random.normal([40]));
      const step = (taken: CompactAdam, variable: tf.Variable, i: number) =>
        taken.applyGradients([{ name: variable.name, tensor: gradients[i] }]);
      step(optimizer, first, 0);
      step(optimizer, first, 1);
      second.assign(first);
      const copy = CompactAdam.fromConfig(
        CompactAdam as never,
        optimizer.getConfig(),
      ) as unknown as CompactAdam;
      const weights = await optimizer.getWeights();
      await copy.setWeights(weights);
      for (const i of [2, 3]) {
        step(optimizer, first, i);
        copy.applyGradients({ [second.name]: gradients[i] });
      }
      expect([...second.dataSync()]).toEqual([...first.dataSync()]);
      expect(copy.iterations).toBe(4);
      optimizer.dispose();
      copy.dispose();
      tf.dispose([first, second, gradients, weights[0].tensor]);
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}

describe.each([1, 2])('CompactAdam on %i threads', (threads) => {
  afterAll(() => tf.setBackend('cpu').then(() => undefined));

  it('the pass on the wasm backend is the one on the host', async () => {
    await tf.setBackend('cpu');
    const ordinary = train();
    await prepareWasm({ threads });
    const fused = train();
    // Where rounding by chance falls otherwise for a difference in the last place, one value is off by its own last place.
    ordinary.forEach((expected, i) => {
      const differing = expected.filter(
        (value, j) => Math.abs(value - fused[i][j]) > 1e-6 * Math.max(1, Math.abs(value)),
      );
      expect(differing.length / expected.length, `result ${i}`).toBeLessThan(0.002);
      expect(distance(expected, fused[i])).toBeLessThan(0.01);
    });
  });

  it('a step takes gradients in bfloat16 as the float32 that they stand for, and scales them', async () => {
    await prepareWasm({ threads });
    const results = [true, false].map((compact) => {
      const random = new RandomStream(4);
      const variables = shapes.map((shape) => tf.tidy(() => tf.variable(random.normal(shape))));
      const optimizer = new CompactAdam(0.05);
      for (let step = 0; step < 2; step++) {
        const gradients = shapes.map((shape) =>
          tf.tidy(() => {
            const packed = toBfloat16(random.normal(shape));
            return compact ? packed : tf.mul(fromBfloat16(packed, shape), 0.25);
          }),
        );
        applyGradients(optimizer, variables, gradients, compact ? 0.25 : 1);
      }
      const values = variables.map((variable) => [...variable.dataSync()]);
      optimizer.dispose();
      tf.dispose(variables);
      return values;
    });
    expect(results[0]).toEqual(results[1]);
  });

  it('a step is taken back to rounding', async () => {
    await prepareWasm({ threads });
    const random = new RandomStream(6);
    const variables = shapes.map((shape) => tf.tidy(() => tf.variable(random.normal(shape))));
    const optimizer = new CompactAdam(0.05);
    const step = () =>
      applyGradients(
        optimizer,
        variables,
        shapes.map((shape) => random.normal(shape)),
      );
    const values = () => variables.map((variable) => variable.dataSync<'float32'>().slice());
    step();
    const before = values();
    const undo = step();
    undo?.();
    values().forEach((restored, i) => {
      expect(distance(before[i], restored)).toBeLessThan(2e-7);
    });
    optimizer.dispose();
    tf.dispose(variables);
  });
});
