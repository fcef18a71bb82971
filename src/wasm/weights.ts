import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { SEGMENT } from '../core/kernelConstants';
import type { AdaptiveStep } from '../training/fusedAdaptiveStep';
import type { CompactStep } from '../training/fusedCompactStep';
import { type Fields, wordsOf } from './blocks';
import type { KernelModule } from './kernelModule';
import type { KernelCall } from './register';

/** Cuts so many values into segments, and adds to `segments` what describes each from its first value and its count. */
function cut<Segment>(
  segments: Segment[],
  size: number,
  describe: (start: number, count: number) => Segment,
): void {
  for (let start = 0; start < size; start += SEGMENT) {
    segments.push(describe(start, Math.min(SEGMENT, size - start)));
  }
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
  const segments: Fields<'Segment'>[] = [];
  const addressOf = (i: number) => valuesOf(kernels, tensors[i]).at;
  for (let i = 0; i < attrs.weights; i++) {
    const [weight, first] = [addressOf(i), addressOf(attrs.weights + i)];
    const [second, gradient] = [addressOf(2 * attrs.weights + i), addressOf(3 * attrs.weights + i)];
    cut(segments, util.sizeFromShape(tensors[i].shape), (start, count) => ({
      count,
      weight: weight + start * 4,
      first: first + start * 4,
      second: second + start * 4,
      gradient: gradient && gradient + start * 4,
    }));
  }
  const [at, count] = placed(kernels, 'Segment', segments);
  kernels.run('adapt', {
    base: adaptation(call, tensors[4 * attrs.weights]),
    segments: at,
    count,
    adam: attrs.kind === 'adam',
    seed: 0,
  });
  return [];
}

/** [...weights, ...moments, ...gradients, gradientScale], the last two or none, all changed in place but the gradients. */
export function compactStep(call: KernelCall<string, CompactStep & Count>): TensorInfo[] {
  const { inputs, attrs, kernels } = call;
  const tensors = Object.values(inputs);
  const segments: Fields<'CompactSegment'>[] = [];
  for (let i = 0; i < attrs.weights; i++) {
    const weight = kernels.pointer(tensors[i]);
    const moments = kernels.pointer(tensors[attrs.weights + i]);
    const { at, bytes } = valuesOf(kernels, tensors[2 * attrs.weights + i]);
    cut(segments, util.sizeFromShape(tensors[i].shape), (start, count) => ({
      count,
      weight: weight + start * 4,
      moments: moments + start * 4,
      gradient: at && at + start * bytes,
      gradientBytes: bytes,
    }));
  }
  const [at, count] = placed(kernels, 'CompactSegment', segments);
  kernels.run('adaptCompact', {
    base: adaptation(call, tensors[3 * attrs.weights]),
    segments: at,
    count,
    adam: true,
    seed: attrs.seed,
  });
  return [];
}

/** Writes segments to scratch, `more` bytes being left for each: their address and number, and the address of the rest. */
function placed<Name extends 'Segment' | 'CompactSegment' | 'Values'>(
  kernels: KernelModule,
  name: Name,
  segments: readonly Fields<Name>[],
  more = 0,
): [at: number, count: number, rest: number] {
  const words = wordsOf(name, segments);
  const [at, rest] = kernels.scratch(words.byteLength, segments.length * more);
  kernels.write(at, words);
  return [at, segments.length, rest];
}

function adaptation(
  { attrs: step, backend }: KernelCall<string, Omit<AdaptiveStep, 'kind'>>,
  gradientScale: TensorInfo | undefined,
) {
  return {
    beta1: step.beta1,
    beta2: step.beta2,
    rest1: 1 - step.beta1,
    rest2: 1 - step.beta2,
    correction1: 1 / step.bias1,
    correction2: 1 / step.bias2,
    learningRate: step.learningRate,
    epsilon: step.epsilon,
    scale: gradientScale === undefined ? 1 : backend.typedArrayFromHeap(gradientScale)[0],
  };
}

/** sqrt of the sum of the squares of all inputs, a scalar. */
export function globalNorm({ inputs, backend, kernels }: KernelCall<string, unknown>): TensorInfo[] {
  const values: Fields<'Values'>[] = [];
  for (const tensor of Object.values(inputs)) {
    const { at, bytes } = valuesOf(kernels, tensor);
    const size = util.sizeFromShape(tensor.shape) * (4 / bytes);
    cut(values, size, (start, count) => ({ count, from: at + start * bytes, bytes }));
  }
  const output = backend.makeOutput([], 'float32');
  const [segments, count, parts] = placed(kernels, 'Values', values, 8);
  kernels.run('globalNorm', { segments, count, parts, output: kernels.pointer(output) });
  return [output];
}
