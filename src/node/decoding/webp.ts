import { decode } from '@cwasm/webp';
import { complaint, FormatError } from '../../core/errors';
import type { Raster } from '../../data';
import { undecodable, viewOf } from '../../data/bytes';
import { latin1 } from '../../data/latin1';
import { rasterOfRgba } from './rgba';
import { checkSize } from './size';

/**
 * Decodes a WebP file by libwebp.
 *
 * @throws FormatError for a damaged file, and for an animation
 */
export function decodeWebp(bytes: Uint8Array): Raster {
  checkHeader(bytes);
  try {
    const { width, height, data } = decode(bytes);
    return rasterOfRgba(width, height, data);
  } catch (error) {
    throw undecodable('decodeImage', 'a whole WebP file', error);
  }
}

/** Size and kind by the first chunk: extended, lossless or lossy. */
function checkHeader(bytes: Uint8Array): void {
  if (bytes.length < 30) throw undecodable('decodeImage', 'a whole WebP file', `${bytes.length} bytes`);
  const view = viewOf(bytes);
  const kind = latin1(bytes.subarray(12, 16));
  if (kind === 'VP8X') {
    if (bytes[20] & 2) {
      const hint = 'Save one of its frames as a picture.';
      throw new FormatError(complaint('decodeImage', 'a WebP picture', 'a WebP animation', hint));
    }
    checkSize((view.getUint32(24, true) & 0xffffff) + 1, (view.getUint32(26, true) >>> 8) + 1);
  } else if (kind === 'VP8L') {
    const sides = view.getUint32(21, true);
    checkSize((sides & 0x3fff) + 1, ((sides >> 14) & 0x3fff) + 1);
  } else checkSize(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
}
