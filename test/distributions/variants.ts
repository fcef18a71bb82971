import * as tf from '@tensorflow/tfjs-core';
import {
  DiagonalNormal,
  type Distribution,
  MultilayerPerceptron,
  NormalMixture,
  RandomStream,
  StackedBase,
  StandardNormal,
  StudentT,
  UniformBox,
} from 'tfjs-flows';

/** A base to be swept by tests. */
export interface Variant {
  create(): Distribution;
  /** Whether one row of the context [0.3, -1] is read. */
  conditioned?: boolean;
}

/** All weights moved a little, so that nothing is as it started. */
function moved<T extends Distribution>(base: T, by = 0.4): T {
  const random = new RandomStream(5);
  for (const { variable } of base.weights) {
    const step = random.normal(variable.shape, 0, by);
    const next = tf.add(variable, step);
    variable.assign(next);
    tf.dispose([step, next]);
  }
  return base;
}

const mixture = (covariance: 'diagonal' | 'full') => () =>
  moved(new NormalMixture({ eventShape: [2], components: 3, covariance, seed: 2 }));

const conditionedMixture = (covariance: 'diagonal' | 'full') => () =>
  moved(
    new NormalMixture({
      eventShape: [2],
      components: 2,
      covariance,
      context: { a: 1, b: [1, 1] },
      network: ([c], [units]) =>
        new MultilayerPerceptron({ inputShape: [c], units, hiddenUnits: [4], activation: 'tanh', seed: 3 }),
      seed: 2,
    }),
    0.2,
  );

/** Every base there is, in its variants. */
export const variants: Record<string, Variant> = {
  StandardNormal: { create: () => new StandardNormal({ eventShape: [2] }) },
  DiagonalNormal: { create: () => moved(new DiagonalNormal({ eventShape: [2] })) },
  'NormalMixture, diagonal': { create: mixture('diagonal') },
  'NormalMixture, full': { create: mixture('full') },
  'NormalMixture, diagonal, conditioned': { create: conditionedMixture('diagonal'), conditioned: true },
  'NormalMixture, full, conditioned': { create: conditionedMixture('full'), conditioned: true },
  'NormalMixture, one dimension': {
    create: () => moved(new NormalMixture({ eventShape: [1], components: 2, covariance: 'full', seed: 1 })),
  },
  StudentT: {
    create: () =>
      moved(new StudentT({ eventShape: [2], degreesOfFreedom: [3, 40], trainDegreesOfFreedom: true })),
  },
  'StudentT, one dimension': { create: () => new StudentT({ eventShape: [1], degreesOfFreedom: 2.5 }) },
  UniformBox: { create: () => new UniformBox({ eventShape: [2], low: [-1.2, 0], high: [2, 0.8] }) },
  StackedBase: {
    create: () =>
      new StackedBase({
        parts: [
          new UniformBox({ eventShape: [1], low: -2, high: 0.8, name: 'box' }),
          moved(new NormalMixture({ eventShape: [1], components: 2, seed: 4, name: 'mixture' })),
        ],
      }),
  },
};

const row = { a: [[0.3]], b: [[[-1]]] };
/** The context of n events; undefined where none is read. */
export const contextOf = ({ conditioned }: Variant, n: number) =>
  conditioned
    ? { a: tf.tile(tf.tensor2d(row.a), [n, 1]), b: tf.tile(tf.tensor3d(row.b), [n, 1, 1]) }
    : undefined;
