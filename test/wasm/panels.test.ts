import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fusedConvolutions } from '../../src/layers/networks/fusedConvolutions';
import { KernelModule } from '../../src/wasm/kernelModule';
import { freshBackend } from './heap';
import { compute, distance, randomTensor } from './helpers';

/** Which width is in use depends on the engine; both must be right on all of them. */
describe('panels of 8 and of 16 columns', () => {
  const kernels = () => KernelModule.of(tf.backend());
  let usual: number;
  beforeAll(async () => {
    await freshBackend(1);
    usual = kernels().panelColumns;
  });
  afterAll(() => kernels().exports.usePanels(usual));

  const squares =
    (f: (...t: tf.Tensor[]) => tf.Tensor) =>
    (...t: tf.Tensor[]) =>
      tf.sum(tf.square(f(...t)));
  const chain = (x: tf.Tensor, filter: tf.Tensor, offset: tf.Tensor, logScale: tf.Tensor) =>
    fusedConvolutions(x as tf.Tensor4D, [
      { filter: filter as tf.Tensor4D, offset, logScale: logScale as tf.Tensor1D },
      { filter: tf.transpose(filter, [0, 1, 3, 2]) as tf.Tensor4D, offset: tf.zeros([x.shape[3]!]) },
    ]);

  // Tails of every kind: columns and channels on both sides of 4, 8, 12 and 16.
  for (const [channels, columns] of [
    [1, 3],
    [6, 13],
    [12, 16],
    [9, 24],
    [33, 70],
    [128, 12],
  ]) {
    it(`give the same products and gradients, ${channels} channels to ${columns}`, () => {
      const random = new RandomStream(channels + columns);
      const shapes = [[2, 9, 7, channels], [3, 3, channels, columns], [columns], [columns]];
      const inputs = shapes.map((shape) => randomTensor(random, shape));
      const matrices = [
        [75, channels],
        [channels, columns],
        [75, columns],
      ].map((shape) => randomTensor(random, shape));
      const results = [8, 16].map((width) => {
        kernels().exports.usePanels(width);
        return [
          ...compute(inputs, (...t) => [
            chain(...(t as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor])),
            ...tf.grads(squares(chain as (...t: tf.Tensor[]) => tf.Tensor))(t),
          ]),
          ...compute(matrices, (a, b, c) => [tf.matMul(a, b), tf.matMul(a, c, true)]),
        ];
      });
      // The sums of four columns at the edge are taken in another order; everything else is the same to the bit.
      results[0].forEach((values, i) => {
        expect(distance(values, results[1][i]), `result ${i}`).toBeLessThan(3e-6);
      });
    });
  }
});
