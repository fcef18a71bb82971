import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { encodePng, imageGrid } from 'tfjs-flows';
import { drawable } from '../drawable';

/** Writes grids of images as PNG files into one folder. */
export class PictureFolder {
  constructor(
    readonly path: string,
    private readonly nBits: number,
  ) {
    mkdirSync(path, { recursive: true });
  }

  /** Writes images [n, h, w, c] row by row, `columns` in a row, and disposes them. */
  write(name: string, images: tf.Tensor, columns: number): void {
    const { nBits } = this;
    const grid = imageGrid(
      { shape: images.shape, data: drawable(images.dataSync<'float32'>()) },
      { columns, nBits, scale: 2 },
    );
    const file = join(this.path, `${name}.png`);
    writeFileSync(file, encodePng(grid));
    images.dispose();
    console.log(`  ${file}`);
  }
}
