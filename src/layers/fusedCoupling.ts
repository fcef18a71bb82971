import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../engine/kernels';
import { isTaped, record } from '../engine/tape';
import type { ChannelOrder } from './channelOrder';
import { type FusedLayer, type WeightsInRow, weightsInRow } from './networks/fusedConvolutions';
import { type FusedPerceptron, perceptronInputs } from './networks/fusedPerceptron';
import type { ScaleMap } from './scaleMaps';
import type { Reversed, Transformed } from './transformed';

/** Which affine coupling is computed. */
export interface FusedCouplingOptions {
  /** Leading channels that pass unchanged. */
  kept: number;
  scale: ScaleMap;
  inverse: boolean;
}

/** A coupling whose channels are brought into an order before it, and back from another after it. */
export interface OrderedCouplingOptions extends FusedCouplingOptions {
  before?: ChannelOrder;
  after?: ChannelOrder;
}

/** Whether the active backend has `fusedAffineCoupling`; its ordinary form is `AffineCoupling.transform`. */
export function hasFusedAffineCoupling(): boolean {
  return hasKernels('FlowAffineCoupling', 'FlowAffineCouplingGradient');
}

/**
 * Affine coupling of the last channels with its log-determinant.
 *
 *     FlowAffineCoupling { x, parameters } -> value, logDet [n]
 *     FlowAffineCouplingGradient { x, parameters, dy, dLogDet } -> gradients in x and the parameters
 *
 * @param x [n, ..., c]
 * @param parameters [n, ..., 2 (c - kept)], [shift | raw]
 */
export function fusedAffineCoupling(
  x: tf.Tensor,
  parameters: tf.Tensor,
  options: FusedCouplingOptions,
): Transformed {
  const [value, logDet] = record([x, parameters], () => ({
    results: runKernel('FlowAffineCoupling', { x, parameters }, options),
    needed: [x, parameters],
    gradient: ([dy, dLogDet], [x0, parameters0]) => {
      const inputs = { x: x0, parameters: parameters0, dy, dLogDet };
      return runKernel('FlowAffineCouplingGradient', inputs, options);
    },
  }));
  return { value, logDet: logDet as tf.Tensor1D };
}

/** Whether the active backend has `fusedNetworkCoupling`; its ordinary form is the network, then the coupling. */
export function hasFusedNetworkCoupling(): boolean {
  return hasKernels('FlowNetworkCoupling', 'FlowNetworkCouplingGradient');
}

/**
 * As `fusedAffineCoupling`, the parameters being what a stack of convolutions reads in the channels that pass.
 *
 *     FlowNetworkCoupling [x, ...weights] -> value, logDet [n], the outputs of all layers
 *     FlowNetworkCouplingGradient [dy, dLogDet, x, ...weights, ...outputs] -> gradients in x and in every weight
 *
 * @param x [n, h, w, c] or [n, c]
 */
export function fusedNetworkCoupling(
  x: tf.Tensor,
  layers: readonly FusedLayer[],
  options: FusedCouplingOptions,
): Transformed {
  const { weights, factors } = weightsInRow(layers);
  return withNetwork('FlowNetworkCoupling', [x, ...weights], [], { ...options, factors });
}

/** Whether the active backend has `reverseNetworkCoupling`; its ordinary form is `Coupling.passBack`. */
export function hasReverseNetworkCoupling(): boolean {
  return hasKernels('FlowNetworkCouplingReverse');
}

/**
 * A step of `reverse` through `fusedNetworkCoupling`: its network runs once, for the inverse and for the gradients.
 *
 *     FlowNetworkCouplingReverse [y, dy, dLogDet, ...weights] -> x, gradient in x, gradients in every weight
 *
 * @param dLogDet gradient by the logDet, [n]
 * @param weights as `weightsInRow` gives them
 * @returns the gradients of the weights in their order
 */
export function reverseNetworkCoupling(
  { value, gradient }: Reversed,
  dLogDet: tf.Tensor,
  { weights, factors }: WeightsInRow,
  options: Pick<FusedCouplingOptions, 'kept' | 'scale'>,
): Reversed & { ofWeights: tf.Tensor[] } {
  const [x, dx, ...ofWeights] = record([], () => ({
    results: runKernel('FlowNetworkCouplingReverse', [value, gradient, dLogDet, ...weights], {
      ...options,
      factors,
    }),
    needed: [],
    gradient: () => [],
  }));
  return { value: x, gradient: dx, ofWeights };
}

/** Whether the active backend has `fusedPerceptronCoupling`; its ordinary form is the network, then the coupling. */
export function hasFusedPerceptronCoupling(): boolean {
  return hasKernels('FlowPerceptronCoupling', 'FlowPerceptronCouplingGradient');
}

/**
 * As `fusedAffineCoupling`, the parameters being what a perceptron without masks reads in the channels that pass, and in the context.
 *
 *     FlowPerceptronCoupling [x, context?, ...weights, ...dropout] -> value, logDet [n], parameters, records (none unless `taped`)
 *     FlowPerceptronCouplingGradient [dy, dLogDet, x, context?, ...weights, ...dropout, parameters, records]
 *       -> gradients in x, the context and every weight
 *
 * Dropout as in `fusedPerceptron`.
 *
 * @param x [n, c]
 */
export function fusedPerceptronCoupling(
  x: tf.Tensor,
  context: tf.Tensor | undefined,
  { layers, plan, dropout }: FusedPerceptron,
  options: OrderedCouplingOptions,
): Transformed {
  const inputs = perceptronInputs(x, context, layers);
  const { share, masks } = dropout(x.shape[0]);
  return withNetwork('FlowPerceptronCoupling', inputs, masks, { ...options, plan, share, taped: isTaped() });
}

/** A kernel that computes a coupling and its network, and what its gradient needs of the network behind value and logDet. */
function withNetwork(
  kernel: string,
  inputs: readonly tf.Tensor[],
  constants: readonly tf.Tensor[],
  attributes: object,
): Transformed {
  const [value, logDet] = record(inputs, () => {
    const [y, logDetOfY, ...inner] = runKernel(kernel, [...inputs, ...constants], attributes);
    return {
      results: [y, logDetOfY],
      needed: [...inputs, ...constants, ...inner],
      gradient: (dys, needed) => runKernel(`${kernel}Gradient`, [...dys, ...needed], attributes),
    };
  });
  return { value, logDet: logDet as tf.Tensor1D };
}
