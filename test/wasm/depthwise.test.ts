import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { compute, distance, expectSame, type HostTensor, randomTensor } from './helpers';

/** Sums of up to some hundred terms in float32. */
const TOLERANCE = 2e-6;

type Shape4D = [number, number, number, number];

interface Depthwise {
  x: Shape4D;
  /** [height, width, channels, multiplier] */
  filter: Shape4D;
  strides: [number, number];
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  dilations: [number, number];
}

function infoOf({ x, filter, strides, pad, dilations }: Depthwise): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(x, filter, strides, dilations, pad, undefined, true);
}

/** Depthwise convolution with both its gradients for an output gradient, in float64, straight from the definition. */
function reference(g: Depthwise, x: HostTensor, filter: HostTensor, dy: HostTensor): Float64Array[] {
  const { outShape, padInfo } = infoOf(g);
  const [batch, height, width, channels] = g.x;
  const [tapsHigh, tapsWide, , multiplier] = g.filter;
  const [, outHeight, outWidth, outputs] = outShape;
  const y = new Float64Array(dy.values.length);
  const dx = new Float64Array(x.values.length);
  const dFilter = new Float64Array(filter.values.length);
  for (let to = 0; to < batch * outHeight * outWidth * outputs; to++) {
    const output = to % outputs;
    const channel = Math.floor(output / multiplier);
    const position = Math.floor(to / outputs);
    const top = (Math.floor(position / outWidth) % outHeight) * g.strides[0] - padInfo.top;
    const left = (position % outWidth) * g.strides[1] - padInfo.left;
    const image = Math.floor(position / outWidth / outHeight);
    for (let tap = 0; tap < tapsHigh * tapsWide; tap++) {
      const row = top + Math.floor(tap / tapsWide) * g.dilations[0];
      const column = left + (tap % tapsWide) * g.dilations[1];
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const at = ((image * height + row) * width + column) * channels + channel;
      const w = tap * outputs + output;
      y[to] += x.values[at] * filter.values[w];
      dx[at] += dy.values[to] * filter.values[w];
      dFilter[w] += dy.values[to] * x.values[at];
    }
  }
  return [y, dx, dFilter];
}

function draw(random: RandomStream): Depthwise {
  const pick = <T>(choices: readonly T[]) => choices[random.integer(choices.length)];
  const channels = pick([1, 2, 3, 4, 5, 7, 8, 13]);
  const strides: [number, number] = [1 + random.integer(3), 1 + random.integer(3)];
  const plain = strides[0] * strides[1] === 1;
  return {
    x: [pick([1, 1, 2, 3]), 4 + random.integer(7), 4 + random.integer(7), channels],
    filter: [1 + random.integer(3), 1 + random.integer(3), channels, pick([1, 1, 2, 3])],
    strides,
    pad: pick<Depthwise['pad']>([
      'same',
      'valid',
      1,
      [
        [0, 0],
        [1, 0],
        [2, 1],
        [0, 0],
      ],
    ]),
    dilations: plain ? [1 + random.integer(2), 1 + random.integer(2)] : [1, 1],
  };
}

describe.each([1, 2])('depthwise convolutions on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });
  const random = new RandomStream(12);

  /** The convolution, and its gradients by their kernels: tfjs's own gradient function takes no dilations. */
  const all = (g: Depthwise) => (x: tf.Tensor, filter: tf.Tensor, dy: tf.Tensor) => {
    const { strides, pad, dilations } = g;
    const attributes = { strides, pad, dilations, inputShape: g.x, filterShape: g.filter };
    const gradient = (name: string, inputs: tf.NamedTensorMap) =>
      tf.engine().runKernel(`DepthwiseConv2dNativeBackprop${name}`, inputs, attributes) as tf.Tensor;
    return [
      tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilations),
      gradient('Input', { dy, filter }),
      gradient('Filter', { x, dy }),
    ];
  };

  it.each(Array.from({ length: 30 }, () => draw(random)))('%j equals float64', (g) => {
    const inputs = [g.x, g.filter, infoOf(g).outShape].map((shape) => randomTensor(random, shape));
    const exact = reference(g, inputs[0], inputs[1], inputs[2]);
    compute(inputs, all(g)).forEach((received, i) => {
      expect(distance(exact[i], received)).toBeLessThan(TOLERANCE);
    });
  });

  it('gives the gradients of the cpu backend through the tape', async () => {
    const inputs = [
      [2, 7, 6, 5],
      [3, 3, 5, 2],
    ].map((shape) => randomTensor(random, shape));
    await expectSame(inputs, (x, filter) =>
      tf.grads((a, b) =>
        tf.sum(tf.square(tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, [2, 1], 'same'))),
      )([x, filter]),
    );
  });

  it('takes an empty batch', () => {
    const g: Depthwise = {
      x: [0, 5, 5, 3],
      filter: [3, 3, 3, 1],
      strides: [1, 1],
      pad: 'same',
      dilations: [1, 1],
    };
    const inputs = [g.x, g.filter, g.x].map((shape) => randomTensor(random, shape));
    const [dx, dFilter] = compute(inputs, (x, filter, dy) => all(g)(x, filter, dy).slice(1));
    expect(dx).toHaveLength(0);
    expect([...dFilter]).toEqual(new Array(27).fill(0));
  });
});
