import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from 'tfjs-flows';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PerceptronPlan } from '../../src/layers/networks/fusedPerceptron';
import { recordFloats } from '../../src/wasm/perceptronLayout';

type Shapes = Record<string, number[]> | number[][];

interface Kernel {
  name: string;
  inputs: Shapes;
  attributes?: object;
  /** Inputs of int32 by position. */
  integers?: number[];
}

const square = { permutation: [3, 3], lower: [3, 3], upper: [3, 3], sign: [3], logScale: [3] };
const affine = { offset: [3], logScale: [3] };
const coupling = { kept: 1, scale: 'exp', inverse: false };
const spline = { kind: 'spline', bins: 4, bound: 3, tails: 'linear', minimum: 1e-3, kept: 1, inverse: false };
const sweep = {
  activation: 'relu',
  levels: [0, 1],
  outputsPerValue: 2,
  layers: [
    { levels: [1, 1, 1], activated: false, gated: true },
    { levels: [0, 0, 1, 1], activated: true, gated: false },
  ],
  transformer: { kind: 'affine', scale: 'exp', bound: 2 },
};
const twoLayers = [[3, 3, 1, 5], [5], [5], [1, 1, 5, 4], [4]];
const outputs = [
  [2, 4, 4, 5],
  [2, 4, 4, 4],
];
/** Two layers, the second of which is gated by a context of 2 and added to the first. */
const plan: PerceptronPlan = {
  forms: [
    { inputs: 5, outputs: 4, activated: false, dropped: false },
    { inputs: 4, outputs: 4, activated: true, dropped: true, context: 'gate', skip: 0 },
  ],
  activation: 'silu',
  context: 2,
  masked: false,
};
const records = recordFloats(plan, 3);
const perceptron = [[3, 3], [3, 2], [5, 4], [4], [4, 4], [4], [2, 4], [4]];
const step = {
  kind: 'adam',
  beta1: 0.9,
  beta2: 0.99,
  bias1: 0.1,
  bias2: 0.01,
  learningRate: 0.1,
  epsilon: 1e-7,
  seed: 1,
  weights: 2,
};
const weights = [[40, 30], [7]];

