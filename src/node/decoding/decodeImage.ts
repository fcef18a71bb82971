import { complaint, FormatError } from '../../core/errors';
import { decodePng, type Raster } from '../../data';
import { type Bytes, toBytes } from '../../data/bytes';
import { fileKind } from '../../data/fileKind';
import { orientationOf } from './exif';
import { formatOf, type ImageFormat } from './format';
import { upright } from './upright';

type Decoder = (bytes: Uint8Array) => Raster | Promise<Raster>;

/** Decoders, each loaded with the first picture of its format. */
const loaders: Record<ImageFormat, () => Decoder | Promise<Decoder>> = {
  JPEG: async () => (await import('./jpeg')).decodeJpeg,
  PNG: () => decodePng,
  WebP: async () => (await import('./webp')).decodeWebp,
  GIF: async () => (await import('./gif')).decodeGif,
  BMP: async () => (await import('./bmp')).decodeBmp,
  TIFF: async () => (await import('./tiff')).loadTiff(),
  AVIF: async () => (await import('./avif')).loadAvif(),
};
const loaded = new Map<ImageFormat, Decoder>();

/**
 * Reads a picture by its first bytes, whatever its file is called, and turns it upright as its camera says (EXIF).
 *
 * JPEG, PNG, WebP, GIF (the first frame), BMP and TIFF give grey, RGB or RGBA of 8-bit levels, JPEG those of Pillow (libjpeg-turbo); AVIF needs
 * `npm install @jsquash/avif`.
 *
 * @throws FormatError for another format, or a damaged or truncated file; ConfigError where the decoder of AVIF is not installed
 * @example
 * (await decodeImage(encodePng({ width: 1, height: 1, channels: 1, data: Uint8Array.of(7) }))).data; // [7]
 */
export async function decodeImage(input: Bytes): Promise<Raster> {
  const bytes = toBytes('decodeImage', input);
  const format = formatOf(bytes);
  if (format === undefined) {
    const expected = `a picture (${Object.keys(loaders).join(', ')})`;
    const kind = fileKind(bytes);
    const hint = kind.endsWith('picture') ? 'Save it as JPEG or PNG.' : '';
    throw new FormatError(complaint('decodeImage', expected, kind, hint));
  }
  let decode = loaded.get(format);
  if (decode === undefined) {
    decode = await loaders[format]();
    loaded.set(format, decode);
  }
  return upright(await decode(bytes), orientationOf(bytes, format));
}
