import * as tf from '@tensorflow/tfjs-core';
import {
  MaskedAutoregressive,
  MaskedPerceptron,
  MultilayerPerceptron,
  RandomStream,
  RationalQuadraticSpline,
  VectorFlow,
} from 'tfjs-flows';
import { contextShapeOf } from '../../src/core/context';
import { columnSupports } from '../../src/layers/supports/columnSupports';
import { type ColumnsOptions, readColumns } from '../../src/layers/supports/columns';

/** A small flow over columns with supports: one autoregressive spline behind them. */
export function columnsFlow(options: ColumnsOptions, context?: number): VectorFlow {
  const columns = readColumns('columnsFlow', options);
  const random = new RandomStream(1);
  const plan = columnSupports({
    columns,
    context: contextShapeOf('columnsFlow', context),
    network: (input, [units]) =>
      new MultilayerPerceptron({
        inputShape: input,
        units,
        hiddenUnits: [8],
        activation: 'tanh',
        seed: random.childSeed(),
      }),
  });
  const bijector = plan.assemble(
    (inputShape, read) =>
      new MaskedAutoregressive({
        inputShape,
        transformer: new RationalQuadraticSpline({ bins: 4 }),
        network: (adjacency, outputsPerValue) =>
          new MaskedPerceptron({
            adjacency,
            outputsPerValue,
            hiddenUnits: [12],
            activation: 'tanh',
            context: read,
            seed: 2,
          }),
      }),
  );
  return new VectorFlow({ bijector, columns, seed: 1 });
}

/** Weights moved away from their starts, so that nothing is even, or the identity. */
export function stir(flow: { trainableWeights: tf.Variable[] }, deviation: number, seed = 5): void {
  const random = new RandomStream(seed);
  for (const weight of flow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, deviation))));
  }
}
