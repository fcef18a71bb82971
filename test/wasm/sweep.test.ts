import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  type Activation,
  AffineTransformer,
  MaskedAutoregressive,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  RandomStream,
  RationalQuadraticSpline,
  type Transformer,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { distance } from './helpers';

const spline = () => new RationalQuadraticSpline({ bins: 5, bound: 3 });
const affine = () => new AffineTransformer();

interface Case {
  transformer?: () => Transformer;
  residual?: boolean;
  activation?: Activation;
  contextAs?: 'gates' | 'shifts' | 'inputs';
  order?: number[];
  passes?: number;
  adjacency?: number[][];
  /** Of residual blocks. */
  unitSets?: number[][];
  rows?: number;
}

const cases: Record<string, Case> = {
  splines: {},
  'affine maps': { transformer: affine },
  'affine maps, exp': { transformer: () => new AffineTransformer({ scale: 'exp' }) },
  'affine maps, softplus': { transformer: () => new AffineTransformer({ scale: 'softplus' }) },
  'affine maps, sigmoid': { transformer: () => new AffineTransformer({ scale: 'sigmoid' }) },
  circles: { transformer: () => new RationalQuadraticSpline({ bins: 4, bound: Math.PI, tails: 'circular' }) },
  'a box': { transformer: () => new RationalQuadraticSpline({ bins: 4, bound: 8, tails: 'none' }) },
  'one row': { rows: 1 },
  'many rows': { rows: 77, transformer: affine },
  'another order': { order: [3, 0, 4, 1, 2] },
  'two passes': { passes: 2 },
  'given adjacency': {
    adjacency: [
      [0, 0, 1, 0, 0],
      [1, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 1, 0, 0, 1],
      [0, 0, 0, 0, 0],
    ],
  },
  'residual blocks': { residual: true },
  'residual blocks of units whose levels do not stand in order': {
    residual: true,
    adjacency: [
      [0, 0, 1, 0, 0],
      [1, 0, 0, 1, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 1, 0, 0],
      [0, 0, 0, 0, 0],
    ],
    unitSets: [
      [1, 0, 1, 1, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 1, 0, 0],
      [0, 0, 0, 1, 0],
      [0, 0, 0, 0, 1],
      [0, 0, 1, 0, 0],
    ],
  },
  'residual blocks, context in gates': { residual: true, contextAs: 'gates', activation: 'silu' },
  'residual blocks, context in shifts': { residual: true, contextAs: 'shifts', transformer: affine },
  'context beside the values': { contextAs: 'inputs', activation: 'gelu' },
  'context in shifts': { contextAs: 'shifts', activation: 'tanh', order: [4, 3, 2, 1, 0] },
};

function layerOf(what: Case) {
  const { transformer = spline, residual, activation, unitSets, contextAs, rows: _, ...who } = what;
  const hiddenUnits = unitSets?.length ?? 13;
  return new MaskedAutoregressive({
    inputShape: [5],
    transformer: transformer(),
    network: (adjacency, outputsPerValue) => {
      const options = { adjacency, outputsPerValue, activation, seed: 1 };
      const context = contextAs && { context: 2, contextAs };
      return residual
        ? new MaskedResidualPerceptron({ ...options, ...context, hiddenUnits, unitSets })
        : new MaskedPerceptron({ ...options, ...(context as object), hiddenUnits: [9, 14] });
    },
    ...who,
  });
}

/** Value and logDet of the inverse, with weights drawn from a seed. */
async function inverseOn(backend: string, what: Case): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const random = new RandomStream(5);
  const layer = layerOf(what);
  for (const weight of layer.trainableWeights) {
    const drawn = random.normal(weight.shape, 0, 0.4);
    weight.assign(drawn);
    drawn.dispose();
  }
  const { rows = 21 } = what;
  const y = random.normal([rows, 5]);
  const context = what.contextAs && random.normal([rows, 2]);
  const { value, logDet } = layer.inverse(y, context);
  const results = [value, logDet].map((tensor) => tensor.dataSync<'float32'>().slice());
  tf.dispose([value, logDet, y, context ?? []]);
  layer.dispose();
  expect(tf.memory().numTensors).toBe(before);
  await tf.setBackend('wasm');
  return results;
}

describe.each([1, 2])('fused sweeps equal ordinary ones on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  it.each(Object.entries(cases))('%s', async (_, what) => {
    const kernels = vi.spyOn(tf.engine() as unknown as { runKernel(name: string): void }, 'runKernel');
    const fused = await inverseOn('wasm', what);
    expect(kernels.mock.calls.filter(([name]) => name === 'FlowSweep')).toHaveLength(1);
    kernels.mockRestore();
    const ordinary = await inverseOn('cpu', what);
    ordinary.forEach((expected, i) => {
      // Every value is found from those before it, with their rounding.
      expect(distance(expected, fused[i]), `result ${i}`).toBeLessThan(5e-5);
    });
  });
});

describe('a sweep', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  it('has gradients on a tape, by ordinary ops', () => {
    const layer = layerOf({});
    const y = new RandomStream(2).normal([4, 5]);
    const gradient = tf.tidy(() =>
      tf
        .grad((given) => tf.sum(layer.inverse(given).value))(y)
        .dataSync(),
    );
    for (const entry of gradient) expect(entry).toBeCloseTo(1, 5);
    layer.dispose();
  });

  it('takes a transformer whose map was replaced as it is', () => {
    class Tripled extends AffineTransformer {
      override inverse(y: tf.Tensor, parameters: tf.Tensor) {
        const { value, logDerivative } = super.inverse(y, parameters);
        return { value: tf.mul(value, 3) as tf.Tensor, logDerivative };
      }
    }
    const [own, ours] = [Tripled, AffineTransformer].map((Kind) => {
      const layer = layerOf({ transformer: () => new Kind() });
      const value = tf.tidy(() => layer.inverse(tf.ones([1, 5])).value.dataSync());
      layer.dispose();
      return [...value];
    });
    expect(ours).toEqual([1, 1, 1, 1, 1]);
    expect(own).toEqual([3, 3, 3, 3, 3]);
  });
});
