import { ConfigError, complaint } from '../core/errors';
import { checkInteger } from '../core/shapes';
import type { Raster } from './png';

/**
 * The middle of a picture; a picture smaller than the cut stays as it is in that direction.
 *
 * @throws ConfigError for sizes that are no positive integers
 * @example
 * const picture = { width: 3, height: 1, channels: 1, data: Uint8Array.of(1, 2, 3) };
 * centerCrop(picture, 1, 1).data; // [2]
 */
export function centerCrop(picture: Raster, width: number, height: number): Raster {
  checkInteger('centerCrop', 'width', width);
  checkInteger('centerCrop', 'height', height);
  const { channels, data } = picture;
  const [cutWidth, cutHeight] = [Math.min(width, picture.width), Math.min(height, picture.height)];
  const left = Math.floor((picture.width - cutWidth) / 2);
  const top = Math.floor((picture.height - cutHeight) / 2);
  const cut = new Uint8Array(cutWidth * cutHeight * channels);
  for (let row = 0; row < cutHeight; row++) {
    const from = ((top + row) * picture.width + left) * channels;
    cut.set(data.subarray(from, from + cutWidth * channels), row * cutWidth * channels);
  }
  return { width: cutWidth, height: cutHeight, channels, data: cut };
}

/**
 * A picture at another size: bilinear, and antialiased where it shrinks, as Pillow and so torchvision do it.
 *
 *     out[i] = sum_j w_ij in[j] / sum_j w_ij,   w_ij = max(0, 1 - |j + 1/2 - (i + 1/2) s| / max(s, 1)),   s = in / out
 *
 * in each direction; levels are rounded once, at the end.
 *
 * @throws ConfigError for sizes that are no positive integers
 * @example
 * const picture = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 100) };
 * resizeRaster(picture, 1, 1).data; // [50]
 */
export function resizeRaster(picture: Raster, width: number, height: number): Raster {
  checkInteger('resizeRaster', 'width', width);
  checkInteger('resizeRaster', 'height', height);
  const { channels } = picture;
  if (width === picture.width && height === picture.height) return picture;
  const rows = resample(picture.data, picture.height, picture.width, channels, width);
  const columns = transposed(rows, picture.height, width, channels);
  const both = resample(columns, width, picture.height, channels, height);
  const data = Uint8Array.from(transposed(both, width, height, channels), (level) => Math.round(level));
  return { width, height, channels, data };
}

/**
 * A picture's channels changed to grey (ITU-R BT.601 luma, as Pillow) or colour; transparency is dropped.
 *
 * @param channels 1 or 3
 * @throws ConfigError for another number
 * @example
 * const red = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) };
 * convertChannels(red, 1).data; // [76]
 */
export function convertChannels(picture: Raster, channels: number): Raster {
  if (channels !== 1 && channels !== 3)
    throw new ConfigError(complaint('convertChannels', 'channels 1 or 3', channels));
  if (picture.channels === channels) return picture;
  const { width, height, data } = picture;
  const from = picture.channels;
  const result = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * from;
    const [red, green, blue] =
      from < 3 ? [data[at], data[at], data[at]] : [data[at], data[at + 1], data[at + 2]];
    if (channels === 3) result.set([red, green, blue], pixel * 3);
    else result[pixel] = from < 3 ? red : Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  return { width, height, channels, data: result };
}

/** Every row at another length, [rows, from, channels] -> [rows, to, channels]. */
function resample(
  values: ArrayLike<number>,
  rows: number,
  from: number,
  channels: number,
  to: number,
): Float32Array {
  const scale = from / to;
  const support = Math.max(1, scale);
  const result = new Float32Array(rows * to * channels);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.ceil(center - support - 0.5));
    const last = Math.min(from - 1, Math.floor(center + support - 0.5));
    const weights: number[] = [];
    for (let j = first; j <= last; j++) weights.push(Math.max(0, 1 - Math.abs(j + 0.5 - center) / support));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let j = first; j <= last; j++)
          sum += weights[j - first] * values[(row * from + j) * channels + channel];
        result[(row * to + i) * channels + channel] = sum / total;
      }
    }
  }
  return result;
}

/** [rows, columns, channels] -> [columns, rows, channels] */
function transposed(values: Float32Array, rows: number, columns: number, channels: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(column * rows + row) * channels + channel] =
          values[(row * columns + column) * channels + channel];
      }
    }
  }
  return result;
}
