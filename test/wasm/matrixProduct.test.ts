import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { compute, distance, type HostTensor, randomTensor } from './helpers';

const TOLERANCE = 5e-6;

/** Product in float64 of batches that are broadcast against each other. */
function reference(a: HostTensor, b: HostTensor, transposeA: boolean, transposeB: boolean): Float64Array {
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [rows, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const columns = transposeB ? rowsB : columnsB;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  /** Which matrix of an operand belongs to one of the result. */
  const matrixOf = ({ shape }: HostTensor, n: number): number => {
    const own = [...batch.map(() => 1), ...shape.slice(0, -2)].slice(-batch.length);
    let place = 0;
    let rest = n;
    let step = 1;
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      place += own[axis] === 1 ? 0 : (rest % batch[axis]) * step;
      rest = Math.floor(rest / batch[axis]);
      step *= own[axis];
    }
    return place;
  };
  const count = tf.util.sizeFromShape(batch);
  const result = new Float64Array(count * rows * columns);
  for (let n = 0; n < count; n++) {
    const startA = matrixOf(a, n) * rows * inner;
    const startB = matrixOf(b, n) * inner * columns;
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

  // What a kernel leaves unset would show what lay there before.
  const poisonHeap = () => {
    for (let size = 1; size <= 4096; size *= 2)
      tf.dispose(Array.from({ length: 8 }, () => tf.fill([size], 1e9)));
  };
  it.each([
    { a: [2, 1, 3, 4], b: [1, 2, 4, 5], transposed: [false, false] },
    { a: [3, 2, 20, 16], b: [3, 1, 16, 24], transposed: [false, false] },
    { a: [3, 1, 20, 16], b: [2, 24, 16], transposed: [false, true] },
    { a: [2, 1, 4, 3], b: [1, 3, 5, 4], transposed: [true, true] },
    { a: [2, 1, 30, 20], b: [1, 3, 30, 10], transposed: [true, false] },
    { a: [1, 2, 3, 4], b: [2, 1, 1, 4, 5], transposed: [false, false] },
    { a: [1, 1, 3, 4], b: [2, 2, 4, 5], transposed: [false, false] },
  ])('$a, $b: batches are broadcast along every axis', ({ a, b, transposed }) => {
    const inputs = [a, b].map((shape) => randomTensor(random, shape));
    const [transposeA, transposeB] = transposed;
    poisonHeap();
    const [result] = compute(inputs, (x, y) => [tf.matMul(x, y, transposeA, transposeB)]);
    expect(distance(reference(inputs[0], inputs[1], transposeA, transposeB), result)).toBeLessThan(TOLERANCE);
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
