import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { compute, distance, type HostTensor, randomTensor } from './helpers';

const TOLERANCE = 5e-6;

/** Batched product in float64; batches of one are repeated. */
function reference(a: HostTensor, b: HostTensor, transposeA: boolean, transposeB: boolean): Float64Array {
  const [batchA, rowsA, columnsA] = a.shape;
  const [batchB, rowsB, columnsB] = b.shape;
  const [rows, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const columns = transposeB ? rowsB : columnsB;
  const batch = Math.max(batchA, batchB);
  const result = new Float64Array(batch * rows * columns);
  for (let n = 0; n < batch; n++) {
    const startA = batchA === 1 ? 0 : n * rows * inner;
    const startB = batchB === 1 ? 0 : n * inner * columns;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const left = a.values[startA + (transposeA ? k * rows + i : i * inner + k)];
          const right = b.values[startB + (transposeB ? j * inner + k : k * columns + j)];
          sum += left * right;
        }
        result[(n * rows + i) * columns + j] = sum;
      }
    }
  }
  return result;
}

describe.each([1, 2])('matrix products on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  const random = new RandomStream(5);
  const pick = (choices: number[]) => choices[random.integer(choices.length)];
  const cases = Array.from({ length: 48 }, (_, i) => ({
    batch: [pick([1, 1, 3]), pick([1, 1, 3])],
    rows: pick([1, 3, 4, 17, 64, 130]),
    inner: pick([1, 2, 5, 16, 63, 600]),
    columns: pick([1, 4, 5, 8, 13, 40]),
    transposeA: (i & 1) === 1,
    transposeB: (i & 2) === 2,
  }));
  it.each(cases)('%j equals float64', ({ batch, rows, inner, columns, transposeA, transposeB }) => {
    const a = randomTensor(random, [batch[0], ...(transposeA ? [inner, rows] : [rows, inner])]);
    const b = randomTensor(random, [batch[1], ...(transposeB ? [columns, inner] : [inner, columns])]);
    const [result] = compute([a, b], (x, y) => [tf.matMul(x, y, transposeA, transposeB)]);
    expect(distance(reference(a, b, transposeA, transposeB), result)).toBeLessThan(TOLERANCE);
  });

  it('gradients of a dense layer with bias and relu equal the cpu backend', async () => {
    const inputs = [[50, 21], [21, 13], [13]].map((shape) => randomTensor(random, shape));
    const gradients = () =>
      compute(inputs, (x, w, bias) =>
        tf.grads((a, b, c) => tf.fused.matMul({ a, b, bias: c, activation: 'relu' }))([x, w, bias]),
      );
    const ours = gradients();
    await tf.setBackend('cpu');
    gradients().forEach((expected, i) => {
      expect(distance(expected, ours[i])).toBeLessThan(TOLERANCE);
    });
    await tf.setBackend('wasm');
  });

  it('takes sizes of zero', () => {
    const [empty] = compute([randomTensor(random, [0, 3]), randomTensor(random, [3, 4])], (a, b) => [
      tf.matMul(a, b),
    ]);
    expect(empty.length).toBe(0);
  });
});
