import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Classifier, realNvp } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { valuesOf } from '../support/affineFlow';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A head of two channels and three classes with weights by hand. */
function head(multiLabel = false): Classifier {
  const classifier = new Classifier({ channels: 2, classes: 3, multiLabel });
  const [kernel, bias, logScale] = classifier.trainableWeights;
  tf.tidy(() => {
    kernel.assign(
      tf.tensor2d([
        [1, 0, -1],
        [0.5, 1, 0],
      ]),
    );
    bias.assign(tf.tensor1d([0, 0.5, 1]));
    logScale.assign(tf.tensor1d([0, Math.log(2) / 3, 0]));
  });
  return classifier;
}

// Means over the four positions: [1, 2] and [-1, 0.5].
const z = [
  [
    [
      [0, 2],
      [2, 2],
    ],
    [
      [1, 1],
      [1, 3],
    ],
  ],
  [
    [
      [-1, 0.5],
      [-1, 0.5],
    ],
    [
      [-1, 0.5],
      [-1, 0.5],
    ],
  ],
];
// [1 + 1, (2 + 0.5) 2, -1 + 1] and [-1 + 0.25, (0.5 + 0.5) 2, 1 + 1].
const logits = [
  [2, 5, 0],
  [-0.75, 2, 2],
];

describe('Classifier', () => {
  it('is linear in the mean over positions, scaled by exp(3 logScale)', () => {
    tf.tidy(() => {
      const latents = tf.tensor4d(z);
      Array.from(head().logits(latents).dataSync()).forEach((value, i) => {
        expect(value).toBeCloseTo(logits.flat()[i], 5);
      });
      const softmax = logits.map((row) =>
        row.map((value) => Math.exp(value) / row.reduce((sum, each) => sum + Math.exp(each), 0)),
      );
      Array.from(head().probabilities(latents).dataSync()).forEach((value, i) => {
        expect(value).toBeCloseTo(softmax.flat()[i], 5);
      });
      Array.from(head(true).probabilities(latents).dataSync()).forEach((value, i) => {
        expect(value).toBeCloseTo(1 / (1 + Math.exp(-logits.flat()[i])), 5);
      });
      // Vectors have no positions.
      expect(
        head()
          .logits(tf.tensor2d([[1, 2]]))
          .dataSync()[1],
      ).toBeCloseTo(5, 5);
    });
  });

  it('has the cross-entropy and the accuracy of its labels', () => {
    tf.tidy(() => {
      const latents = tf.tensor4d(z);
      const total = logits.map((row) => Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)));
      const oneHot = tf.tensor2d([
        [0, 1, 0],
        [1, 0, 0],
      ]);
      expect(head().crossEntropy(latents, oneHot).dataSync()[0]).toBeCloseTo(
        (total[0] - 5 + total[1] + 0.75) / 2,
        4,
      );
      expect(head().accuracy(latents, oneHot).dataSync()[0]).toBeCloseTo(0.5, 6);
      const right = tf.tensor2d([
        [0, 1, 0],
        [0, 1, 0],
      ]);
      expect(head().accuracy(latents, right).dataSync()[0]).toBe(1);
      const many = tf.tensor2d([
        [1, 0, 0],
        [0, 1, 1],
      ]);
      const perClass = (value: number, yes: number) => Math.log(1 + Math.exp(value)) - yes * value;
      const expected = logits.flatMap((row, i) =>
        row.map((value, j) => perClass(value, many.arraySync()[i][j])),
      );
      const sum = expected.reduce((all, value) => all + value, 0);
      expect(head(true).crossEntropy(latents, many).dataSync()[0]).toBeCloseTo(sum / 2, 4);
      // Right: yes; no is 5; 0 is no more than no | -0.75 no; yes; yes.
      expect(head(true).accuracy(latents, many).dataSync()[0]).toBeCloseTo(5 / 6, 5);
    });
  });
});

describe('realNvp', () => {
  it('reads its options: layers, permutation and actnorm', () => {
    const x = [[1, 2, 3, 4, 5]];
    // Couplings start as the identity, so what is left are the permutations.
    const build = (options: Partial<Parameters<typeof realNvp>[0]>) => {
      const flow = realNvp({ dimensions: 5, hiddenUnits: [4], actnorm: false, seed: 1, ...options });
      const z = valuesOf(flow.encode(x));
      const names = new Set(flow.weights.map(({ name }) => name.split('/')[1]));
      flow.dispose();
      return { z, names };
    };
    expect(build({ layers: 1 }).z).toEqual([5, 4, 3, 2, 1]);
    expect(build({ layers: 2 }).z).toEqual([1, 2, 3, 4, 5]);
    const shuffled = build({ layers: 2, permutation: 'shuffle' }).z;
    expect([...shuffled].sort()).toEqual([1, 2, 3, 4, 5]);
    expect(shuffled).not.toEqual([1, 2, 3, 4, 5]);
    expect(build({ layers: 2 }).names).toEqual(new Set(['coupling0', 'coupling1']));
    expect(build({ layers: 1, actnorm: true }).names).toEqual(new Set(['actnorm0', 'coupling0']));
    // sigmoid(2) is what the other scale starts at, on the three values that change.
    const sigmoid = 1 / (1 + Math.exp(-2));
    build({ layers: 1, scale: 'sigmoid' }).z.forEach((value, i) => {
      expect(value).toBeCloseTo([5 * sigmoid, 4 * sigmoid, 3 * sigmoid, 2, 1][i], 5);
    });
  });
});
