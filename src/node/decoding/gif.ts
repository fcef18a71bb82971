import omggif from 'omggif';
import { complaint, FormatError } from '../../core/errors';
import type { Raster } from '../../data';
import { undecodable, viewOf } from '../../data/bytes';
import { checkPixels } from '../../data/pixelRoom';
import { rasterOfRgba } from './rgba';
import { checkSize } from './size';

/** Bytes of a pixel as the decoder gives it. */
const RGBA = 4;

/**
 * Decodes the first frame of a GIF file; what is transparent keeps the colour of its palette, as with PNG.
 *
 * @throws FormatError for a damaged or truncated file
 */
export function decodeGif(bytes: Uint8Array): Raster {
  if (bytes.length >= 10) {
    const [width, height] = [6, 8].map((at) => viewOf(bytes).getUint16(at, true));
    checkSize(width, height);
    checkPixels('decodeImage', width, height, RGBA, bytes);
  }
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
    const pixels = new Uint8Array(width * height * RGBA);
    refusingShortness(() => reader.decodeAndBlitFrameRGBA(0, pixels));
    return rasterOfRgba(width, height, pixels);
  } catch (error) {
    throw undecodable('decodeImage', 'a whole GIF file', error);
  }
}

/** omggif says on the console alone that pixels are missing, and gives the first colour in their place. */
function refusingShortness(decode: () => void): void {
  const { log } = console;
  let isShort = false;
  console.log = (...words: unknown[]) => {
    if (String(words[0]).includes('shorter than expected')) isShort = true;
    else log(...words);
  };
  try {
    decode();
  } finally {
    console.log = log;
  }
  if (isShort) throw new Error('pixels are missing');
}
