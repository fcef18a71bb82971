import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { AdaptiveStep } from '../core/fused';
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
export function adaptiveStep(call: KernelCall<string, AdaptiveStep & { weights: number }>): TensorInfo[] {
  const { inputs, attrs, kernels } = call;
  const tensors = Object.values(inputs);
  const count = attrs.weights;
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    const addresses = [0, 1, 2, 3].map((group) => {
      const tensor = tensors[group * count + i];
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
  const kind = attrs.kind === 'adam' ? 0 : 1;
  kernels.run('adapt', [segments, words.length / 5, kind, ...constants.map(floatWord)]);
  return [];
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
