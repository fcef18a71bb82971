import * as tf from '@tensorflow/tfjs-core';
import { record } from '../engine/tape';

/*
 * Fused operations: one kernel for what ordinary ops do in many passes. A backend has them or not; every caller keeps
 * an ordinary form with the same result (to 1e-5 relative), and asks here which to take.
 */

/** Names of the fused kernels that stand for ordinary ops. */
export type FusedKernel =
  | 'FlowConvolutions'
  | 'FlowAffineCoupling'
  | 'FlowNetworkCoupling'
  | 'FlowScaleChannels'
  | 'FlowLuMatrix'
  | 'FlowScaledLinear'
  | 'FlowAdaptiveStep'
  | 'FlowCompactStep'
  | 'FlowToBfloat16'
  | 'FlowFromBfloat16'
  | 'FlowGlobalNorm';

/** Whether the active backend has a fused kernel. */
export function hasFused(kernel: FusedKernel): boolean {
  return tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

function run(kernel: string, inputs: tf.NamedTensorMap, attributes: object = {}): tf.Tensor[] {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor[];
}

/** A kernel's inputs by their places in a list: the engine hands them on as they are. */
function listed(...tensors: tf.Tensor[]): tf.NamedTensorMap {
  return tensors as unknown as tf.NamedTensorMap;
}

/** One layer of `fusedConvolutions`: (conv(x, filter) + offset) * exp(factor * logScale), then relu except in the last. */
export interface FusedLayer {
  /** [size, size, inputs, outputs], or [inputs, outputs]. */
  filter: tf.Tensor;
  /** [outputs], or [1, h, w, outputs] for one per position. */
  offset: tf.Tensor;
  /** [outputs]; absent for a factor of 1. */
  logScale?: tf.Tensor;
  /** Default 1. */
  logScaleFactor?: number;
}

/** The weights of all layers in a row, and where they scale. */
function flattened(layers: readonly FusedLayer[]): { weights: tf.Tensor[]; factors: number[] } {
  const weights = layers.flatMap(({ filter, offset, logScale }) =>
    logScale === undefined ? [filter, offset] : [filter, offset, logScale],
  );
  const factors = layers.map(({ logScale, logScaleFactor = 1 }) => (logScale ? logScaleFactor : 0));
  return { weights, factors };
}

/**
 * A stack of 'same' convolutions of stride 1 with relu between them, forward and backward in one op each.
 *
 * @param x [n, h, w, c], or [n, c] with filters of size 1
 * @returns [..., outputs of the last layer]
 */
export function fusedConvolutions(x: tf.Tensor, layers: readonly FusedLayer[]): tf.Tensor {
  const { weights, factors } = flattened(layers);
  const [result] = record([x, ...weights], () => {
    const outputs = run('FlowConvolutions', listed(x, ...weights), { factors });
    return {
      results: outputs.slice(-1),
      needed: [x, ...weights, ...outputs],
      gradient: ([dy], needed) => run('FlowConvolutionsGradient', listed(dy, ...needed), { factors }),
    };
  });
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
  const [value, logDet] = record([x, parameters], () => ({
    results: run('FlowAffineCoupling', { x, parameters }, options),
    needed: [x, parameters],
    gradient: ([dy, dLogDet], [x0, parameters0]) => {
      const inputs = { x: x0, parameters: parameters0, dy, dLogDet };
      return run('FlowAffineCouplingGradient', inputs, options);
    },
  }));
  return { value, logDet: logDet as tf.Tensor1D };
}

/**
 * As `fusedAffineCoupling`, the parameters being what a stack of convolutions reads in the channels that pass.
 *
 * @param x [n, h, w, c] or [n, c]
 */
export function fusedNetworkCoupling(
  x: tf.Tensor,
  layers: readonly FusedLayer[],
  options: FusedCouplingOptions,
): { value: tf.Tensor; logDet: tf.Tensor1D } {
  const { weights, factors } = flattened(layers);
  const attributes = { ...options, factors };
  const [value, logDet] = record([x, ...weights], () => {
    const [y, logDetOfY, ...outputs] = run('FlowNetworkCoupling', listed(x, ...weights), attributes);
    return {
      results: [y, logDetOfY],
      needed: [x, ...weights, ...outputs],
      gradient: (dys, needed) => run('FlowNetworkCouplingGradient', listed(...dys, ...needed), attributes),
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}

/**
 * (x + offset) * exp(logScale), per channel.
 *
 * @param x [..., c], offset [c], logScale [c]
 */
export function fusedScaleChannels(x: tf.Tensor, offset: tf.Tensor, logScale: tf.Tensor): tf.Tensor {
  const [result] = record([x, offset, logScale], () => {
    const [value] = run('FlowScaleChannels', { input: x, offset, logScale });
    const gradient = ([dy]: tf.Tensor[], [y, l]: tf.Tensor[]) =>
      run('FlowScaleChannelsGradient', { dy, y, logScale: l });
    return { results: [value], needed: [value, logScale], gradient };
  });
  return result;
}

/**
 * The inverse, y * exp(-logScale) - offset, as the same pass with other constants: (y - offset * exp(logScale)) * exp(-logScale).
 * For backends that compute on the host.
 *
 * @param y [..., c], offset [c], logScale [c]
 */
export function fusedUnscaleChannels(y: tf.Tensor, offset: tf.Tensor, logScale: tf.Tensor): tf.Tensor {
  const [result] = record([y, offset, logScale], () => {
    const exponents = logScale.dataSync<'float32'>();
    const moved = offset.dataSync<'float32'>().map((value, i) => -value * Math.exp(exponents[i]));
    const minus = tf.tensor1d(exponents.map((exponent) => -exponent));
    const [x] = run('FlowScaleChannels', { input: y, offset: tf.tensor1d(moved), logScale: minus });
    const gradient = ([dx]: tf.Tensor[], [x0, b, l, m]: tf.Tensor[]) => {
      const [dy, scaledSum, weightedSum] = run('FlowScaleChannelsGradient', { dy: dx, y: x0, logScale: m });
      const dOffset = tf.neg(tf.mul(scaledSum, tf.exp(l)));
      return [dy, dOffset, tf.sub(tf.mul(b, dOffset), weightedSum)];
    };
    return { results: [x], needed: [x, offset, logScale, minus], gradient };
  });
  return result;
}

/**
 * A float32 tensor's values in bfloat16 (their upper 16 bits, rounded to the nearest), two in each int32. It has no ordinary form: only
 * who gives them to `fusedCompactStep` has a use for them.
 */
export function toBfloat16(x: tf.Tensor): tf.Tensor1D {
  return run('FlowToBfloat16', { x })[0] as tf.Tensor1D;
}

/** The float32 tensor of values in bfloat16. */
export function fromBfloat16(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return run('FlowFromBfloat16', { x }, { shape })[0];
}

/** A tensor of this shape that may be in bfloat16: as it is where it is not. */
export function inFloat32(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  return x.dtype === 'float32' ? x : fromBfloat16(x, shape);
}

/** Euclidean norm of all tensors together, summed in float64. Those in bfloat16 count too. */
export function fusedGlobalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  return run('FlowGlobalNorm', listed(...tensors))[0] as tf.Scalar;
}

/** Constants of one step of Adam. */
interface StepConstants {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 - beta1^t, and 1 - beta2^t. */
  bias1: number;
  bias2: number;
  /** The gradients are multiplied by it. */
  gradientScale: number;
}

/** Constants of one step of Adam or Adamax; the latter takes no notice of `bias2`. */
export interface AdaptiveStep extends StepConstants {
  kind: 'adam' | 'adamax';
}

/** Weights with their moments, all in one order. */
export interface AdaptiveState {
  weight: readonly tf.Tensor[];
  first: readonly tf.Tensor[];
  second: readonly tf.Tensor[];
}

/** One step of Adam or Adamax on all weights; they and their moments are changed where they lie. */
export function fusedAdaptiveStep(
  { weight, first, second }: AdaptiveState,
  gradients: readonly tf.Tensor[],
  step: AdaptiveStep,
): void {
  const inputs = listed(...weight, ...first, ...second, ...gradients);
  run('FlowAdaptiveStep', inputs, { ...step, weights: weight.length });
}

/** Takes the weights back to before a step, to rounding; the moments stay as that step left them. */
export function fusedAdaptiveStepBack(state: AdaptiveState, step: AdaptiveStep): void {
  fusedAdaptiveStep(state, [], { ...step, learningRate: -step.learningRate });
}

/** Constants of one step of Adam with moments of 16 bits. */
export interface CompactStep extends StepConstants {
  /** What chance goes by as moments are rounded: another one in each step. */
  seed: number;
}

/** Weights with both their moments in one int32 each. */
export interface CompactState {
  weight: readonly tf.Tensor[];
  moments: readonly tf.Tensor[];
}

/** One step of Adam with moments of 16 bits on all weights; they and their moments are changed where they lie. Gradients may be in bfloat16. */
export function fusedCompactStep(
  { weight, moments }: CompactState,
  gradients: readonly tf.Tensor[],
  step: CompactStep,
): void {
  run('FlowCompactStep', listed(...weight, ...moments, ...gradients), { ...step, weights: weight.length });
}

/** Takes the weights back to before a step, to rounding; the moments stay as that step left them. */
export function fusedCompactStepBack(state: CompactState, step: CompactStep): void {
  fusedCompactStep(state, [], { ...step, learningRate: -step.learningRate });
}

/** Beyond so many channels a linear map is bound by its products alone, and the ordinary ones block them better. */
const MOST_LINEAR_CHANNELS = 192;

/** Whether `fusedScaledLinear` is the way to go for so many channels. */
export function hasFusedLinear(channels: number): boolean {
  return hasFused('FlowScaledLinear') && channels <= MOST_LINEAR_CHANNELS;
}

/** A square matrix that is computed of some weights, and the way back to them. */
export interface MatrixOfWeights {
  weights: readonly tf.Tensor[];
  /** Called off the tape. */
  compute(): {
    matrix(): tf.Tensor2D;
    /** log|det|, natural. */
    logDet: number;
    /** Gradients in the weights, from those in the matrix and in logDet. */
    gradient(ofMatrix: tf.Tensor2D, ofLogDet: number): tf.Tensor[];
  };
}

/** The matrix as a differentiable tensor. */
export function matrixTensor({ weights, compute }: MatrixOfWeights): tf.Tensor2D {
  const [result] = record(weights, () => {
    const { matrix, gradient } = compute();
    return { results: [matrix()], needed: [], gradient: ([dy]) => gradient(dy as tf.Tensor2D, 0) };
  });
  return result as tf.Tensor2D;
}

/** Weights of P L (U + diag(sign * exp(logScale))); what lies on the other side of a factor's diagonal is not looked at. */
export interface LuWeights {
  /** [c, c] */
  permutation: tf.Tensor;
  /** [c, c], with ones on its diagonal. */
  lower: tf.Tensor;
  /** [c, c] */
  upper: tf.Tensor;
  /** [c] */
  sign: tf.Tensor;
  /** [c] */
  logScale: tf.Tensor;
}

/** The matrix of an LU form, computed in float64; lower, upper and logScale are its weights. */
export function fusedLuMatrix(given: LuWeights): MatrixOfWeights {
  const { lower, upper, logScale } = given;
  const compute = () => ({
    matrix: () => run('FlowLuMatrix', { ...given })[0] as tf.Tensor2D,
    logDet: logScale.dataSync<'float32'>().reduce((sum, entry) => sum + entry, 0),
    gradient: (dy: tf.Tensor2D, ofLogDet: number) =>
      run('FlowLuMatrixGradient', { ...given, dy }, { ofLogDet }),
  });
  return { weights: [lower, upper, logScale], compute };
}

/** Weights of `fusedScaledLinear`. */
export interface FusedLinearWeights {
  /** [c] */
  offset: tf.Tensor;
  /** [c] */
  logScale: tf.Tensor;
  /** [c, c]; in the inverse of a map the inverse of its matrix. */
  matrix: MatrixOfWeights;
}

/**
 * Channels shifted, scaled and multiplied by a matrix at every position:
 *
 *     y = ((x + offset) * exp(logScale)) matrix,    inverse: y = (x matrix) * exp(-logScale) - offset
 *
 * @param x [n, ..., c]
 * @returns value like x, and logDet [n]
 */
export function fusedScaledLinear(
  x: tf.Tensor,
  weights: FusedLinearWeights,
  inverse: boolean,
): { value: tf.Tensor; logDet: tf.Tensor1D } {
  const { offset, logScale } = weights;
  const [value, logDet] = record([x, offset, logScale, ...weights.matrix.weights], () => {
    const computed = weights.matrix.compute();
    const matrix = computed.matrix();
    return {
      results: run(
        'FlowScaledLinear',
        { input: x, offset, logScale, matrix },
        { inverse, logDet: computed.logDet },
      ),
      needed: [x, offset, logScale, matrix],
      gradient: ([dy, dLogDet], [input, b, l, m]) => {
        const positions = tf.util.sizeFromShape(x.shape.slice(1)) / logScale.size;
        const ofLogDet = positions * dLogDet.dataSync<'float32'>().reduce((sum, given) => sum + given, 0);
        const inputs = { dy, input, offset: b, logScale: l, matrix: m };
        const [dx, dOffset, dLogScale, dMatrix] = run('FlowScaledLinearGradient', inputs, {
          inverse,
          ofLogDet,
        });
        return [dx, dOffset, dLogScale, ...computed.gradient(dMatrix as tf.Tensor2D, ofLogDet)];
      },
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}
