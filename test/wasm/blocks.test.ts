import { expect, it } from 'vitest';
import { ARGUMENT_BYTES } from '../../src/core/kernelConstants';
import { wordsOf } from '../../src/wasm/blocks';
import { blocks, entries } from '../../src/wasm/kernelBlocks';

it('fields of a block lie where the kernels read them, in whatever order they are given', () => {
  const fields = { factor: 0.1, parts: 6, output: 2 ** 32 - 64, input: 1, block: 5, outerBlock: 4 };
  const words = wordsOf('Reduction', [{ ...fields, inner: 3, outer: 7, length: 2 }]);
  expect([...words.subarray(0, 8)]).toEqual([1, 7, 2, 3, 4, 5, 6, -64]);
  expect([...new Float32Array(words.buffer).subarray(8)]).toEqual([Math.fround(0.1)]);
});

it('records lie one after another, a flag as 0 or 1', () => {
  const records = [true, false].map((bytes) => ({ bytes, count: 3, from: 9 }));
  expect([...wordsOf('Values', records)]).toEqual([3, 9, 1, 3, 9, 0]);
});

it('fields of the class that a block extends come first', () => {
  const shape = { batch: 1, positions: 2, kept: 3, changed: 4, sigmoid: true, inverse: false };
  const gradients = { outputGradient: 9, logDetGradient: 10, inputGradient: 11, parametersGradient: 12 };
  const fields = { base: shape, input: 5, parameters: 6, output: 7, logDet: 8, ...gradients };
  expect([...wordsOf('Coupling', [fields])]).toEqual([1, 2, 3, 4, 1, 0, 5, 6, 7, 8, 9, 10, 11, 12]);
});

it('every block of arguments fits into its place', () => {
  const sizes = Object.values(entries).map((name) => blocks[name].words);
  expect(4 * Math.max(...sizes)).toBeLessThanOrEqual(ARGUMENT_BYTES);
});
