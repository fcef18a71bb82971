import * as tf from '@tensorflow/tfjs-core';
import type { LearnableRange } from '../attributes';
import { ConfigError, complaint } from '../core/errors';
import { checkOptions } from '../core/options';
import type { Shape } from '../core/shapes';
import { encodePng, imageGrid, type Raster } from '../data';
import { Figure } from './figure';

/**
 * What the frame around an image says. Of a strength of an attribute: 'own' (green), between those of the subclass's own samples;
 * 'transferable' (blue), further out, vouched for by the other subclasses; 'refused' (orange), plausible under the prior, but the other
 * subclasses do not vouch for the direction; 'outside' (red), beyond the prior. 'given' (grey): an image as it is in the data.
 */
export type Frame = 'own' | 'transferable' | 'refused' | 'outside' | 'given';

/** Colours of the frames, RGB. */
const colours: Record<Frame, readonly number[]> = {
  own: [26, 152, 80],
  transferable: [49, 110, 190],
  refused: [253, 174, 97],
  outside: [215, 48, 39],
  given: [190, 190, 190],
};

/** Options of `imageSheet`. */
export interface ImageSheetOptions {
  /** Images per row. Default: ceil(sqrt(n)). */
  columns?: number;
  /** Bits of the levels: 0 .. 2^nBits - 1. Default: 8. */
  nBits?: number;
  /** Side of the square that each image pixel becomes, in pixels. Default: so that images are about 64 pixels high. */
  scale?: number;
  /** A coloured frame for every image. Default: none. */
  frames?: readonly Frame[];
  /** One sentence for those who cannot see it. Default: the number of images. */
  description?: string;
}

const FRAME = 3;
const GAP = 3;

/**
 * Images in rows, as a PNG, with coloured frames where asked for.
 *
 * Shapes: [n, h, w, c] with c 1 (grey) or 3 (RGB); levels as in `imageGrid`.
 *
 * @param images a tensor, or numbers with their shape
 * @throws ConfigError for another shape, another number of frames, or a NaN
 * @example
 * await show(imageSheet(glow.sample(16), { columns: 8, nBits: 8 }));
 */
export async function imageSheet(
  images: tf.Tensor | { shape: Shape; data: ArrayLike<number> },
  options: ImageSheetOptions = {},
): Promise<Figure> {
  checkOptions('imageSheet', options, {
    columns: true,
    nBits: true,
    scale: true,
    frames: true,
    description: true,
  });
  const { shape } = images;
  const [count, height, width] = shape;
  const { nBits, frames, columns = Math.ceil(Math.sqrt(count)) } = options;
  const { scale = Math.max(1, Math.round(64 / height)), description = `${count} images` } = options;
  if (frames !== undefined && frames.length !== count) {
    throw new ConfigError(complaint('imageSheet', `${count} frames, one for every image`, frames.length));
  }
  const data = images instanceof tf.Tensor ? await images.data() : images.data;
  const padding = frames === undefined ? 2 : 2 * FRAME + GAP;
  const grid = imageGrid({ shape, data }, { columns, nBits, scale, padding });
  if (frames === undefined) return new Figure('image/png', encodePng(grid), description);

  const sheet = inColour(grid);
  frames.forEach((frame, i) => {
    const left = padding + (i % columns) * (width * scale + padding);
    const top = padding + Math.floor(i / columns) * (height * scale + padding);
    drawFrame(sheet, left, top, width * scale, height * scale, colours[frame]);
  });
  return new Figure('image/png', encodePng(sheet), description);
}

/**
 * The frame for a strength of an attribute.
 *
 * @example
 * const range = learnableRange(prior.posterior(few), few[0], zDelta(base));
 * [-1, 0, 1].map((strength) => frameOf(range, strength)); // as ['refused', 'own', 'outside']
 */
export function frameOf(range: LearnableRange, strength: number): Frame {
  const status = range.status(strength);
  const plausible = range.prior.some(([low, high]) => strength >= low && strength <= high);
  return status === 'outside' && plausible ? 'refused' : status;
}

function inColour(raster: Raster): Raster {
  if (raster.channels !== 1) return raster;
  const data = new Uint8Array(3 * raster.data.length);
  raster.data.forEach((level, i) => {
    data.fill(level, 3 * i, 3 * i + 3);
  });
  return { ...raster, channels: 3, data };
}

/** A frame around the rectangle with this corner and size. */
function drawFrame(
  { data, width: rasterWidth, channels }: Raster,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: readonly number[],
): void {
  for (let y = top - FRAME; y < top + height + FRAME; y++) {
    for (let x = left - FRAME; x < left + width + FRAME; x++) {
      const inside = x >= left && x < left + width && y >= top && y < top + height;
      if (!inside) data.set(colour, (y * rasterWidth + x) * channels);
    }
  }
}
