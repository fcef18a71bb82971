import { complaint, FormatError } from '../core/errors';

/** Bytes of pixels that a file of any size may hold, 50 megapixels of RGB ... */
const ALWAYS = 150_000_000;
/** ... and as many times its size: photographs shrink two- to threefold, files made to fill memory a thousandfold. */
const MOST_TIMES = 16;

/**
 * Throws a FormatError where a picture of a lossless format has more pixels than its file could honestly hold.
 *
 * @param perPixel bytes
 */
export function checkPixels(
  where: string,
  width: number,
  height: number,
  perPixel: number,
  file: Uint8Array,
): void {
  const size = width * height * perPixel;
  const most = Math.max(ALWAYS, MOST_TIMES * file.length);
  if (size <= most) return;
  const received = `${width} x ${height} pixels, ${Math.ceil(size)} bytes`;
  const expected = `at most ${most} bytes of pixels in a file of ${file.length}`;
  throw new FormatError(complaint(where, expected, received, 'Such a file is made to fill memory.'));
}
