import * as tf from '@tensorflow/tfjs-core';

/*
 * Fused operations: one kernel for what ordinary ops do in many passes. A backend has them or not; every caller keeps
 * an ordinary form with the same result (to 1e-5 relative), and asks here which to take.
 */

/** Names of the fused kernels that stand for ordinary ops. */
export type FusedKernel =
  | 'FlowConvolutions'
  | 'FlowAffineCoupling'
  | 'FlowScaleChannels'
  | 'FlowScaledLinear'
  | 'FlowAdaptiveStep'
  | 'FlowGlobalNorm';

/** Whether the active backend has a fused kernel. */
export function hasFused(kernel: FusedKernel): boolean {
  return tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

/** Whether the active backend's values lie in the host's memory, so that small matrices are best computed in float64 there. */
export function computesOnHost(): boolean {
  return tf.getBackend() === 'wasm';
}

/** Whether values can be read at once. On webgpu that stalls the device and takes a canvas, which not every place provides. */
export function readsAtOnce(): boolean {
  return tf.getBackend() !== 'webgpu';
}

function run(kernel: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap = {}): tf.Tensor[] {
  return tf.engine().runKernel(kernel, inputs, attributes) as tf.Tensor[];
}

/** One layer of `fusedConvolutions`: (conv(x, filter) + offset) * exp(logScale), then relu except in the last. */
export interface FusedLayer {
  /** [size, size, inputs, outputs] */
  filter: tf.Tensor4D;
  /** [outputs], or [1, h, w, outputs] for one per position. */
  offset: tf.Tensor;
  /** [outputs]; absent for a factor of 1. */
  logScale?: tf.Tensor1D;
}

/**
 * A stack of 'same' convolutions of stride 1 with relu between them, forward and backward in one op each.
 *
 * @param x [n, h, w, c]
 * @returns [n, h, w, outputs of the last layer]
 */
export function fusedConvolutions(x: tf.Tensor4D, layers: readonly FusedLayer[]): tf.Tensor4D {
  const weights = layers.flatMap(({ filter, offset, logScale }) =>
    logScale === undefined ? [filter, offset] : [filter, offset, logScale],
  );
  const scaled = layers.map(({ logScale }) => (logScale === undefined ? 0 : 1));
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [input, ...parameters] = args as tf.Tensor[];
    const [value, ...hidden] = run('FlowConvolutions', named({ input, parameters }), { scaled });
    save([input, ...parameters, value, ...hidden]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [x0, ...others] = saved;
      const inputs = {
        dy,
        ...named({
          input: x0,
          parameters: others.slice(0, parameters.length),
          outputs: others.slice(parameters.length),
        }),
      };
      return run('FlowConvolutionsGradient', inputs, { scaled });
    };
    return { value, gradFunc };
  });
  return operation(x, ...weights) as tf.Tensor4D;
}

/** Groups of tensors under names, numbered within a group: { input, parameters0, parameters1, ... }. */
function named(groups: Record<string, tf.Tensor | tf.Tensor[]>): tf.NamedTensorMap {
  const result: tf.NamedTensorMap = {};
  for (const [name, group] of Object.entries(groups)) {
    if (Array.isArray(group)) for (const [i, tensor] of group.entries()) result[`${name}${i}`] = tensor;
    else result[name] = group;
  }
  return result;
}

/** Which coupling `fusedAffineCoupling` computes. */
export interface FusedCouplingOptions {
  /** Leading channels that pass unchanged. */
  kept: number;
  scale: 'sigmoid' | 'exp';
  inverse: boolean;
}

/**
 * Affine coupling of the last channels with its log-determinant.
 *
 * @param x [n, ..., c]
 * @param parameters [n, ..., 2 (c - kept)], [shift | raw]
 * @returns value like x, and logDet [n]
 */
export function fusedAffineCoupling(
  x: tf.Tensor,
  parameters: tf.Tensor,
  options: FusedCouplingOptions,
): { value: tf.Tensor; logDet: tf.Tensor1D } {
  const [value, logDet] = run('FlowAffineCoupling', { x, parameters }, { ...options });
  return { value, logDet: logDet as tf.Tensor1D };
}

