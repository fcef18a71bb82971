import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../../engine/kernels';
import { isTaped, record } from '../../engine/tape';
import type { Activation } from './activations';
import type { ContextUse } from './denseLayers';

/** How one layer stands in a perceptron, as {@link LayerForm} says. */
export interface FusedForm {
  inputs: number;
  outputs: number;
  activated: boolean;
  context?: ContextUse;
  skip?: number;
}

/** A perceptron but for its weights; one object for every call, by which a backend knows what it has worked out already. */
export interface PerceptronPlan {
  forms: readonly FusedForm[];
  activation: Activation;
  /** Number of values of the context; 0 for none. It stands behind the values that the first layer reads. */
  context: number;
  /** Whether every kernel has a mask. */
  masked: boolean;
}

/** The weights of a layer. */
export interface FusedWeights {
  /** [inputs, outputs] */
  kernel: tf.Tensor;
  /** [outputs] */
  bias: tf.Tensor;
  /** [context, outputs] and [outputs], where the context has a layer of its own here. */
  contextKernel?: tf.Tensor;
  contextBias?: tf.Tensor;
}

/** Whether the active backend has `fusedPerceptron`; its ordinary form is `DenseStack.compute`. */
export function hasFusedPerceptron(): boolean {
  return hasKernels('FlowPerceptron', 'FlowPerceptronGradient');
}

/**
 * A perceptron of any kind, forward and backward in one op each.
 *
 *     FlowPerceptron [x, context?, ...weights, ...masks] -> output, records (what the gradient needs; none unless `kept`)
 *     FlowPerceptronGradient [dy, x, context?, ...weights, ...masks, records] -> gradients in x, the context and every weight
 *
 * The weights of a layer are its kernel and bias, then those of its context. Where a mask is 0 a weight counts for nothing and has a
 * gradient of 0.
 *
 * @param x [n, d]
 * @param context [n, plan.context]
 * @param masks like the kernels; they live as long as the network and are not freed here
 * @returns [n, outputs of the last layer]
 */
export function fusedPerceptron(
  x: tf.Tensor,
  context: tf.Tensor | undefined,
  layers: readonly FusedWeights[],
  masks: readonly tf.Tensor[],
  plan: PerceptronPlan,
): tf.Tensor {
  const inputs = context === undefined ? [x] : [x, context];
  for (const { kernel, bias, contextKernel, contextBias } of layers) {
    inputs.push(kernel, bias);
    if (contextKernel !== undefined) inputs.push(contextKernel, contextBias as tf.Tensor);
  }
  const kept = isTaped();
  const [result] = record(inputs, () => {
    const [output, records] = runKernel('FlowPerceptron', [...inputs, ...masks], { plan, kept });
    return {
      results: [output],
      needed: kept ? [...inputs, records] : [],
      gradient: ([dy], needed) => {
        const [saved] = needed.slice(-1);
        const given = [dy, ...needed.slice(0, -1), ...masks, saved];
        return runKernel('FlowPerceptronGradient', given, { plan });
      },
    };
  });
  return result;
}
