import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { FLAT, flatGroups, flatMain, sumOfGroup } from './wgsl';

/** Tensors that one dispatch reads beside the one it writes. */
const MOST_TERMS = 7;

/** So many tensors to read, `term0`, `term1` ... */
function terms(count: number): [names: string[], buffers: Program['buffers']] {
  const names = Array.from({ length: count }, (_, i) => `term${i}`);
  return [names, Object.fromEntries(names.map((name) => [name, read()]))];
}

/** constant + the terms; further terms come on top. */
function adding(count: number, onTop: boolean): Program {
  const [names, buffers] = terms(count);
  return {
    key: `addLogDets ${count} ${onTop}`,
    buffers: { ...buffers, sum: write() },
    sizes: ['count: u32', 'constant: f32'],
    code: () =>
      flatMain(`
  if (at >= sizes.count) { return; }
  sum[at] = ${[onTop ? 'sum[at]' : 'sizes.constant', ...names.map((name) => `${name}[at]`)].join(' + ')};`),
  };
}

/** factor * the sum of all that a workgroup reads of the terms, in every entry; further terms come on top. Few numbers: each workgroup adds all. */
function filling(count: number, onTop: boolean): Program {
  const [names, buffers] = terms(count);
  const partial = (name: string, i: number) => `
  for (var i = local; i < sizes.of${i}; i += ${FLAT}u) { sum += ${name}[i]; }`;
  return {
    key: `repeatSum ${count} ${onTop}`,
    buffers: { ...buffers, result: write() },
    sizes: ['count: u32', 'factor: f32', ...names.map((_, i) => `of${i}: u32`)],
    code: () => `${sumOfGroup()}
${flatMain(`
  var sum = 0f;${names.map(partial).join('')}
  sum = sumOfGroup(local, sum);
  if (at < sizes.count) { result[at] = ${onTop ? 'result[at] + ' : ''}sizes.factor * sum; }`)}`,
  };
}

/** Runs a program over each so many tensors of a list. */
function inTurn(list: readonly TensorInfo[], run: (some: TensorInfo[], onTop: boolean) => void): void {
  for (let at = 0; at < list.length; at += MOST_TERMS) run(list.slice(at, at + MOST_TERMS), at > 0);
}

/** FlowAddLogDets and FlowRepeatSum. */
export function registerLogDets(): void {
  registerGpuKernel(
    'FlowAddLogDets',
    ({ inputs, attrs: { constant }, gpu }: KernelCall<TensorInfo[], { constant: number }>) => {
      const sum = gpu.output(inputs[0].shape);
      const count = util.sizeFromShape(sum.shape);
      inTurn(Object.values(inputs), (some, onTop) => {
        gpu.run(adding(some.length, onTop), [...some, sum], flatGroups(count), [count, constant]);
      });
      return [sum];
    },
  );
  registerGpuKernel(
    'FlowRepeatSum',
    ({ inputs, attrs, gpu }: KernelCall<TensorInfo[], { factor: number; shape: number[] }>) => {
      const result = gpu.output(attrs.shape);
      const count = util.sizeFromShape(attrs.shape);
      inTurn(Object.values(inputs), (some, onTop) => {
        const sizes = [count, attrs.factor, ...some.map(({ shape }) => util.sizeFromShape(shape))];
        gpu.run(filling(some.length, onTop), [...some, result], flatGroups(count), sizes);
      });
      return [result];
    },
  );
}
