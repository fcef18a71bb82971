import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { BackendError } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientsOf, tapeOf } from '../../src/engine/gradients';
import { record } from '../../src/engine/tape';
import { leavesNoTensors } from '../support/leaks';

const values = (tensors: readonly (tf.Tensor | undefined)[]) =>
  tensors.map((tensor) => tensor && [...tensor.dataSync()]);

/** a * b, recorded as one node that saves both. */
const product = (a: tf.Tensor, b: tf.Tensor) =>
  record([a, b], () => ({
    results: [tf.mul(a, b)],
    needed: [a, b],
    gradient: ([dy], [a0, b0]) => [tf.mul(dy, b0), tf.mul(dy, a0)],
  }))[0];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('tapeOf', () => {
  it('goes back later, outside any tidy, from several results and through several gradients', () =>
    leavesNoTensors(() => {
      const [x, w, apart] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7]), tf.tensor1d([1, 1])];
      const tape = tapeOf(() => {
        const inner = product(x, w);
        return { cube: product(inner, x), inner };
      });
      const { cube, inner } = tape.results;
      // Other gradients come and go in between.
      tf.dispose(tf.tidy(() => tf.grad((z) => tf.sum(tf.square(z)))(x)));
      expect(tape.dependsOn([x, w, apart, inner])).toEqual([true, true, false, true]);
      const given = [tf.tensor1d([1, 10]), tf.tensor1d([100, 0])];
      const gradients = tape.pullBack([cube, inner], given, [x, w, apart, inner]);
      // cube = x^2 w, inner = x w
      expect(values(gradients)).toEqual([
        [2 * 2 * 5 + 100 * 5, 10 * 2 * 3 * 7],
        [2 * 2 + 100 * 2, 10 * 3 * 3],
        undefined,
        [2 + 100, 10 * 3],
      ]);
      expect(values(given)).toEqual([
        [1, 10],
        [100, 0],
      ]);
      tf.dispose([x, w, apart, tape.results, given, ...gradients.filter((dx) => dx !== undefined)]);
    }));

  it('takes a gradient that is missing as zero, and gives back that by a result itself', () =>
    leavesNoTensors(() => {
      const x = tf.tensor1d([2, 3]);
      const { results, pullBack } = tapeOf(() => [tf.mul(x, 2), tf.mul(x, 3)]);
      const dy = tf.tensor1d([1, 1]);
      const [dx, direct] = pullBack(results, [dy, undefined], [x, results[0]]);
      expect(values([dx, direct])).toEqual([
        [2, 2],
        [1, 1],
      ]);
      expect(direct).not.toBe(dy);
      tf.dispose([x, results, dy, dx as tf.Tensor, direct as tf.Tensor]);
    }));

  it('frees what it saved when it is disposed, and where the computation throws', () =>
    leavesNoTensors(() => {
      const [x, w] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
      const tape = tapeOf(() => product(product(x, w), w));
      expect(tape.dependsOn([x, w, tape.results])).toEqual([true, true, true]);
      const held = tf.memory().numTensors;
      tape.dispose();
      tape.dispose();
      expect(tf.memory().numTensors).toBeLessThan(held);
      expect(() => tape.pullBack([tape.results], [x], [x])).toThrow(BackendError);
      const failing = () => {
        tf.square(product(x, w));
        throw new Error('on the way');
      };
      expect(() => tapeOf(failing)).toThrow('on the way');
      expect(() => gradientsOf(failing, [x])).toThrow('on the way');
      tf.dispose([x, w, tape.results]);
    }));

  it('leaves nothing where an op on the way back has no gradient, or one throws', () =>
    leavesNoTensors(() => {
      const x = tf.tensor1d([2, 3]);
      const failing = (a: tf.Tensor) =>
        record([a], () => ({
          results: [tf.mul(a, 2)],
          needed: [a],
          gradient: () => {
            throw new Error('on the way back');
          },
        }))[0];
      const loss = (f: (a: tf.Tensor) => tf.Tensor) => () => tf.sum(tf.square(f(tf.square(x)))) as tf.Scalar;
      expect(() => gradientsOf(loss(failing), [x])).toThrow('on the way back');
      const strided = (a: tf.Tensor) => tf.stridedSlice(a, [0], [2], [1]);
      expect(() => gradientsOf(loss(strided), [x])).toThrow(BackendError);
      x.dispose();
    }));

  it('goes back off a tape that is under way, and leaves that one as it was', () => {
    const [x, w] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
    const early = tapeOf(() => product(x, w));
    let constant: tf.Tensor | undefined;
    const slope = tf.grad((z) => {
      constant = early.pullBack([early.results], [tf.onesLike(x)], [x])[0] as tf.Tensor;
      return tf.sum(tf.mul(z, constant));
    });
    expect(values([slope(x)])).toEqual([[5, 7]]);
    expect(early.results.isDisposed).toBe(false);
  });

  it('inside gradients that are under way shares their tape: second derivatives come out', () => {
    const x = tf.tensor1d([2, 3]);
    const slope = (z: tf.Tensor) => {
      const { results, pullBack } = tapeOf(() => tf.mul(tf.square(z), z));
      return pullBack([results], [z], [z])[0] as tf.Tensor;
    };
    // 3 z^3, whose derivative is 9 z^2: the gradient that was given depends on z as well.
    const curvature = tf.tidy(() => tf.grad((z) => tf.sum(slope(z)))(x));
    expect(values([curvature])).toEqual([[36, 81]]);
  });
});

describe('gradientsOf', () => {
  it('gives a value with its gradients, undefined where it depends on nothing', () =>
    leavesNoTensors(() => {
      const [x, w] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
      const { value, gradients } = gradientsOf(() => tf.sum(tf.square(x)) as tf.Scalar, [x, w]);
      expect(values([value, ...gradients])).toEqual([[13], [4, 6], undefined]);
      tf.dispose([x, w, value, gradients[0] as tf.Tensor]);
    }));
});
