import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { record } from '../../src/engine/tape';

/** x * w and x + w in one node. */
function productAndSum(x: tf.Tensor, w: tf.Tensor): tf.Tensor[] {
  return record([x, w], () => {
    const own = tf.mul(x, 2);
    return {
      results: [tf.mul(x, w), tf.add(x, w)],
      needed: [x, w, own],
      gradient: ([dProduct, dSum], [x0, w0, twice]) => [
        tf.add(tf.mul(dProduct, w0), dSum),
        tf.add(tf.mul(dProduct, tf.div(tf.add(x0, tf.div(twice, 2)), 2)), dSum),
      ],
    };
  });
}

const values = (tensors: tf.Tensor[]) => tensors.map((tensor) => [...tensor.dataSync()]);

describe('record', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('gives gradients through several results, with inputs and results disposed on the way, and leaves nothing', () => {
    const [x, w] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
    const before = tf.memory().numTensors;
    const gradients = tf.tidy(() =>
      tf.grads((a, b) => {
        const [doubled, halved] = [tf.mul(a, 2), tf.div(b, 2)];
        const [product, sum] = productAndSum(doubled, halved);
        const result = tf.sum(tf.add(tf.square(product), sum));
        tf.dispose([doubled, halved, product, sum]);
        return result;
      })([x, w]),
    );
    // (a b)^2 + 2 a + b / 2
    expect(values(gradients)).toEqual([
      [2 * 2 * 25 + 2, 2 * 3 * 49 + 2],
      [2 * 5 * 4 + 0.5, 2 * 7 * 9 + 0.5],
    ]);
    tf.dispose(gradients);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, w]);
  });

  it('takes a result that nothing depends on as one without gradient', () => {
    const gradient = tf.tidy(() => {
      const w = tf.tensor1d([5, 7]);
      return tf.grad((x) => tf.sum(productAndSum(x, w)[1]))(tf.tensor1d([2, 3]));
    });
    expect(values([gradient])).toEqual([[1, 1]]);
    gradient.dispose();
  });

  it('saves no variables, and nothing at all off the tape', () => {
    const w = tf.tidy(() => tf.variable(tf.tensor1d([5, 7])));
    const x = tf.tensor1d([2, 3]);
    const before = tf.memory().numTensors;
    const results = productAndSum(x, w);
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose(results);
    let saved: (tf.Tensor[] | undefined)[] = [];
    const { grads, value } = tf.variableGrads(() => {
      const [product] = productAndSum(x, w);
      saved = tf.engine().state.activeTape.map((node) => node.saved);
      return tf.sum(product);
    });
    expect(saved.map((tensors) => tensors?.length)).toEqual([2]);
    expect(values([grads[w.name]])).toEqual([[2, 3]]);
    tf.dispose([value, grads]);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, w]);
  });

  it('lets second derivatives fail instead of missing a term', () => {
    const w = tf.tensor1d([5, 7]);
    const slope = tf.grad((x) => tf.sum(tf.mul(productAndSum(x, w)[0], x)));
    const curvature = tf.grad((x) => tf.sum(tf.square(slope(x))));
    expect(() => tf.tidy(() => curvature(tf.tensor1d([2, 3])))).toThrow('second ones');
  });

  it('has second derivatives where nothing was saved', () => {
    const twice = (x: tf.Tensor): tf.Tensor =>
      record([x], () => ({ results: [tf.mul(x, 2)], needed: [], gradient: ([dy]) => [twice(dy)] }))[0];
    const slope = tf.grad((x) => tf.sum(tf.square(twice(x))));
    const curvature = tf.tidy(() => tf.grad((x) => tf.sum(slope(x)))(tf.tensor1d([2, 3])));
    expect(values([curvature])).toEqual([[8, 8]]);
    curvature.dispose();
  });
});
