import { decode } from '@cwasm/nsbmp';
import type { Raster } from '../../data';
import { undecodable, viewOf } from '../../data/bytes';
import { rasterOfRgba } from './rgba';
import { checkSize } from './size';

/** Length of the header of OS/2, whose sides have 16 bits. */
const OLD_HEADER = 12;

/**
 * Decodes a BMP file by libnsbmp.
 *
 * @throws FormatError for a damaged or truncated file
 */
export function decodeBmp(bytes: Uint8Array): Raster {
  if (bytes.length < 26) throw undecodable('decodeImage', 'a whole BMP file', `${bytes.length} bytes`);
  const view = viewOf(bytes);
  if (view.getUint32(14, true) === OLD_HEADER) checkSize(view.getUint16(18, true), view.getUint16(20, true));
  // Rows from the top down are written as a negative height.
  else checkSize(Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true)));
  try {
    const { width, height, data } = decode(bytes);
    return rasterOfRgba(width, height, data);
  } catch (error) {
    throw undecodable('decodeImage', 'a whole BMP file', error);
  }
}
