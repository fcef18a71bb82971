import { complaint, FormatError } from '../../core/errors';

/** A picture of more pixels is refused before it is decoded: three bytes each make 400 MB of it. */
const MOST_PIXELS = 2 ** 27;

/** Throws a FormatError for a picture without pixels, or with more than memory should be given for. */
export function checkSize(width: number, height: number): void {
  if (width * height === 0) {
    throw new FormatError(complaint('decodeImage', 'a picture', `${width} x ${height} pixels`));
  }
  if (width * height <= MOST_PIXELS) return;
  const most = `at most ${Math.round(MOST_PIXELS / 1e6)} megapixels`;
  const hint = 'Make the picture smaller first.';
  throw new FormatError(complaint('decodeImage', most, `${width} x ${height} pixels`, hint));
}
