import type * as tf from '@tensorflow/tfjs-core';
import { hasKernels, runKernel } from '../../engine/kernels';
import { isTaped, record } from '../../engine/tape';
import type { Activation } from './activations';
import type { LayerForm } from './denseLayers';

/** How one layer stands in a perceptron, wherever its weights started. */
export type FusedForm = Omit<LayerForm, 'start' | 'biasStart'>;

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

/** A perceptron as fused operations take it. */
export interface FusedPerceptron {
  layers: readonly FusedWeights[];
  /** Like the kernels; none where nothing is masked. They live as long as the network. */
  masks: readonly tf.Tensor[];
  plan: PerceptronPlan;
  /** What is left out of n rows now: the same whenever a step asks. */
  dropout(n: number): FusedDropout;
}

/** What a training step leaves out. */
export interface FusedDropout {
  /** The share that is left in. */
  share: number;
  /** For each layer that drops, [n, inputs]: 0 for what is left out of what it reads, 1 / share for the rest. */
  masks: readonly tf.Tensor[];
}

/** Whether the active backend has `fusedPerceptron`; its ordinary form is `DenseStack.compute`. */
export function hasFusedPerceptron(): boolean {
  return hasKernels('FlowPerceptron', 'FlowPerceptronGradient');
}

/** x, the context and all weights in a row: what a perceptron's gradients are by. */
export function perceptronInputs(
  x: tf.Tensor,
  context: tf.Tensor | undefined,
  layers: readonly FusedWeights[],
): tf.Tensor[] {
  const inputs = context === undefined ? [x] : [x, context];
  for (const { kernel, bias, contextKernel, contextBias } of layers) {
    inputs.push(kernel, bias);
    if (contextKernel !== undefined) inputs.push(contextKernel, contextBias as tf.Tensor);
  }
  return inputs;
}

/**
 * A perceptron of any kind, forward and backward in one op each.
 *
 *     FlowPerceptron [x, context?, ...weights, ...masks, ...dropout] -> output, records (what the gradient needs; none unless `taped`)
 *     FlowPerceptronGradient [dy, x, context?, ...weights, ...masks, ...dropout, records] -> gradients in x, the context and every weight
 *
 * The weights of a layer are its kernel and bias, then those of its context. Where a mask is 0 a weight counts for nothing and has a
 * gradient of 0. Where the attribute `share` is 1, nothing is dropped and no masks of dropout are given.
 *
 * @param x [n, d], of which the first columns are read
 * @param context [n, plan.context]
 * @returns [n, outputs of the last layer]
 */
export function fusedPerceptron(
  x: tf.Tensor,
  context: tf.Tensor | undefined,
  { layers, masks, plan, dropout }: FusedPerceptron,
): tf.Tensor {
  const inputs = perceptronInputs(x, context, layers);
  const { share, masks: dropped } = dropout(x.shape[0]);
  const taped = isTaped();
  const [result] = record(inputs, () => {
    const given = [...inputs, ...masks, ...dropped];
    const [output, ...records] = runKernel('FlowPerceptron', given, { plan, share, taped });
    return {
      results: [output],
      needed: [...inputs, ...dropped, ...records],
      gradient: ([dy], needed) => {
        const own = [dy, ...needed.slice(0, inputs.length), ...masks, ...needed.slice(inputs.length)];
        return runKernel('FlowPerceptronGradient', own, { plan, share });
      },
    };
  });
  return result;
}
