import type * as tf from '@tensorflow/tfjs-core';
import { encodePng, type ImageGridOptions, imageGrid } from '../data';
import { writeFileAtomically } from '../node/atomicFile';

/** Writes images [n, h, w, c] of whole levels as one PNG; disposes them. */
export async function writeGrid(path: string, images: tf.Tensor, options: ImageGridOptions): Promise<void> {
  try {
    const grid = imageGrid({ shape: images.shape, data: await images.data() }, options);
    await writeFileAtomically(path, encodePng(grid));
  } finally {
    images.dispose();
  }
}
