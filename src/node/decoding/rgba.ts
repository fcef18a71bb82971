import type { Raster } from '../../data';

/** A picture of RGBA as decoders give it, without its fourth channel where all of it is opaque. */
export function rasterOfRgba(width: number, height: number, rgba: ArrayLike<number>): Raster {
  const pixels = width * height;
  let opaque = true;
  for (let i = 0; i < pixels && opaque; i++) opaque = rgba[4 * i + 3] === 255;
  const channels = opaque ? 3 : 4;
  const data = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < channels; channel++) data[i * channels + channel] = rgba[4 * i + channel];
  }
  return { width, height, channels, data };
}
