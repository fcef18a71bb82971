import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { AdaptiveStep } from '../training/fusedAdaptiveStep';
import type { CompactStep } from '../training/fusedCompactStep';
import { floatWord, type KernelModule } from './kernelModule';
import type { KernelCall } from './register';

/** Values per segment: enough to keep a thread busy, few enough to share a large weight. */
const SEGMENT = 16384;
/** Words that a segment of a step takes. */
const STEP_WORDS = 5;

/** Cuts so many values into segments: the count of each, then what there is to say of one that begins at the given value. */
function cut(size: number, describe: (start: number) => number[]): number[] {
  const words: number[] = [];
  for (let start = 0; start < size; start += SEGMENT) {
    words.push(Math.min(SEGMENT, size - start), ...describe(start));
  }
  return words;
}

/** Where values lie, and in how many bytes each: two of bfloat16 share an int32. Nowhere: 0. */
function valuesOf(kernels: KernelModule, tensor: TensorInfo | undefined): { at: number; bytes: 2 | 4 } {
  return { at: tensor === undefined ? 0 : kernels.pointer(tensor), bytes: tensor?.dtype === 'int32' ? 2 : 4 };
}

interface Count {
  weights: number;
}

/** [...weights, ...first moments, ...second moments, ...gradients, gradientScale], the last two or none, all changed in place but the gradients. */
export function adaptiveStep(call: KernelCall<string, AdaptiveStep & Count>): TensorInfo[] {
  const { inputs, attrs, kernels } = call;
  const tensors = Object.values(inputs);
  const words = tensors.slice(0, attrs.weights).flatMap(({ shape }, i) => {
    const addresses = [0, 1, 2, 3].map((group) => valuesOf(kernels, tensors[group * attrs.weights + i]).at);
    return cut(util.sizeFromShape(shape), (start) => addresses.map((at) => at && at + start * 4));
  });
  adapt(call, 'adapt', words, attrs.kind === 'adam' ? 0 : 1, tensors[4 * attrs.weights]);
  return [];
}

/** [...weights, ...moments, ...gradients, gradientScale], the last two or none, all changed in place but the gradients. */
export function compactStep(call: KernelCall<string, CompactStep & Count>): TensorInfo[] {
  const { inputs, attrs, kernels } = call;
  const tensors = Object.values(inputs);
  const words = tensors.slice(0, attrs.weights).flatMap((tensor, i) => {
    const weight = kernels.pointer(tensor);
    const moments = kernels.pointer(tensors[attrs.weights + i]);
    const { at, bytes } = valuesOf(kernels, tensors[2 * attrs.weights + i]);
    return cut(util.sizeFromShape(tensor.shape), (start) => [
      weight + start * 4,
      moments + start * 4,
      at && at + start * bytes,
      bytes,
    ]);
  });
  adapt(call, 'adaptCompact', words, attrs.seed, tensors[3 * attrs.weights]);
  return [];
}

function adapt(
  { attrs, backend, kernels }: KernelCall<string, Omit<AdaptiveStep, 'kind'>>,
  entry: 'adapt' | 'adaptCompact',
  words: readonly number[],
  variant: number,
  gradientScale: TensorInfo | undefined,
): void {
  const [at] = kernels.scratch(words.length * 4);
  kernels.write(at, Int32Array.from(words));
  const constants = [
    attrs.beta1,
    attrs.beta2,
    1 - attrs.beta1,
    1 - attrs.beta2,
    1 / attrs.bias1,
    1 / attrs.bias2,
    attrs.learningRate,
    attrs.epsilon,
    gradientScale === undefined ? 1 : backend.typedArrayFromHeap(gradientScale)[0],
  ];
  kernels.run(entry, [at, words.length / STEP_WORDS, variant, ...constants.map(floatWord)]);
}

/** sqrt of the sum of the squares of all inputs, a scalar. */
export function globalNorm({ inputs, backend, kernels }: KernelCall<string, unknown>): TensorInfo[] {
  const words = Object.values(inputs).flatMap((tensor) => {
    const { at, bytes } = valuesOf(kernels, tensor);
    const size = util.sizeFromShape(tensor.shape) * (4 / bytes);
    return cut(size, (start) => [at + start * bytes, bytes]);
  });
  const output = backend.makeOutput([], 'float32');
  const count = words.length / 3;
  const [segments, parts] = kernels.scratch(words.length * 4, count * 8);
  kernels.write(segments, Int32Array.from(words));
  kernels.run('globalNorm', [segments, count, parts, kernels.pointer(output)]);
  return [output];
}
