import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { BackendError } from 'tfjs-flows';
import { expect, it } from 'vitest';
import { adaptiveFieldsOf, fieldsOf, setIterations, slotFields } from '../../src/engine/optimizers';

const builders: [string, () => tf.Optimizer, fields: string[]][] = [
  ['SGD', () => tf.train.sgd(0.1), ['learningRate', 'c']],
  // Its other fields are those of SGD.
  ['Momentum', () => tf.train.momentum(0.1, 0.9), ['accumulations']],
  ['Adagrad', () => tf.train.adagrad(0.1), ['learningRate', 'accumulatedGrads']],
  ['Adadelta', () => tf.train.adadelta(0.1), ['learningRate', 'accumulatedGrads', 'accumulatedUpdates']],
  [
    'Adam',
    () => tf.train.adam(0.1),
    [
      'learningRate',
      'beta1',
      'beta2',
      'epsilon',
      'accBeta1',
      'accBeta2',
      'accumulatedFirstMoment',
      'accumulatedSecondMoment',
    ],
  ],
  [
    'Adamax',
    () => tf.train.adamax(0.1),
    [
      'learningRate',
      'beta1',
      'beta2',
      'epsilon',
      'accBeta1',
      'iteration',
      'decay',
      'accumulatedFirstMoment',
      'accumulatedWeightedInfNorm',
    ],
  ],
  ['RMSProp', () => tf.train.rmsprop(0.1), ['learningRate', 'accumulatedMeanSquares', 'accumulatedMoments']],
];

it.each(builders.flatMap(([name, build, fields]) => fields.map((field) => [name, field, build] as const)))(
  '%s without %s is not used, and the version that was found is named',
  (name, field, build) => {
    const optimizer = build();
    // A class of its own, so that it is looked at again.
    class Doctored {}
    Object.setPrototypeOf(Doctored.prototype, Object.getPrototypeOf(optimizer));
    const doctored = Object.assign(Object.create(Doctored.prototype), optimizer, { [field]: undefined });
    const message = new RegExp(`'${field}' \\(\\w+\\) in ${name}, .*got none in version 4\\.22`);
    for (const look of [fieldsOf, adaptiveFieldsOf, slotFields]) {
      expect(() => look(doctored)).toThrow(BackendError);
      expect(() => look(doctored)).toThrow(message);
    }
    expect(fieldsOf(optimizer)).toBe(optimizer);
    optimizer.dispose();
  },
);

it('sets the number of steps, or says that it cannot', () => {
  const optimizer = tf.train.adam(0.1);
  setIterations(optimizer, 7);
  expect(optimizer.iterations).toBe(7);
  const other = Object.create(optimizer, { iterations: { get: () => 0 } });
  expect(() => setIterations(other, 7)).toThrow("'iterations_' (number) in an optimizer");
  optimizer.dispose();
});

it('takes optimizers of other kinds as they are', () => {
  class Own extends tf.Optimizer {
    static className = 'Own';
    applyGradients() {}
    getConfig() {
      return {};
    }
  }
  expect(slotFields(new Own())).toEqual([]);
});
