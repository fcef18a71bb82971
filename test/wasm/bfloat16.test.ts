import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from '../../src/training/bfloat16';
import { normOfGradients } from '../../src/training/clipping';
import { compute } from './helpers';

/** The value of 8 significant bits nearest to a float32, the even one of two that are equally near. */
function rounded(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const unit = 2 ** Math.max(Math.floor(Math.log2(Math.abs(value))) - 7, -133);
  const below = Math.floor(value / unit);
  const excess = value / unit - below;
  const up = excess > 0.5 || (excess === 0.5 && below % 2 !== 0);
  return Math.fround((up ? below + 1 : below) * unit);
}

const special = [
  0,
  -0,
  1,
  -1,
  2 ** -126,
  3e38,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];
/** 1 + 2^-8 and 1 + 3 * 2^-8 lie in the middle between two values, one of them even. */
const middles = [1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8, 1 + 2 ** -8 + 2 ** -20];

describe.each([1, 2])('bfloat16 on %i threads', (threads) => {
  const random = new RandomStream(3);
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  it.each([[[]], [[1]], [[2]], [[3]], [[0, 4]], [[3, 7]], [[16_384]], [[5, 3277]], [[40_001]]])(
    'rounds values of shape %j to the nearest and gives them back',
    (shape) => {
      const values = Float32Array.from(random.normalArray(tf.util.sizeFromShape(shape)));
      const [received] = compute([{ shape, values }], (x) => [fromBfloat16(toBfloat16(x), shape)]);
      expect([...received]).toEqual([...values].map(rounded));
    },
  );

  it('ties go to the even value; zeros, the largest values, infinity and NaN stay', () => {
    const values = Float32Array.from([...special, ...middles]);
    const shape = [values.length];
    const [received] = compute([{ shape, values }], (x) => [fromBfloat16(toBfloat16(x), shape)]);
    expect([...received]).toEqual([...values].map(rounded));
    expect([...received].slice(-4)).toEqual([1, 1 + 2 ** -6, -1, 1 + 2 ** -7]);
  });

  it('NaN of any bits stays NaN', () => {
    const bits = Int32Array.of(0x7f800001, 0x7fffffff, -1);
    const x = tf.tensor(new Float32Array(bits.buffer));
    const received = tf.tidy(() => fromBfloat16(toBfloat16(x), [3]).dataSync());
    expect([...received]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    x.dispose();
  });

  it('the global norm counts them, and what shares the last int32 is 0', () => {
    const shapes = [[3], [16_385], [2, 5]];
    const inputs = shapes.map((shape) => ({
      shape,
      values: Float32Array.from(random.normalArray(tf.util.sizeFromShape(shape))),
    }));
    // Memory that was used before, for something else.
    tf.dispose(shapes.map((shape) => tf.fill(shape, 1e3)));
    const [norm] = compute(inputs, (first, ...others) => [
      normOfGradients([first, ...others.map(toBfloat16)]),
    ]);
    const squares = inputs.flatMap(({ values }, i) =>
      [...values].map((x) => (i === 0 ? x : rounded(x)) ** 2),
    );
    const exact = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    expect(Math.abs(norm[0] / exact - 1)).toBeLessThan(1e-6);
  });
});
