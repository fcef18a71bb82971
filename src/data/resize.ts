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
  if (width === picture.width && height === picture.height) return picture;
  const { channels } = picture;
  const rows = resampleRows(picture, windowsOf(picture.width, width));
  return {
    width,
    height,
    channels,
    data: resampleColumns(rows, width * channels, windowsOf(picture.height, height)),
  };
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
  const { width, height, data, channels: from } = picture;
  const pixels = width * height;
  const result = new Uint8Array(pixels * channels);
  const [green, blue] = from < 3 ? [0, 0] : [1, 2];
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = pixel * from;
    if (channels === 3) {
      result[3 * pixel] = data[at];
      result[3 * pixel + 1] = data[at + green];
      result[3 * pixel + 2] = data[at + blue];
    } else {
      const luma = 0.299 * data[at] + 0.587 * data[at + green] + 0.114 * data[at + blue];
      result[pixel] = from < 3 ? data[at] : Math.round(luma);
    }
  }
  return { width, height, channels, data: result };
}

/** Which pixels one pixel of the result is a mean of. */
interface Window {
  first: number;
  weights: Float64Array;
  /** Sum of the weights. */
  total: number;
}

function windowsOf(from: number, to: number): Window[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.ceil(center - support - 0.5));
    const last = Math.min(from - 1, Math.floor(center + support - 0.5));
    const weights = new Float64Array(last - first + 1);
    for (let j = first; j <= last; j++) {
      weights[j - first] = Math.max(0, 1 - Math.abs(j + 0.5 - center) / support);
    }
    return { first, weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
  });
}

/** Every row at another length, [height, width, channels] -> [height, windows.length, channels] */
function resampleRows({ width, height, channels, data }: Raster, windows: readonly Window[]): Float32Array {
  const result = new Float32Array(height * windows.length * channels);
  let to = 0;
  for (let row = 0; row < height; row++) {
    for (const { first, weights, total } of windows) {
      for (let channel = 0; channel < channels; channel++) {
        let at = (row * width + first) * channels + channel;
        let sum = 0;
        for (let j = 0; j < weights.length; j++, at += channels) sum += weights[j] * data[at];
        result[to++] = sum / total;
      }
    }
  }
  return result;
}

/** Every column at another length, and levels rounded, [height, ...row] -> [windows.length, ...row] */
function resampleColumns(values: Float32Array, size: number, windows: readonly Window[]): Uint8Array {
  const result = new Uint8Array(windows.length * size);
  const sums = new Float64Array(size);
  windows.forEach(({ first, weights, total }, i) => {
    sums.fill(0);
    for (let j = 0; j < weights.length; j++) {
      const weight = weights[j];
      const at = (first + j) * size;
      for (let k = 0; k < size; k++) sums[k] += weight * values[at + k];
    }
    // To float32 first: what is half a level but for an error of rounding is half a level.
    for (let k = 0; k < size; k++) result[i * size + k] = Math.round(Math.fround(sums[k] / total));
  });
  return result;
}
