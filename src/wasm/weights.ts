import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { AdaptiveStep } from '../core/fused';
import { floatWord } from './kernelModule';
import type { KernelCall } from './register';

/** Values per segment: enough to keep a thread busy, few enough to share a large weight. */
const SEGMENT = 16384;

/** Cuts tensors of one size, given by their addresses, into segments: [count, address, address, ...] each. */
function cut(size: number, addresses: readonly number[], words: number[]): void {
  for (let start = 0; start < size; start += SEGMENT) {
    words.push(Math.min(SEGMENT, size - start), ...addresses.map((address) => address + start * 4));
  }
}

/** The tensors name0, name1, ... */
function group(inputs: Record<string, TensorInfo>, name: string): TensorInfo[] {
  const tensors: TensorInfo[] = [];
  while (inputs[`${name}${tensors.length}`] !== undefined) tensors.push(inputs[`${name}${tensors.length}`]);
  return tensors;
}

/** One pass over all weights: new weights, then new first and second moments. */
export function adaptiveStep(call: KernelCall<string, AdaptiveStep>): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const given = ['weight', 'gradient', 'first', 'second'].map((name) => group(inputs, name));
  const [weights] = given;
  const made = [0, 1, 2].map(() => weights.map(({ shape }) => backend.makeOutput(shape, 'float32')));
  const columns = [...given, ...made].map((tensors) => tensors.map((tensor) => kernels.pointer(tensor)));
  const words: number[] = [];
  weights.forEach(({ shape }, i) => {
    const addresses = columns.map((pointers) => pointers[i]);
    cut(util.sizeFromShape(shape), addresses, words);
  });
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
  kernels.run('adapt', [segments, words.length / (1 + columns.length), kind, ...constants.map(floatWord)]);
  return made.flat();
}

/** sqrt of the sum of all squares, a scalar. */
export function globalNorm({ inputs, backend, kernels }: KernelCall<string, unknown>): TensorInfo[] {
  const words: number[] = [];
  for (const tensor of group(inputs, 'tensor')) {
    cut(util.sizeFromShape(tensor.shape), [kernels.pointer(tensor)], words);
  }
  const output = backend.makeOutput([], 'float32');
  const count = words.length / 2;
  const [segments, parts] = kernels.scratch(words.length * 4, count * 8);
  kernels.write(segments, Int32Array.from(words));
  kernels.run('globalNorm', [segments, count, parts, kernels.pointer(output)]);
  return [output];
}
