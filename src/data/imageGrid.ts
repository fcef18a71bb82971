import { ConfigError, complaint } from '../core/errors';
import { toFloat64 } from '../core/numbers';
import { checkOptions } from '../core/options';
import { checkInteger, type Shape } from '../core/shapes';
import { checkNdArray } from './ndArray';
import type { Raster } from './png';

/** Options of `imageGrid`. */
export interface ImageGridOptions {
  /** Images per row. Default: ceil(sqrt(n)). */
  columns?: number;
  /** Bits of the levels: 0 .. 2^nBits - 1 become 0 .. 255. Default: 8. */
  nBits?: number;
  /** Pixels between images and around them. Default: 1. */
  padding?: number;
  /** Level of the padding, 0 .. 255. Default: 255 (white). */
  background?: number;
  /** Side of the square that each image pixel becomes, in pixels. Default: 1. */
  scale?: number;
}

/**
 * Lays images out in one picture, row by row; an unfinished last row is left in the background's colour.
 *
 * Shapes: [n, h, w, c] with c 1 (grey), 3 (RGB) or 4 (RGBA). Levels outside their range are clipped, fractions rounded, NaN refused.
 *
 * @param images `{ shape, data }` of levels; for a tensor `{ shape: x.shape, data: await x.data() }`
 * @throws ConfigError for another shape or a NaN
 * @example
 * const images = { shape: [2, 1, 1, 1], data: Uint8Array.of(0, 31) };
 * imageGrid(images, { nBits: 5, padding: 0 }); // { width: 2, height: 1, channels: 1, data: [0, 255] }
 */
export function imageGrid(
  images: { shape: Shape; data: ArrayLike<number> },
  options: ImageGridOptions = {},
): Raster {
  checkOptions('imageGrid', options, {
    columns: true,
    nBits: true,
    padding: true,
    background: true,
    scale: true,
  });
  const { shape, data } = images;
  if (shape.length !== 4 || ![1, 3, 4].includes(shape[3]) || shape.includes(0)) {
    throw new ConfigError(complaint('imageGrid', 'images [n, h, w, c] with c 1, 3 or 4', shape));
  }
  checkNdArray('imageGrid', images);
  const levels = toFloat64('imageGrid', 'images', data);
  const [count, height, width, channels] = shape;
  const { nBits = 8, padding = 1, background = 255, scale = 1 } = options;
  const { columns = Math.ceil(Math.sqrt(count)) } = options;
  checkInteger('imageGrid', 'columns', columns);
  checkInteger('imageGrid', 'nBits', nBits);
  checkInteger('imageGrid', 'padding', padding, 0);
  checkInteger('imageGrid', 'background', background, 0);
  checkInteger('imageGrid', 'scale', scale);

  const gridWidth = padding + columns * (width * scale + padding);
  const gridHeight = padding + Math.ceil(count / columns) * (height * scale + padding);
  const grid = new Uint8Array(gridWidth * gridHeight * channels).fill(background);
  const factor = 255 / (2 ** nBits - 1);
  for (let image = 0; image < count; image++) {
    const left = padding + (image % columns) * (width * scale + padding);
    const top = padding + Math.floor(image / columns) * (height * scale + padding);
    for (let row = 0; row < height * scale; row++) {
      for (let column = 0; column < width * scale; column++) {
        const from =
          ((image * height + Math.floor(row / scale)) * width + Math.floor(column / scale)) * channels;
        const to = ((top + row) * gridWidth + left + column) * channels;
        for (let channel = 0; channel < channels; channel++) {
          grid[to + channel] = level(levels[from + channel] * factor);
        }
      }
    }
  }
  return { width: gridWidth, height: gridHeight, channels, data: grid };
}

function level(value: number): number {
  if (Number.isNaN(value)) {
    throw new ConfigError(
      complaint('imageGrid', 'levels', value, 'Look at flow.account(x) for where it arises.'),
    );
  }
  return Math.round(Math.min(255, Math.max(0, value)));
}
