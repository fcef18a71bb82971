import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { type TransformerForm, transformers } from '../../support/transformers';

beforeAll(() => tf.setBackend('cpu'));

const directions = ['forward', 'inverse'] as const;
const hasNaN = (x: tf.Tensor) => tf.any(tf.isNaN(x)).dataSync()[0] === 1;

/** Places where something changes: ends of the boxes and their neighbours among the float32, far away, and close to nothing. */
const bounds = [1, 2, 3, Math.PI];
const ends = bounds.flatMap((bound) => [bound, bound * (1 + 1e-7), bound * (1 - 1e-7)]);
const ordinary = [0, 1e-38, 1e-20, 0.3, 0.99, 1.5, 7, 1e4, 1e15, 1e30];
const line = [...ends, ...ordinary].flatMap((x) => [x, -x]);
/** Beyond every box. */
const tails = [7, -8, 1e3, -1e5, 1e20, -1e30];

describe.each(Object.entries(transformers))('%s', (_, { make, draw, ofZeros }: TransformerForm) => {
  const transformer = make();
  const { parameters: p } = transformer;
  const n = 200;
  const values = (seed: number) => {
    const random = new RandomStream(seed);
    return Array.from({ length: n }, () => draw?.(random) ?? 2 * random.normalNumber());
  };

  it('zeros are the identity, or what they are said to be', () => {
    tf.tidy(() => {
      const x = tf.tensor2d(values(1), [n, 1]);
      for (const direction of directions) {
        const { value, logDerivative } = transformer[direction](x, tf.zeros([n, 1, p]));
        const map = ofZeros?.[direction] ?? ((at: number) => at);
        const scale = map(1) - map(0);
        const expected = tf.tensor(Array.from(x.dataSync(), map), x.shape);
        expect(tf.max(tf.abs(tf.sub(value, expected))).dataSync()[0]).toBeLessThan(1e-5);
        expect(tf.max(tf.abs(tf.sub(logDerivative, Math.log(scale)))).dataSync()[0]).toBeLessThan(2e-5);
      }
    });
  });

  it('the inverse goes back, in both orders, with the opposite log-derivative', () => {
    tf.tidy(() => {
      const parameters = new RandomStream(2).normal([n, 1, p]);
      const x = tf.tensor2d(values(3), [n, 1]);
      for (const [there, back] of [directions, [...directions].reverse()] as const) {
        const y = transformer[there](x, parameters);
        const found = transformer[back](y.value, parameters);
        const [xs, xsAgain, slopes, sums] = [
          x,
          found.value,
          y.logDerivative,
          tf.add(y.logDerivative, found.logDerivative),
        ].map((tensor) => tensor.dataSync());
        xs.forEach((at, i) => {
          // Some units in the last place of y, at the slope there.
          const allowed = 2e-6 * (4 + Math.abs(at)) * (1 + Math.exp(-slopes[i]));
          expect(Math.abs(xsAgain[i] - at)).toBeLessThan(allowed);
          expect(Math.abs(sums[i])).toBeLessThan(2e-3);
        });
      }
    });
  });

  describe.each([
    ['anywhere on the line', line],
    ['in the tails alone', tails],
  ])('%s', (_, points) => {
    it.each([1, 20, 50])('there is no NaN value or gradient, whatever parameters up to %d', (size) =>
      leavesNoTensors(() => {
        tf.tidy(() => {
          const random = new RandomStream(size);
          const rows = 8;
          const x = tf.tensor2d(Array.from({ length: rows }, () => points));
          const shape: [number, number, number] = [rows, points.length, p];
          // Half the rows at the very ends of the range.
          const drawn = tf.mul(tf.clipByValue(random.normal(shape), -1, 1), size);
          const parameters = tf.concat([tf.slice(drawn, 0, 4), tf.mul(tf.sign(tf.slice(drawn, 4)), size)], 0);
          for (const direction of directions) {
            const { value, logDerivative } = transformer[direction](x, parameters);
            expect([value, logDerivative].map(hasNaN)).toEqual([false, false]);
            const loss = (at: tf.Tensor, given: tf.Tensor) => {
              const result = transformer[direction](at, given);
              const logs = result.logDerivative;
              const finite = tf.where(tf.isFinite(logs), logs, tf.zerosLike(logs));
              return tf.add(tf.sum(result.value), tf.sum(finite)) as tf.Scalar;
            };
            expect(tf.grads(loss)([x, parameters]).map(hasNaN)).toEqual([false, false]);
          }
        });
      }),
    );
  });

  it('tells the smallest scale of its values', () => {
    tf.tidy(() => {
      const [x, parameters] = [tf.tensor2d(values(4), [n, 1]), new RandomStream(5).normal([n, 1, p])];
      const { smallestScale } = transformer.conditioning(x, parameters);
      const logs = transformer.forward(x, parameters).logDerivative.dataSync();
      expect((smallestScale as tf.Scalar).dataSync()[0]).toBeCloseTo(Math.exp(Math.min(...logs)), 5);
    });
  });
});