// customGrad allows one result only; a registered gradient allows two.
tf.registerGradient({
  kernelName: 'FlowAffineCoupling',
  inputsToSave: ['x', 'parameters'],
  gradFunc: (dys, [x, parameters], attributes) => {
    const [dy, dLogDet] = dys as tf.Tensor[];
    const inputs = { x, parameters, dy, dLogDet };
    const [dx, dParameters] = run('FlowAffineCouplingGradient', inputs, attributes);
    return { x: () => dx, parameters: () => dParameters };
  },
});

/**
 * (x + offset) * exp(logScale), per channel.
 *
 * @param x [..., c], offset [c], logScale [c]
 */
export function fusedScaleChannels(x: tf.Tensor, offset: tf.Tensor, logScale: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [input, b, l] = args as tf.Tensor[];
    const [value] = run('FlowScaleChannels', { input, offset: b, logScale: l });
    save([value, l]);
    const gradFunc = (dy: tf.Tensor, [y, logScaleThen]: tf.Tensor[]) =>
      run('FlowScaleChannelsGradient', { dy, y, logScale: logScaleThen });
    return { value, gradFunc };
  });
  return operation(x, offset, logScale);
}

/** Euclidean norm of all tensors together, summed in float64. */
export function fusedGlobalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  return run('FlowGlobalNorm', named({ tensor: [...tensors] }))[0] as tf.Scalar;
}

/** Constants of one step of Adam or Adamax. */
export interface AdaptiveStep {
  kind: 'adam' | 'adamax';
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 - beta1^t, and 1 - beta2^t (unused by Adamax). */
  bias1: number;
  bias2: number;
}

/** Weights with their gradients and moments, all in one order. */
export interface AdaptiveState {
  weight: tf.Tensor[];
  gradient: tf.Tensor[];
  first: tf.Tensor[];
  second: tf.Tensor[];
}

/** One step of Adam or Adamax on all weights: their new values and moments. */
export function fusedAdaptiveStep(state: AdaptiveState, step: AdaptiveStep): Omit<AdaptiveState, 'gradient'> {
  const results = run('FlowAdaptiveStep', named({ ...state }), { ...step });
  const n = state.weight.length;
  return { weight: results.slice(0, n), first: results.slice(n, 2 * n), second: results.slice(2 * n) };
}

/** Beyond so many channels a linear map is bound by its products alone, and the ordinary ones block them better. */
const MOST_LINEAR_CHANNELS = 192;

/** Whether `fusedScaledLinear` is the way to go for so many channels. */
export function hasFusedLinear(channels: number): boolean {
  return hasFused('FlowScaledLinear') && channels <= MOST_LINEAR_CHANNELS;
}

/** Weights of `fusedScaledLinear`. */
export interface FusedLinearWeights {
  /** [c] */
  offset: tf.Tensor;
  /** [c] */
  logScale: tf.Tensor;
  /** [c, c]; in the inverse of a map the inverse of its matrix. */
  matrix: tf.Tensor2D;
}

/**
 * Channels shifted, scaled and multiplied by a matrix at every position:
 *
 *     y = ((x + offset) * exp(logScale)) matrix,    inverse: y = (x matrix) * exp(-logScale) - offset
 *
 * @param x [..., c]
 */
export function fusedScaledLinear(x: tf.Tensor, weights: FusedLinearWeights, inverse: boolean): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [input, offset, logScale, matrix] = args as tf.Tensor[];
    const [value] = run('FlowScaledLinear', { input, offset, logScale, matrix }, { inverse });
    save([input, offset, logScale, matrix]);
    const gradFunc = (dy: tf.Tensor, [x0, b, l, m]: tf.Tensor[]) =>
      run('FlowScaledLinearGradient', { dy, input: x0, offset: b, logScale: l, matrix: m }, { inverse });
    return { value, gradFunc };
  });
  return operation(x, weights.offset, weights.logScale, weights.matrix);
}
