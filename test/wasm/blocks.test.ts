import { expect, it } from 'vitest';
import { wordsOf } from '../../src/wasm/blocks';
import { blocks } from '../../src/wasm/kernelBlocks';

it('fields of a block lie where the kernels read them, in whatever order they are given', () => {
  const fields = { factor: 0.1, parts: 6, output: 2 ** 32 - 64, input: 1, block: 5, outerBlock: 4 };
  const words = wordsOf('Reduction', [{ ...fields, inner: 3, outer: 7, length: 2 }]);
  expect(Object.keys(blocks.Reduction)[8]).toBe('factor');
  expect([...words.subarray(0, 8)]).toEqual([1, 7, 2, 3, 4, 5, 6, -64]);
  expect([...new Float32Array(words.buffer).subarray(8)]).toEqual([Math.fround(0.1)]);
});

it('records lie one after another, a flag as 0 or 1', () => {
  const records = [true, false].map((bytes) => ({ bytes, count: 3, from: 9 }));
  expect([...wordsOf('Values', records)]).toEqual([3, 9, 1, 3, 9, 0]);
});

it('the fields of an extended block come first', () => {
  const names = Object.keys(blocks.Winograd);
  expect(names.slice(0, -1)).toEqual(Object.keys(blocks.Product));
  expect(names.slice(0, 18)).toEqual(Object.keys(blocks.Patches));
});