/** Every kernel that fused operations call, as they call it. */
const kernels: Kernel[] = [
  { name: 'FlowScaleChannels', inputs: { input: [2, 5, 3], ...affine } },
  { name: 'FlowScaleChannelsGradient', inputs: { dy: [2, 5, 3], y: [2, 5, 3], logScale: [3] } },
  { name: 'FlowUnscaleChannels', inputs: { input: [2, 5, 3], ...affine } },
  { name: 'FlowUnscaleChannelsGradient', inputs: { dx: [2, 5, 3], x: [2, 5, 3], ...affine } },
  { name: 'FlowAffineCoupling', inputs: { x: [2, 5, 3], parameters: [2, 5, 4] }, attributes: coupling },
  {
    name: 'FlowAffineCouplingGradient',
    inputs: { x: [2, 5, 3], parameters: [2, 5, 4], dy: [2, 5, 3], dLogDet: [2] },
    attributes: coupling,
  },
  { name: 'FlowSpline', inputs: { x: [2, 5, 3], parameters: [2, 5, 22] }, attributes: spline },
  {
    name: 'FlowSplineGradient',
    inputs: { x: [2, 5, 3], parameters: [2, 5, 22], dy: [2, 5, 3], dLogDet: [2] },
    attributes: spline,
  },
  {
    name: 'FlowAffine',
    inputs: { x: [2, 5, 3], parameters: [2, 5, 4] },
    attributes: { kind: 'affine', scale: 'exp', bound: 2, kept: 1, inverse: false },
  },
  {
    name: 'FlowAffineGradient',
    inputs: { x: [2, 5, 3], parameters: [2, 5, 4], dy: [2, 5, 3], dLogDet: [2] },
    attributes: { kind: 'affine', scale: 'exp', bound: 2, kept: 1, inverse: false },
  },
  {
    name: 'FlowSweep',
    inputs: [[5, 2], [2, 3], [3], [5, 3], [3, 4], [5, 4]],
    attributes: sweep,
  },
  {
    name: 'FlowConvolutions',
    inputs: [[2, 4, 4, 1], ...twoLayers],
    attributes: { factors: [1, 0] },
  },
  {
    name: 'FlowConvolutionsGradient',
    inputs: [[2, 4, 4, 4], [2, 4, 4, 1], ...twoLayers, ...outputs],
    attributes: { factors: [1, 0] },
  },
  {
    name: 'FlowNetworkCoupling',
    inputs: [[2, 4, 4, 3], ...twoLayers],
    attributes: { ...coupling, factors: [1, 0] },
  },
  {
    name: 'FlowNetworkCouplingGradient',
    inputs: [[2, 4, 4, 3], [2], [2, 4, 4, 3], ...twoLayers, ...outputs],
    attributes: { ...coupling, factors: [1, 0] },
  },
  {
    name: 'FlowNetworkCouplingReverse',
    inputs: [[2, 4, 4, 3], [2, 4, 4, 3], [2], ...twoLayers],
    attributes: { ...coupling, factors: [1, 0] },
  },
  { name: 'FlowPerceptron', inputs: perceptron, attributes: { plan, taped: false } },
  {
    name: 'FlowPerceptron',
    inputs: [...perceptron, [5, 4], [4, 4]],
    attributes: { plan: { ...plan, masked: true }, taped: true },
  },
  {
    name: 'FlowPerceptron',
    inputs: [...perceptron, [3, 4]],
    attributes: { plan, share: 0.75, taped: true },
  },
  {
    name: 'FlowPerceptronGradient',
    inputs: [[3, 4], ...perceptron, [3, 4], [records]],
    attributes: { plan, share: 0.75 },
  },
  {
    name: 'FlowPerceptronGradient',
    inputs: [[3, 4], ...perceptron, [records]],
    attributes: { plan },
  },
  {
    name: 'FlowPerceptronCoupling',
    inputs: [[3, 5], ...perceptron.slice(1)],
    attributes: { ...coupling, kept: 3, plan, taped: false },
  },
  {
    name: 'FlowPerceptronCouplingGradient',
    inputs: [[3, 5], [3], [3, 5], ...perceptron.slice(1), [3, 4], [records]],
    attributes: { ...coupling, kept: 3, plan },
  },
  { name: 'FlowOrderChannels', inputs: { x: [2, 4, 3] }, attributes: { order: Int32Array.of(2, 0, 1) } },
  { name: 'FlowLuMatrix', inputs: square },
  { name: 'FlowLuMatrixGradient', inputs: { permutation: [3, 3], factors: [3, 3], dy: [3, 3], dLogDet: [] } },
  {
    name: 'FlowScaledLinear',
    inputs: { input: [2, 5, 3], ...affine, matrix: [3, 3], logDet: [] },
    attributes: { inverse: false },
  },
  {
    name: 'FlowScaledLinearGradient',
    inputs: { dy: [2, 5, 3], dLogDet: [2], input: [2, 5, 3], ...affine, matrix: [3, 3] },
    attributes: { inverse: false },
  },
  {
    name: 'FlowAdaptiveStep',
    inputs: [...weights, ...weights, ...weights, ...weights, []],
    attributes: step,
  },
  {
    name: 'FlowCompactStep',
    inputs: [...weights, ...weights, ...weights, []],
    attributes: step,
    integers: [2, 3],
  },
  {
    name: 'FlowCompactStepBfloat16',
    inputs: [...weights, ...weights, [600], [4], []],
    attributes: step,
    integers: [2, 3, 4, 5],
  },
  { name: 'FlowToBfloat16', inputs: { x: [9] } },
  { name: 'FlowFromBfloat16', inputs: { x: [5] }, attributes: { shape: [3, 3] }, integers: [0] },
];

const cases = kernels.flatMap(({ name, inputs, ...rest }) =>
  Object.keys(inputs).map((input, position) => ({ name, input, position, inputs, ...rest })),
);

