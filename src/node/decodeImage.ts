import jpeg from 'jpeg-js';
import { complaint, FormatError } from '../core/errors';
import { decodePng, type Raster } from '../data';
import { type Bytes, toBytes, undecodable } from '../data/bytes';
import { fileKind } from '../data/fileKind';

/**
 * Reads a JPEG or PNG by its first bytes: grey or RGB (PNG also with alpha), 8-bit levels.
 *
 * @throws FormatError for another format, or a damaged or truncated file
 * @example
 * decodeImage(encodePng({ width: 1, height: 1, channels: 1, data: Uint8Array.of(7) })).data; // [7]
 */
export function decodeImage(input: Bytes): Raster {
  const bytes = toBytes('decodeImage', input);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return decodePng(bytes);
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    throw new FormatError(complaint('decodeImage', 'a JPEG or PNG file', fileKind(bytes)));
  }
  try {
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
    });
    return { width, height, channels: 3, data };
  } catch (error) {
    throw undecodable('decodeImage', 'a whole JPEG file', error);
  }
}
