import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { PerceptronPlan } from './fusedPerceptron';

/*
 * The inputs of a perceptron's kernels, taken apart for whichever backend computes them.
 */

export interface PerceptronAttributes {
  plan: PerceptronPlan;
  /** The share that dropout leaves. Default 1, without masks of dropout. */
  share?: number;
}

/** The weights of a layer, or of its context's. */
export interface LayerTensors {
  kernel: TensorInfo;
  bias: TensorInfo;
  mask?: TensorInfo;
  /** What dropout multiplies by: the result as the next layer reads it, and what this one reads. */
  dropout?: TensorInfo;
  sourceDropout?: TensorInfo;
}

/** The inputs of a perceptron's kernels. */
export interface PerceptronTensors {
  /** x, and the context where there is one. */
  sources: readonly TensorInfo[];
  /** Kernels and biases, as they are given. */
  weights: readonly TensorInfo[];
  /** The same by layers, those of contexts first. */
  layers: readonly LayerTensors[];
  share: number;
  rest: readonly TensorInfo[];
}

/** Takes a list of inputs apart that begins with x. */
export function perceptronTensors(
  inputs: readonly TensorInfo[],
  { plan, share = 1 }: PerceptronAttributes,
): PerceptronTensors {
  const { forms, masked } = plan;
  const first = plan.context > 0 ? 2 : 1;
  const ends = [first];
  for (const { context } of forms) ends.push(ends[ends.length - 1] + (context === undefined ? 2 : 4));
  const end = ends[forms.length];
  let next = masked ? end + forms.length : end;
  const dropouts = forms.map(({ dropped }) => (dropped && share < 1 ? inputs[next++] : undefined));
  const layers = forms.flatMap(({ context }, i): LayerTensors[] => {
    const [kernel, bias, contextKernel, contextBias] = inputs.slice(ends[i], ends[i + 1]);
    const mask = masked ? inputs[end + i] : undefined;
    const layer = { kernel, bias, mask, dropout: dropouts[i + 1], sourceDropout: dropouts[i] };
    return context === undefined ? [layer] : [{ kernel: contextKernel, bias: contextBias }, layer];
  });
  const [sources, weights] = [inputs.slice(0, first), inputs.slice(first, end)];
  return { sources, weights, layers, share, rest: inputs.slice(next) };
}

/** Number of values that a perceptron gives. */
export function outputsOf({ forms }: PerceptronPlan): number {
  return forms[forms.length - 1].outputs;
}

/** How many values of x the first layer reads; the context stands behind them, unless it has a layer of its own there. */
export function valuesOf({ forms, context }: PerceptronPlan): number {
  return forms[0].inputs - (forms[0].context === undefined ? context : 0);
}