/** Runs a kernel on ones, one of its inputs being made otherwise. */
function run(
  { name, inputs, attributes, integers = [] }: Kernel,
  changed: number,
  change: (shape: number[], dtype: 'float32' | 'int32') => tf.Tensor,
): number {
  return tf.tidy(() => {
    const tensors = Object.entries(inputs).map(([key, shape], position) => {
      const dtype = integers.includes(position) ? 'int32' : 'float32';
      return [key, position === changed ? change(shape, dtype) : tf.ones(shape, dtype)] as const;
    });
    const given = Array.isArray(inputs) ? tensors.map(([, tensor]) => tensor) : Object.fromEntries(tensors);
    const results = tf.engine().runKernel(name, given as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
    return Array.isArray(results) ? results.length : 1;
  });
}

describe('kernels of fused operations', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  it.each(kernels)('$name takes what it declares, and holds nothing but its results', (kernel) => {
    const before = tf.backend().numDataIds();
    expect(run(kernel, -1, () => tf.scalar(0))).toBeGreaterThanOrEqual(0);
    expect(tf.backend().numDataIds()).toBe(before);
  });

  it.each(cases)('$name refuses another type of $input, by name', ({ position, input, ...kernel }) => {
    const before = tf.memory().numTensors;
    const otherwise = () =>
      run(kernel, position, (shape, dtype) => tf.ones(shape, dtype === 'int32' ? 'bool' : 'int32'));
    expect(otherwise).toThrow(BackendError);
    expect(otherwise).toThrow(new RegExp(`${kernel.name}.*${input} of type.*(int32|bool)`));
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(cases.filter(({ name }) => name !== 'FlowToBfloat16'))(
    '$name refuses another size of $input, by name',
    ({ position, input, ...kernel }) => {
      const otherwise = () => run(kernel, position, (shape, dtype) => tf.ones([...shape, 5], dtype));
      expect(otherwise).toThrow(BackendError);
      expect(otherwise).toThrow(kernel.name);
    },
  );

  it('leave weights alone where a moment is smaller, or a gradient of another size', () => {
    const [weight, first, second] = [8, 4, 8].map((size) => tf.fill([size], 2));
    const gradient = tf.fill([8], 1);
    const short = tf.fill([7], 1);
    const run = (...tensors: tf.Tensor[]) =>
      tf.engine().runKernel('FlowAdaptiveStep', tensors as never, { ...step, weights: 1 } as never);
    expect(() => run(weight, first, second, gradient)).toThrow(
      /FlowAdaptiveStep.*input 1 of 8 values, got 4/,
    );
    expect(() => run(weight, second, second, short)).toThrow(/FlowAdaptiveStep.*input 3 of 8 values, got 7/);
    expect(() => run(weight, second, gradient)).not.toThrow();
    expect(() => run(weight, second)).toThrow(/FlowAdaptiveStep.*input 2 to be there, got none/);
    tf.dispose([weight, first, second, gradient, short]);
  });
});

describe('kernels in place of stock ones', () => {
  it('hand other types on, and complain where there is no other kernel', () => {
    const before = wasmReport().fallbacks.Sum ?? 0;
    const total = tf.tidy(() => tf.sum(tf.tensor1d([1, 2, 3], 'int32')).dataSync()[0]);
    expect(total).toBe(6);
    expect(wasmReport().fallbacks.Sum).toBe(before + 1);
    const image = () => tf.ones([1, 4, 4, 2], 'int32');
    const filter = () => tf.ones([3, 3, 2, 1]);
    expect(() =>
      tf.tidy(() =>
        tf.engine().runKernel('DepthwiseConv2dNativeBackpropInput', { dy: image(), filter: filter() }, {
          strides: [1, 1],
          pad: 'same',
          dilations: [1, 1],
          inputShape: [1, 4, 4, 2],
        } as never),
      ),
    ).toThrow(/DepthwiseConv2dNativeBackpropInput.*dy of type float32, got int32/);
  });
});
