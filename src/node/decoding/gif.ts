import omggif from 'omggif';
import { complaint, FormatError } from '../../core/errors';
import type { Raster } from '../../data';
import { undecodable, viewOf } from '../../data/bytes';
import { rasterOfRgba } from './rgba';
import { checkSize } from './size';

/**
 * Decodes the first frame of a GIF file; what is transparent keeps the colour of its palette, as with PNG.
 *
 * @throws FormatError for a damaged or truncated file
 */
export function decodeGif(bytes: Uint8Array): Raster {
  if (bytes.length >= 10) checkSize(viewOf(bytes).getUint16(6, true), viewOf(bytes).getUint16(8, true));
  try {
    const reader = new omggif.GifReader(bytes);
    const { width, height } = reader;
    const frame = reader.frameInfo(0);
    if (frame.x + frame.width > width || frame.y + frame.height > height) {
      throw new FormatError(
        complaint('decodeImage', 'frames within the GIF picture', 'one that reaches out'),
      );
    }
    frame.transparent_index = null;
    const pixels = new Uint8Array(width * height * 4);
    reader.decodeAndBlitFrameRGBA(0, pixels);
    return rasterOfRgba(width, height, pixels);
  } catch (error) {
    throw undecodable('decodeImage', 'a whole GIF file', error);
  }
}
