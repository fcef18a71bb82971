import * as tf from '@tensorflow/tfjs-core';
import { AffineCoupling, type ConditionerBuilder, MultilayerPerceptron, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { inTrainingStep } from '../../src/core/trainingStep';
import { gradientsOf } from '../../src/engine/gradients';
import { hasKernels } from '../../src/engine/kernels';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, valuesOn } from './onBoth';

/** What the networks are built with, and which channels pass. */
interface Options {
  context?: number;
  dropout?: number;
  passthrough?: boolean[];
  inverse?: boolean;
}

function build({ context, dropout, passthrough }: Options): AffineCoupling {
  const network: ConditionerBuilder = ([d], [units]) =>
    new MultilayerPerceptron({ inputShape: [d], units, hiddenUnits: [9, 6], context, dropout, seed: 1 });
  const coupling = new AffineCoupling({ inputShape: [5], passthrough: passthrough ?? 2, network });
  const random = new RandomStream(2);
  for (const weight of coupling.trainableWeights) weight.assign(random.normal(weight.shape, 0, 0.5));
  return coupling;
}

/** Value, log-determinant, and gradients in x, the context and all weights, in a training step. */
function results(rows: number, options: Options): tf.Tensor[] {
  const coupling = build(options);
  const random = new RandomStream(3);
  const x = random.normal([rows, 5]);
  const context = options.context === undefined ? undefined : random.normal([rows, options.context]);
  const [ofValue, ofLogDet] = [random.normal([rows, 5]), random.normal([rows])];
  const run = () => (options.inverse ? coupling.inverse(x, context) : coupling.forward(x, context));
  return inTrainingStep(new RandomStream(4), () => {
    const { value, logDet } = run();
    const loss = () => {
      const result = run();
      const sums = [tf.mul(result.value, ofValue), tf.mul(result.logDet, ofLogDet)].map((each) =>
        tf.sum(each),
      );
      return tf.addN(sums) as tf.Scalar;
    };
    const xs = [x, ...(context === undefined ? [] : [context]), ...coupling.trainableWeights];
    const { gradients } = gradientsOf(loss, xs);
    coupling.dispose();
    return [value, logDet, ...(gradients as tf.Tensor[])];
  });
}

describe.skipIf(!hasAdapter)('couplings with perceptrons on webgpu', () => {
  const mask = [false, true, false, true, false];

  it.each<[number, Options]>([
    [1, {}],
    [19, { inverse: true }],
    [70, { context: 3, dropout: 0.3 }],
    [21, { passthrough: mask }],
    [21, { passthrough: mask, context: 2, inverse: true }],
  ])('as on cpu, %d rows, %j', async (rows, options) => {
    await expectSameOnBoth(() => results(rows, options), 2e-5);
  });

  it('take three dispatches each way, with dropout and with a context', async () => {
    await activate('webgpu');
    expect(hasKernels('FlowPerceptronCoupling', 'FlowPerceptronCouplingGradient')).toBe(true);
    const coupling = build({ context: 3, dropout: 0.3 });
    const [x, context] = [tf.ones([40, 5]), tf.ones([40, 3])];
    const run = () => inTrainingStep(new RandomStream(1), () => coupling.forward(x, context));
    expect(dispatchesOf(run)).toBe(3);
    const loss = () => run().value as tf.Scalar;
    const xs = [x, ...coupling.trainableWeights];
    expect(dispatchesOf(() => tf.engine().gradients(loss, xs, x))).toBe(6);
    tf.dispose([x, context]);
    coupling.dispose();
  });

  it('of no rows are nothing, and NaN stays in its row', async () => {
    const [none, value] = await valuesOn('webgpu', () => {
      const coupling = build({});
      const given = [tf.zeros([0, 5]), tf.tensor2d([1, 2, 3, 4, 5, 1, Number.NaN, 3, 4, 5], [2, 5])];
      const found = given.map((x) => coupling.forward(x).value);
      coupling.dispose();
      return found;
    });
    expect(none).toHaveLength(0);
    expect(Array.from(value, Number.isNaN)).toEqual([...Array(5).fill(false), false, ...Array(4).fill(true)]);
  });
});
