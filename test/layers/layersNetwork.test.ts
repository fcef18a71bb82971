import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { ConfigError, deserializeModule, LayersNetwork, serializeModule } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

const { layers } = tfl;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A network of one layer on vectors of 4, or on sequences or images. */
const network = (layer: tfl.layers.Layer, inputShape = [4]) =>
  new LayersNetwork({ model: layer, inputShape });

/** A layer of somebody's own, with a field that holds another. */
class Holder extends layers.Layer {
  static className = 'TestHolder';
  constructor(private readonly held: tfl.layers.Layer) {
    super({});
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    return this.held.apply(x) as tf.Tensor;
  }
}

/** A layer of somebody's own whose weight has a regularizer or a constraint that no field tells of. */
class Weighted extends layers.Layer {
  static className = 'TestWeighted';
  private weight?: ReturnType<tfl.layers.Layer['addWeight']>;
  constructor(
    private readonly regularizer?: Parameters<tfl.layers.Layer['addWeight']>[4],
    private readonly limit?: Parameters<tfl.layers.Layer['addWeight']>[6],
  ) {
    super({});
  }
  override build(): void {
    const ones = tfl.initializers.ones();
    this.weight = this.addWeight('w', [4], 'float32', ones, this.regularizer, true, this.limit);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(Array.isArray(x) ? x[0] : x, (this.weight as { read(): tf.Tensor }).read());
  }
}

const l2 = () => tfl.regularizers.l2({ l2: 0.1 });
const nonNeg = () => tfl.constraints.nonNeg();

