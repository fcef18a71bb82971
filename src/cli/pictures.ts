import type * as tf from '@tensorflow/tfjs-core';
import { encodePng, type ImageGridOptions, imageGrid } from '../data';
import { writeFileAtomically } from '../node/atomicFile';

/**
 * Writes images [n, h, w, c] of whole levels as one PNG; disposes them. A latent far out may have no finite image: what is not finite is black and
 * counted, as a picture on the way is no reason to end a run.
 */
export async function writeGrid(path: string, images: tf.Tensor, options: ImageGridOptions): Promise<void> {
  try {
    const levels = Float32Array.from(await images.data());
    const broken = levels.reduce((sum, level) => sum + Number(!Number.isFinite(level)), 0);
    if (broken > 0) {
      const share = `${broken} of ${levels.length} values in ${path}`;
      console.error(
        `NOTICE: ${share} are not finite, and drawn black. A lower temperature keeps nearer to the data.`,
      );
    }
    const data = broken === 0 ? levels : levels.map((level) => (Number.isFinite(level) ? level : 0));
    await writeFileAtomically(path, encodePng(imageGrid({ shape: images.shape, data }, options)));
  } finally {
    images.dispose();
  }
}
