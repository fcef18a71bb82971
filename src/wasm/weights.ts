import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { AdaptiveStep, CompactStep } from '../core/fused';
import { floatWord } from './kernelModule';
import type { KernelCall } from './register';

/** Values per segment: enough to keep a thread busy, few enough to share a large weight. */
const SEGMENT = 16384;

/** Cuts tensors of one size, given by their addresses (0: none), into segments: [count, address, address, ...] each. */
function cut(size: number, addresses: readonly number[], words: number[]): void {
  for (let start = 0; start < size; start += SEGMENT) {
    words.push(
      Math.min(SEGMENT, size - start),
      ...addresses.map((address) => address && address + start * 4),
    );
  }
}

/** [...weights, ...first moments, ...second moments, ...gradients or none], all changed in place but the gradients. */
export function adaptiveStep(call: KernelCall<string, AdaptiveStep & Count>): TensorInfo[] {
  adapt(call, { entry: 'adapt', groups: 4, variant: call.attrs.kind === 'adam' ? 0 : 1 });
  return [];
}

/** [...weights, ...moments, ...gradients or none], all changed in place but the gradients. */
export function compactStep(call: KernelCall<string, CompactStep & Count>): TensorInfo[] {
  adapt(call, { entry: 'adaptCompact', groups: 3, variant: call.attrs.seed });
  return [];
}

interface Count {
  weights: number;
}

function adapt(
  { inputs, attrs, kernels }: KernelCall<string, Omit<AdaptiveStep, 'kind'> & Count>,
  { entry, groups, variant }: { entry: 'adapt' | 'adaptCompact'; groups: number; variant: number },
): void {
  const tensors = Object.values(inputs);
  const words: number[] = [];
  for (let i = 0; i < attrs.weights; i++) {
    const addresses = Array.from({ length: groups }, (_, group) => {
      const tensor = tensors[group * attrs.weights + i];
      return tensor === undefined ? 0 : kernels.pointer(tensor);
    });
    cut(util.sizeFromShape(tensors[i].shape), addresses, words);
  }
  const [segments] = kernels.scratch(words.length * 4);
  kernels.write(segments, Int32Array.from(words));
  const constants = [
    attrs.beta1,
    attrs.beta2,
    1 - attrs.beta1,
    1 - attrs.beta2,
    1 / attrs.bias1,
    1 / attrs.bias2,
    attrs.learningRate,
    attrs.epsilon,
  ];
  kernels.run(entry, [segments, words.length / (1 + groups), variant, ...constants.map(floatWord)]);
}

/** sqrt of the sum of the squares of all inputs, a scalar. */
export function globalNorm({ inputs, backend, kernels }: KernelCall<string, unknown>): TensorInfo[] {
  const words: number[] = [];
  for (const tensor of Object.values(inputs)) {
    cut(util.sizeFromShape(tensor.shape), [kernels.pointer(tensor)], words);
  }
  const output = backend.makeOutput([], 'float32');
  const count = words.length / 2;
  const [segments, parts] = kernels.scratch(words.length * 4, count * 8);
  kernels.write(segments, Int32Array.from(words));
  kernels.run('globalNorm', [segments, count, parts, kernels.pointer(output)]);
  return [output];
}
