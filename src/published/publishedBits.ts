import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/options';
import { RandomStream } from '../core/random';
import { checkChoice, type Shape, sizeOf } from '../core/shapes';
import type { Glow } from '../flows';

/** Options of {@link publishedBits}. */
export interface PublishedBitsOptions {
  /** The code whose number is wanted. */
  compatibility: 'openai' | 'chaiyujin' | 'rosinality';
  /** Labels [n, classes] of a class-conditional Glow. Default: none. */
  context?: tf.Tensor;
  /** Seed of the noise. Default: another one each time. */
  seed?: number;
}

/** A code's own figure beside the comparable one; the caller owns both tensors. */
export interface PublishedBits {
  /** Bits per dimension under uniform dequantization: the strict bound, comparable between models. [n] */
  bitsPerDim: tf.Tensor1D;
  /** What the code itself would report. [n] */
  reported: tf.Tensor1D;
  /** Unit of `reported`. */
  unit: 'bits/dim' | 'bits/pixel';
}

/** How a code makes its number of log p(x), x in levels. */
interface Convention {
  unit: PublishedBits['unit'];
  /** Levels with the code's noise. */
  addNoise(levels: tf.Tensor, nBits: number, random: RandomStream): tf.Tensor;
  /** The number from natural logs of the density over levels. */
  fromLogProb(logProb: tf.Tensor, shape: Shape, nBits: number): tf.Tensor;
}

const uniform: Convention['addNoise'] = (levels, _, random) => tf.add(levels, random.uniform(levels.shape));

const perDim = (logProb: tf.Tensor, dimensions: number) =>
  tf.mul(logProb, -1 / (dimensions * Math.LN2)) as tf.Tensor1D;

export const conventions: Record<PublishedBitsOptions['compatibility'], Convention> = {
  openai: {
    unit: 'bits/dim',
    addNoise: uniform,
    fromLogProb: (logProb, shape) => perDim(logProb, sizeOf(shape)),
  },
  chaiyujin: {
    unit: 'bits/pixel',
    // N(0, (1/256)^2) on images in [0, 1], where a level is 1 / (2^nBits - 1) wide.
    addNoise: (levels, nBits, random) =>
      tf.add(levels, random.normal(levels.shape, 0.5, (2 ** nBits - 1) / 256)),
    // The constant counts pixels where it should count values.
    fromLogProb: (logProb, shape, nBits) => {
      const pixels = shape[0] * shape[1];
      const constant = sizeOf(shape) * Math.log(2 ** nBits - 1) - pixels * Math.log(256);
      return perDim(tf.add(logProb, constant), pixels);
    },
  },
  rosinality: {
    unit: 'bits/dim',
    addNoise: uniform,
    // Three channels are written into the code.
    fromLogProb: (logProb, shape, nBits) => {
      const counted = shape[0] * shape[0] * 3;
      const constant = (sizeOf(shape) - counted) * nBits * Math.LN2;
      return perDim(tf.add(logProb, constant), counted);
    },
  },
};

/**
 * The number that a published code reports for images, beside the strict bits per dimension.
 *
 *     openai      -log p(k + u) / (D ln 2), u ~ U[0, 1): bits per dimension as they should be
 *     chaiyujin   (-log p(x) + P ln 256) / (P ln 2), x = k / 255 + N(0, 1 / 256^2), P = h w: per pixel, Gaussian noise, so no bound
 *     rosinality  as openai, with D = 3 h^2 whatever the channels are
 *
 * Shapes: images [n, h, w, c] of whole levels k -> [n] each. In bits.
 *
 * @throws as `bitsPerDim` does
 * @see the loss in each code: openai/glow model.py, chaiyujin/glow-pytorch glow/models.py, rosinality/glow-pytorch train.py
 * @example
 * const glow = await importCheckpoint(trainedPkg);
 * const images = tf.fill([1, 8, 8, 1], 128);
 * const { bitsPerDim, reported } = publishedBits(glow, images, { compatibility: 'chaiyujin', seed: 1 });
 */
export function publishedBits(glow: Glow, images: tf.Tensor, options: PublishedBitsOptions): PublishedBits {
  checkOptions('publishedBits', options, { compatibility: ['code'], context: ['labels'], seed: true });
  checkChoice('publishedBits', 'compatibility', options?.compatibility, Object.keys(conventions));
  const { compatibility, context, seed = new RandomStream().childSeed() } = options;
  const { unit, addNoise, fromLogProb } = conventions[compatibility];
  return tf.tidy(() => {
    const bitsPerDim = glow.bitsPerDim(images, { context, seed });
    const noisy = addNoise(images, glow.nBits, new RandomStream(seed));
    const { value, logDet } = glow.bijector.forward(noisy, context);
    const logProb = tf.add(glow.base.logProb(value, context), logDet);
    const reported = fromLogProb(logProb, glow.eventShape, glow.nBits) as tf.Tensor1D;
    return { bitsPerDim, reported, unit };
  });
}
