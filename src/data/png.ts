import { convertIndexedToRgb, type DecodedPng, decode, encode } from 'fast-png';
import { ConfigError, complaint } from '../core/errors';
import { type Bytes, toBytes, undecodable, viewOf } from './bytes';
import { checkPixels } from './pixelRoom';

/** A picture of 8-bit levels, row by row from the top, channels interleaved: data[(row * width + column) * channels + channel]. */
export interface Raster {
  width: number;
  height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  channels: number;
  data: Uint8Array;
}

/**
 * Writes a picture as PNG. The same picture gives the same bytes.
 *
 * Source: PNG Specification, third edition (W3C, 2025).
 *
 * @throws ConfigError where sizes and data do not belong together
 * @example
 * const file = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 */
export function encodePng(raster: Raster): Uint8Array {
  const { width, height, channels, data } = raster;
  const sound =
    [width, height].every((size) => Number.isInteger(size) && size > 0) &&
    [1, 2, 3, 4].includes(channels) &&
    data?.length === width * height * channels;
  if (!sound) {
    const received = `${data?.length ?? 'no'} values for ${width} x ${height} x ${channels}`;
    throw new ConfigError(complaint('encodePng', 'width * height * channels (1 to 4) values', received));
  }
  return encode({ width, height, channels, data, depth: 8 }, { zlib: { level: 9 } });
}

/**
 * Reads a PNG: grey, colour, palette, interlaced or not, 1 to 16 bits, all given as 8-bit levels.
 *
 * 16-bit levels keep their upper 8 bits; 1-, 2- and 4-bit greys are spread over 0..255; palettes become RGB or RGBA.
 *
 * @param input the file's bytes
 * @throws FormatError for another format, or a damaged or truncated file
 * @example
 * const file = encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * decodePng(file).data; // Uint8Array [0, 255]
 */
export function decodePng(input: Bytes): Raster {
  const bytes = toBytes('decodePng', input);
  checkSize(bytes);
  try {
    const png = decode(bytes, { checkCrc: true });
    const { width, height } = png;
    if (png.palette === undefined) return { width, height, channels: png.channels, data: levelsOf(png) };
    return { width, height, channels: png.palette[0].length, data: bytesOf(convertIndexedToRgb(png)) };
  } catch (error) {
    throw undecodable('decodePng', 'a whole PNG file', error);
  }
}

/** Throws a FormatError where the header announces more pixels than such a file is believed. */
function checkSize(bytes: Uint8Array): void {
  const channels = ({ 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 } as Record<number, number>)[bytes[25]];
  if (channels === undefined || bytes.length < 33) return;
  const view = viewOf(bytes);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  checkPixels('decodePng', width, height, (channels * bytes[24]) / 8, bytes);
}

/** Levels of 8 bits. Pixels are many: what the decoder made is not copied, and nothing is called per pixel. */
function levelsOf(png: DecodedPng): Uint8Array {
  const { depth, data } = png;
  if (depth < 8) return unpack(png);
  if (depth === 8) return bytesOf(data);
  const levels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) levels[i] = data[i] >> 8;
  return levels;
}

/** The same memory, as bytes. */
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Greys of 1, 2 or 4 bits, of which a byte holds several; each row begins a byte of its own. */
function unpack({ width, height, depth, data }: DecodedPng): Uint8Array {
  const levels = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  const highest = 2 ** depth - 1;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * depth;
      const byte = data[row * rowBytes + (bit >> 3)];
      levels[row * width + column] = (((byte >> (8 - depth - (bit & 7))) & highest) * 255) / highest;
    }
  }
  return levels;
}