describe('LayersNetwork refuses what a flow would leave inert', () => {
  const refused: [string, () => tfl.layers.Layer, number[], RegExp][] = [
    [
      'dropout',
      () => layers.dropout({ rate: 0.3 }),
      [4],
      /got rate 0\.3 in Dropout 'dropout_\w+'\. Leave it out\. Perceptrons of this library take `dropout`/,
    ],
    ['spatial dropout', () => layers.spatialDropout1d({ rate: 0.3 }), [3, 4], /in SpatialDropout1D/],
    ['noise', () => layers.gaussianNoise({ stddev: 0.1 }), [4], /stddev 0\.1 in GaussianNoise/],
    ['multiplied noise', () => layers.gaussianDropout({ rate: 0.2 }), [4], /in GaussianDropout/],
    ['alpha dropout', () => layers.alphaDropout({ rate: 0.2 }), [4], /in AlphaDropout/],
    ['random widths', () => layers.randomWidth({ factor: 0.1 }), [4, 4, 1], /chance in RandomWidth/],
    [
      'batch normalization',
      () => layers.batchNormalization(),
      [4],
      /in BatchNormalization .*layerNormalization/,
    ],
    [
      'a kernel regularizer',
      () => layers.dense({ units: 2, kernelRegularizer: l2() }),
      [4],
      /kernelRegularizer in Dense.*lossOf/,
    ],
    [
      'a bias regularizer',
      () => layers.dense({ units: 2, biasRegularizer: 'l1l2' }),
      [4],
      /biasRegularizer in Dense/,
    ],
    [
      'an activity regularizer',
      () => layers.dense({ units: 2, activityRegularizer: l2() }),
      [4],
      /activityRegularizer/,
    ],
    [
      'a regularizer of an embedding',
      () => layers.embedding({ inputDim: 3, outputDim: 2, embeddingsRegularizer: l2() }),
      [4],
      /embeddingsRegularizer/,
    ],
    [
      'a kernel constraint',
      () => layers.conv2d({ filters: 1, kernelSize: 1, kernelConstraint: nonNeg() }),
      [4, 4, 1],
      /kernelConstraint in Conv2D/,
    ],
    [
      'a depthwise constraint',
      () => layers.depthwiseConv2d({ kernelSize: 1, depthwiseConstraint: 'nonNeg' }),
      [4, 4, 1],
      /depthwiseConstraint/,
    ],
    [
      'a constraint of normalization',
      () => layers.layerNormalization({ gammaRegularizer: l2() }),
      [4],
      /gammaRegularizer/,
    ],
    ['dropout in a cell', () => layers.lstm({ units: 2, dropout: 0.1 }), [3, 4], /dropout 0\.1 in LSTM/],
    [
      'recurrent dropout in a cell',
      () => layers.gru({ units: 2, recurrentDropout: 0.1 }),
      [3, 4],
      /recurrentDropout 0\.1 in GRU/,
    ],
    [
      'a recurrent constraint',
      () => layers.simpleRNN({ units: 2, recurrentConstraint: nonNeg() }),
      [3, 4],
      /recurrentConstraint in SimpleRNN/,
    ],
    [
      'state',
      () => layers.lstm({ units: 2, stateful: true }),
      [3, 4],
      /state from batch to batch in LSTM .*stateful: false/,
    ],
    [
      'stacked cells',
      () =>
        layers.rnn({
          cell: layers.stackedRNNCells({
            cells: [layers.gruCell({ units: 2 }), layers.gruCell({ units: 2, kernelRegularizer: 'l1l2' })],
          }),
        }),
      [3, 4],
      /kernelRegularizer in GRUCell/,
    ],
    [
      'what is distributed over time',
      () => layers.timeDistributed({ layer: layers.dropout({ rate: 0.1 }) }),
      [3, 4],
      /in Dropout/,
    ],
    [
      'both directions',
      () => layers.bidirectional({ layer: layers.gru({ units: 2, dropout: 0.2 }), mergeMode: 'concat' }),
      [3, 4],
      /dropout 0\.2 in GRU/,
    ],
    [
      'a nested model',
      () =>
        tfl.sequential({
          layers: [layers.dense({ units: 2, inputShape: [4] }), layers.dropout({ rate: 0.5 })],
        }),
      [4],
      /in Dropout/,
    ],
    [
      'a model in a model',
      () =>
        tfl.sequential({
          layers: [
            tfl.sequential({ layers: [layers.batchNormalization({ inputShape: [4] })] }),
            layers.dense({ units: 2 }),
          ],
        }),
      [4],
      /in BatchNormalization/,
    ],
    [
      'a layer held by one of your own',
      () => new Holder(layers.gaussianNoise({ stddev: 1 })),
      [4],
      /in GaussianNoise/,
    ],
    [
      'a regularizer that only the weight has',
      () => new Weighted(l2()),
      [4],
      /a loss of its own in TestWeighted/,
    ],
    [
      'a constraint that only the weight has',
      () => new Weighted(undefined, nonNeg()),
      [4],
      /a constraint in TestWeighted/,
    ],
  ];

  it.each(refused)('%s', (_, make, inputShape, message) => {
    const layer = make();
    expect(() => network(layer, inputShape)).toThrow(ConfigError);
    expect(() => network(layer, inputShape)).toThrow(message);
    tf.disposeVariables();
  });

  it('before a bare layer makes weights, and leaves nothing where a file holds such a layer', () => {
    const before = tf.memory().numTensors;
    expect(() => network(layers.dense({ units: 2, kernelRegularizer: l2() }))).toThrow(ConfigError);
    const good = network(layers.dense({ units: 2 }));
    const saved = serializeModule(good);
    good.dispose();
    const text = JSON.stringify(saved).replace(
      '"kernel_constraint":null',
      '"kernel_constraint":{"class_name":"NonNeg","config":{}}',
    );
    const changed = text.replace(
      '"kernelConstraint":null',
      '"kernelConstraint":{"className":"NonNeg","config":{}}',
    );
    expect(changed).not.toBe(JSON.stringify(saved));
    expect(() => deserializeModule(JSON.parse(changed))).toThrow(/kernelConstraint in Dense/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('LayersNetwork takes', () => {
  const taken: [string, () => tfl.layers.Layer, number[]][] = [
    ['dense layers', () => layers.dense({ units: 2, activation: 'tanh', kernelInitializer: 'zeros' }), [4]],
    ['convolutions', () => layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' }), [4, 4, 1]],
    ['layer normalization', () => layers.layerNormalization(), [4]],
    ['no dropout', () => layers.dropout({ rate: 0 }), [4]],
    ['no noise', () => layers.gaussianNoise({ stddev: 0 }), [4]],
    ['fixed statistics of batches', () => layers.batchNormalization({ trainable: false }), [4]],
    ['recurrent layers', () => layers.lstm({ units: 2, dropout: 0, recurrentInitializer: 'ones' }), [3, 4]],
    [
      'both directions',
      () =>
        layers.bidirectional({
          layer: layers.gru({ units: 2, recurrentInitializer: 'ones' }),
          mergeMode: 'concat',
        }),
      [3, 4],
    ],
    ['layers over time', () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }), [3, 4]],
    ['PReLU', () => layers.prelu(), [4]],
    [
      'nested models',
      () =>
        tfl.sequential({
          layers: [tfl.sequential({ layers: [layers.dense({ units: 2, inputShape: [4] })] })],
        }),
      [4],
    ],
    ['layers that hold others', () => new Holder(layers.reLU()), [4]],
    ['weights of a layer of your own', () => new Weighted(), [4]],
  ];

  it.each(taken)('%s', (_, make, inputShape) => {
    const made = network(make(), inputShape);
    tf.tidy(() => {
      const output = made.apply(tf.ones([2, ...inputShape]));
      expect(output.shape).toEqual([2, ...made.outputShape]);
      expect(output.dataSync().every(Number.isFinite)).toBe(true);
    });
    made.dispose();
    tf.disposeVariables();
  });
});
