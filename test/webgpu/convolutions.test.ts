import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import {
  type FusedLayer,
  fusedConvolutions,
  hasFusedConvolutions,
} from '../../src/layers/networks/fusedConvolutions';
import { hasAdapter } from './adapter';
import { activate, dispatchesOf, expectSameOnBoth, inTiles, valuesOn } from './onBoth';

/** A layer by its sizes. */
interface Sizes {
  size: number;
  outputs: number;
  /** None for a layer without logScale. */
  factor?: number;
  perPosition?: boolean;
}

/** The layers one by one, of ordinary ops. */
function ordinary(x: tf.Tensor, layers: readonly FusedLayer[]): tf.Tensor {
  let y = x.rank === 4 ? x : tf.expandDims(tf.expandDims(x, 1), 1);
  layers.forEach(({ filter, offset, logScale, logScaleFactor = 1 }, i) => {
    const filters = filter.rank === 4 ? filter : tf.expandDims(tf.expandDims(filter, 0), 0);
    y = tf.add(tf.conv2d(y as tf.Tensor4D, filters as tf.Tensor4D, 1, 'same'), offset);
    if (logScale !== undefined) y = tf.mul(y, tf.exp(tf.mul(logScale, logScaleFactor)));
    if (i < layers.length - 1) y = tf.relu(y);
  });
  return x.rank === 4 ? y : tf.squeeze(y, [1, 2]);
}

/** The chain, and what it is called with: x and the weights in a row. */
function chainOf(shape: number[], sizes: readonly Sizes[]) {
  const random = new RandomStream(1);
  const draw = (size: number[], deviation: number) => random.normal(size, 0, deviation);
  let channels = shape[shape.length - 1];
  const given: tf.Tensor[] = [draw(shape, 1)];
  for (const { size, outputs, factor, perPosition = false } of sizes) {
    const filter = shape.length === 2 ? [channels, outputs] : [size, size, channels, outputs];
    given.push(draw(filter, (size * size * channels) ** -0.5));
    given.push(draw(perPosition ? [1, ...shape.slice(1, -1), outputs] : [outputs], 0.5));
    if (factor !== undefined) given.push(draw([outputs], 0.3));
    channels = outputs;
  }
  const weighting = draw([...shape.slice(0, -1), channels], 1);
  const apply = (x: tf.Tensor, ...weights: tf.Tensor[]) => {
    let at = 0;
    const layers = sizes.map(({ factor }): FusedLayer => {
      const [filter, offset] = [weights[at++], weights[at++]];
      if (factor === undefined) return { filter, offset };
      return { filter, offset, logScale: weights[at++], logScaleFactor: factor };
    });
    return (hasFusedConvolutions() ? fusedConvolutions : ordinary)(x, layers);
  };
  const run = () => apply(given[0], ...given.slice(1));
  const gradients = tf.grads((...tensors) => apply(tensors[0], ...tensors.slice(1)));
  return { given, run, back: () => gradients(given, weighting) };
}

/** Value and gradients in everything. */
function results(shape: number[], sizes: readonly Sizes[]): tf.Tensor[] {
  const { run, back } = chainOf(shape, sizes);
  return [run(), ...back()];
}

const glow = (hidden: number, outputs: number, perPosition?: boolean): Sizes[] => [
  { size: 3, outputs: hidden, factor: 1, perPosition },
  { size: 1, outputs: hidden, factor: 1 },
  { size: 3, outputs, factor: 3, perPosition },
];

const cases: [name: string, shape: number[], layers: Sizes[]][] = [
  ['a network of odd channels', [2, 5, 7, 3], glow(13, 5)],
  ['a network of channels in fours', [3, 8, 6, 12], glow(32, 24)],
  ['a network of wide layers', [2, 16, 17, 4], glow(72, 8)],
  ['a network with offsets per position', [3, 5, 4, 6], glow(10, 12, true)],
  [
    'a network without scales',
    [2, 4, 4, 8],
    [
      { size: 3, outputs: 20 },
      { size: 1, outputs: 36 },
    ],
  ],
  ['filters of 5 on images smaller than they', [2, 3, 2, 2], [{ size: 5, outputs: 9, factor: 2 }]],
  ['one pixel', [1, 1, 1, 1], [{ size: 3, outputs: 1, factor: 1 }]],
  [
    'vectors',
    [70, 6],
    [
      { size: 1, outputs: 40, factor: 1 },
      { size: 1, outputs: 3 },
    ],
  ],
  ['four layers', [1, 9, 5, 4], [...glow(16, 8).slice(0, 2), ...glow(12, 4).slice(1)]],
];

describe.skipIf(!hasAdapter)('convolutions on webgpu', () => {
  // The gradients in filters are sums over all positions.
  it.each(cases)('%s as on cpu', async (_, shape, layers) => {
    await expectSameOnBoth(() => results(shape, layers), 2e-5);
  });

  // No size is a multiple of a tile's: 144 positions, 20 channels, 136 columns. The blocks are the largest.
  it('in tiles as on cpu', async () => {
    const layers = [{ size: 3, outputs: 136, factor: 1 }];
    await inTiles(() => expectSameOnBoth(() => results([2, 9, 8, 20], layers), 2e-5), 1);
  });

  it('take a dispatch per layer, and nine back for three layers', async () => {
    await activate('webgpu');
    const { given, run, back } = chainOf([2, 4, 4, 8], glow(16, 8));
    expect(dispatchesOf(run)).toBe(3);
    expect(dispatchesOf(back)).toBe(3 + 9);
    tf.dispose(given);
  });

  it('of no images have gradients of 0', async () => {
    await expectSameOnBoth(() => results([0, 4, 4, 6], glow(8, 4)));
  });

  it('in tiles keep what is no number where a filter sees it', async () => {
    const x = new Float32Array(5 * 20 * 20).fill(1);
    x[0] = Number.NaN;
    const compute = () => {
      const layer = { filter: tf.ones([3, 3, 20, 136]), offset: tf.zeros([136]) };
      return [fusedConvolutions(tf.tensor4d(x, [1, 5, 20, 20]), [layer])];
    };
    const [y] = await inTiles(() => valuesOn('webgpu', compute), 1);
    const positions = Array.from({ length: 100 }, (_, i) => i);
    expect(positions.filter((i) => Number.isNaN(y[i * 136]))).toEqual([0, 1, 20, 21]);
  });

  it('keep what is no number', async () => {
    const [y] = await valuesOn('webgpu', () => {
      const layer = (inputs: number, outputs: number): FusedLayer => {
        return {
          filter: tf.ones([inputs, outputs]),
          offset: tf.zeros([outputs]),
          logScale: tf.zeros([outputs]),
        };
      };
      const x = tf.tensor2d([1, Number.NaN, Number.POSITIVE_INFINITY, -1], [4, 1]);
      return [fusedConvolutions(x, [layer(1, 3), layer(3, 1)])];
    });
    expect([...y]).toEqual([3, Number.NaN, Number.POSITIVE_INFINITY, 0]);
  });
});
