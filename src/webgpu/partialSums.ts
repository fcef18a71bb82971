import type { TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '@tensorflow/tfjs-core';
import type { Gpu } from './gpu';
import { type Program, read, remembered, write } from './program';
import { flatGroups, flatMain } from './wgsl';

/** A tensor whose values are sums of parts, times a factor. */
export interface Summed {
  output: TensorInfo;
  /** Where the first of the parts begins, and how far they are from each other, in floats. */
  at: number;
  stride: number;
  parts: number;
  factor: number;
}

/** So many outputs go into one dispatch: a device may allow no more than 8 buffers. */
const MOST_OUTPUTS = 7;

/** Outputs lie one behind the other in the numbers of invocations. */
const program = remembered((outputs: number): Program => {
  const names = Array.from({ length: outputs }, (_, i) => `output${i}`);
  const sizeOf = (i: number) => [
    `end${i}: u32`,
    `at${i}: u32`,
    `stride${i}: u32`,
    `parts${i}: u32`,
    `factor${i}: f32`,
  ];
  return {
    key: `partialSums${outputs}`,
    buffers: { partial: read(), ...Object.fromEntries(names.map((name) => [name, write()])) },
    sizes: names.flatMap((_, i) => sizeOf(i)),
    code: () => `
fn sumOf(first: u32, stride: u32, parts: u32) -> f32 {
  var sum = 0f;
  for (var part = 0u; part < parts; part++) { sum += partial[first + part * stride]; }
  return sum;
}
${flatMain(
  names
    .map((name, i) => {
      const start = i === 0 ? '0u' : `sizes.end${i - 1}`;
      return `if (at < sizes.end${i}) {
    let value = at - ${start};
    ${name}[value] = sumOf(sizes.at${i} + value, sizes.stride${i}, sizes.parts${i}) * sizes.factor${i};
    return;
  }`;
    })
    .join('\n  '),
)}`,
  };
});

/** Adds up the parts in a buffer, as few dispatches as there are buffers. */
export function addParts(gpu: Gpu, partial: TensorInfo, sums: readonly Summed[]): void {
  const dispatches = Math.ceil(sums.length / MOST_OUTPUTS);
  const each = Math.ceil(sums.length / dispatches);
  for (let first = 0; first < sums.length; first += each) {
    const these = sums.slice(first, first + each);
    let end = 0;
    const sizes = these.flatMap(({ output, at, stride, parts, factor }) => {
      end += util.sizeFromShape(output.shape);
      return [end, at, stride, parts, factor];
    });
    const outputs = these.map(({ output }) => output);
    gpu.run(program(these.length), [partial, ...outputs], flatGroups(end), sizes);
  }
}
