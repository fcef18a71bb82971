import type { decode as Decode } from 'tiff';
import { complaint, FormatError } from '../../core/errors';
import type { Raster } from '../../data';
import { undecodable } from '../../data/bytes';
import { ORIENTATION, readTiffEntries, type TiffEntry } from './exif';
import { checkSize } from './size';
import { checkStrips } from './tiffStrips';

/** Numbers of the tags that are looked at. */
const TAG = {
  width: 0x0100,
  height: 0x0101,
  planes: 0x011c,
  tileWidth: 0x0142,
  numbers: 0x0153,
};

/** A decoder of TIFF files; its package is an ES module, which CommonJS can only import so. */
export async function loadTiff(): Promise<(bytes: Uint8Array) => Raster> {
  const { decode } = await import('tiff');
  return (bytes) => decodeTiff(bytes, decode);
}

/**
 * Decodes the first page of a TIFF file: grey, RGB or a palette, of 8 or 16 bits, of which the high 8 are taken.
 *
 * @throws FormatError for a damaged or truncated file, and for compressions and layouts that are not read, with their names
 */
function decodeTiff(bytes: Uint8Array, decode: typeof Decode): Raster {
  const entries = readTiffEntries(bytes);
  if (entries === undefined) throw undecodable('decodeImage', 'a whole TIFF file', 'a damaged directory');
  checkLayout(entries);
  let page: ReturnType<typeof Decode>[0];
  try {
    checkStrips(bytes, entries);
    page = decode(markedUpright(bytes, entries), { pages: [0] })[0];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason.startsWith('Unsupported')) refuse(reason.replace('Unsupported ', ''));
    throw undecodable('decodeImage', 'a whole TIFF file', error);
  }
  const { width, height, bitsPerSample, data, palette } = page;
  const channels = palette === undefined ? data.length / (width * height) : 3;
  const levels = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; i++) {
    if (palette === undefined)
      levels[i] = bitsPerSample === 1 ? 255 * data[i] : data[i] >> (bitsPerSample - 8);
    // Palettes have 16 bits, whatever the picture has.
    else
      levels.set(
        palette[data[i]].map((level) => level >> 8),
        3 * i,
      );
  }
  return { width, height, channels, data: levels };
}

/** The decoder takes no notice of these, and would give other levels. */
function checkLayout(entries: readonly TiffEntry[]): void {
  const numberAt = (wanted: number) => entries.find(({ tag }) => tag === wanted)?.value;
  checkSize(numberAt(TAG.width) ?? 0, numberAt(TAG.height) ?? 0);
  if ((numberAt(TAG.planes) ?? 1) !== 1) refuse('a plane for each colour');
  if (numberAt(TAG.tileWidth) !== undefined) refuse('tiles');
  const numbers = numberAt(TAG.numbers) ?? 1;
  if (numbers !== 1) refuse(numbers === 3 ? 'real numbers' : 'numbers with a sign');
}

function refuse(received: string): never {
  const expected = 'TIFF of 8 or 16 bits, grey or RGB, in strips, as it is or by LZW or deflate';
  const hint = 'Save it again so, or as PNG.';
  throw new FormatError(complaint('decodeImage', expected, received, hint));
}

/**
 * A copy in a memory of its own, beyond whose end the decoder cannot read, that says nothing of the way it must be turned: the decoder
 * refuses such pictures, and we turn them ourselves.
 */
function markedUpright(bytes: Uint8Array, entries: readonly TiffEntry[]): Uint8Array {
  const copy = new Uint8Array(bytes);
  const orientation = entries.find(({ tag }) => tag === ORIENTATION);
  if (orientation !== undefined) {
    new DataView(copy.buffer).setUint16(orientation.at, 1, bytes[0] === 0x49);
  }
  return copy;
}
