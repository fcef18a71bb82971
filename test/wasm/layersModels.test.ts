import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { RandomStream } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshBackend } from './heap';

const { layers } = tfl;
const seeded = (seed: number) => tfl.initializers.glorotUniform({ seed });

/** Self-attention over positions by two einsums, with one weight for queries, keys and values. */
class Attention extends tfl.layers.Layer {
  static className = 'TestAttention';
  private projection!: tfl.LayerVariable;

  override build(shape: tfl.Shape): void {
    const size = shape[2] as number;
    this.projection = this.addWeight('projection', [size, 3 * size], 'float32', seeded(9));
    super.build(shape);
  }

  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const projected = tf.einsum('btc,cd->btd', x, this.projection.read());
      const [query, key, value] = tf.split(projected, 3, 2);
      const weights = tf.softmax(tf.mul(tf.einsum('bqc,bkc->bqk', query, key), x.shape[2]! ** -0.5));
      return tf.add(x, tf.einsum('bqk,bkc->bqc', weights, value));
    });
  }
}

const models: Record<string, () => tfl.Sequential> = {
  'convolutions, batch norm and pooling': () =>
    tfl.sequential({
      layers: [
        layers.conv2d({ inputShape: [9, 9, 2], filters: 6, kernelSize: 3, kernelInitializer: seeded(1) }),
        layers.batchNormalization(),
        layers.activation({ activation: 'relu' }),
        layers.maxPooling2d({ poolSize: 2, strides: 2 }),
        layers.conv2d({
          filters: 5,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          activation: 'elu',
          kernelInitializer: seeded(2),
        }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(3) }),
      ],
    }),
  'separable and depthwise convolutions': () =>
    tfl.sequential({
      layers: [
        layers.depthwiseConv2d({
          inputShape: [9, 9, 2],
          kernelSize: 3,
          depthMultiplier: 2,
          padding: 'same',
          depthwiseInitializer: seeded(1),
        }),
        layers.separableConv2d({
          filters: 6,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          activation: 'relu',
          depthwiseInitializer: seeded(2),
          pointwiseInitializer: seeded(3),
        }),
        layers.averagePooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(4) }),
      ],
    }),
  'transposed convolution': () =>
    tfl.sequential({
      layers: [
        layers.conv2d({
          inputShape: [9, 9, 2],
          filters: 4,
          kernelSize: 3,
          strides: 2,
          activation: 'relu',
          kernelInitializer: seeded(1),
        }),
        layers.conv2dTranspose({
          filters: 3,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          kernelInitializer: seeded(2),
        }),
        layers.flatten(),
        layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(3) }),
      ],
    }),
  'embedding, one-dimensional convolution and attention': () =>
    tfl.sequential({
      layers: [
        layers.embedding({ inputDim: 12, outputDim: 6, inputLength: 7, embeddingsInitializer: seeded(1) }),
        layers.conv1d({
          filters: 6,
          kernelSize: 3,
          padding: 'same',
          activation: 'tanh',
          kernelInitializer: seeded(2),
        }),
        new Attention({}),
        layers.layerNormalization(),
        layers.flatten(),
        layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(3) }),
      ],
    }),
  'recurrent layers': () =>
    tfl.sequential({
      layers: [
        layers.embedding({ inputDim: 12, outputDim: 5, inputLength: 7, embeddingsInitializer: seeded(1) }),
        layers.gru({
          units: 6,
          returnSequences: true,
          kernelInitializer: seeded(2),
          recurrentInitializer: seeded(3),
        }),
        layers.lstm({ units: 5, kernelInitializer: seeded(4), recurrentInitializer: seeded(5) }),
        layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(6) }),
      ],
    }),
};

/** Losses of two epochs of a model's own fit, and its output afterwards. */
async function train(name: string): Promise<number[]> {
  const model = models[name]();
  const random = new RandomStream(3);
  const [, ...shape] = model.inputs[0].shape as number[];
  const count = tf.util.sizeFromShape([12, ...shape]);
  const x =
    shape.length === 1
      ? tf.tensor(
          Array.from({ length: count }, () => random.integer(12)),
          [12, ...shape],
        )
      : random.normal([12, ...shape]);
  const y = tf.tidy(() =>
    tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 12 }, (_, i) => i % 3),
        'int32',
      ),
      3,
    ),
  );
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
  const before = tf.memory().numTensors;
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 4, shuffle: false, verbose: 0 });
  expect(tf.memory().numTensors).toBe(before);
  const output = model.predict(x) as tf.Tensor;
  const values = [...(history.loss as number[]), ...output.dataSync()];
  tf.dispose([x, y, output]);
  model.dispose();
  return values;
}

describe.each([1, 2])('models of tfjs-layers train on wasm, %i threads', (threads) => {
  beforeAll(async () => {
    await freshBackend(threads);
  });

  it.each(Object.keys(models))('%s', async (name) => {
    const received = await train(name);
    await tf.setBackend('cpu');
    const expected = await train(name);
    await tf.setBackend('wasm');
    expect(received[2]).toBeLessThan(received[0]);
    // Nine steps of float32 sums in another order.
    expected.forEach((value, i) => {
      expect(Math.abs(received[i] - value)).toBeLessThan(1e-4);
    });
  });
});
