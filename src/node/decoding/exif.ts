import { viewOf } from '../../data/bytes';
import { latin1 } from '../../data/latin1';
import type { ImageFormat } from './format';
import { jpegSegments } from './jpeg';

/** EXIF tag of the way a camera was held. */
export const ORIENTATION = 0x0112;
/** Length of a value of each type of the TIFF specification, by its number. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/** One entry of a TIFF directory. */
export interface TiffEntry {
  tag: number;
  /** Where its value is, in bytes from the beginning. */
  at: number;
  /** Number of its values, and bytes of each; 0 for a type that is not known. */
  count: number;
  width: number;
  /** Its first number; undefined where it is none. */
  value: number | undefined;
}

/**
 * The first directory of a TIFF file, which is also the form of EXIF; undefined where it is damaged, or claims values that the file has
 * no room for.
 *
 * @see "TIFF Revision 6.0" (Aldus, 1992), section 2
 */
export function readTiffEntries(bytes: Uint8Array): TiffEntry[] | undefined {
  const view = viewOf(bytes);
  if (bytes.length < 8 || bytes[0] !== bytes[1]) return undefined;
  const little = bytes[0] === 0x49;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return undefined;
  const entries = Array.from({ length: view.getUint16(directory, little) }, (_, i) => directory + 2 + 12 * i);
  if (directory + 2 + 12 * entries.length > bytes.length) return undefined;
  const read: TiffEntry[] = [];
  for (const entry of entries) {
    const type = view.getUint16(entry + 2, little);
    const [count, width] = [view.getUint32(entry + 4, little), TYPE_BYTES[type] ?? 0];
    const length = width * count;
    const at = length > 4 ? view.getUint32(entry + 8, little) : entry + 8;
    if (at + length > bytes.length) return undefined;
    const value =
      length === 0
        ? undefined
        : type === 3
          ? view.getUint16(at, little)
          : type === 4
            ? view.getUint32(at, little)
            : undefined;
    read.push({ tag: view.getUint16(entry, little), at, count, width, value });
  }
  return read;
}

/** How a picture must be turned to stand upright, 1 .. 8 of the EXIF standard; 1 where nothing is said. */
export function orientationOf(bytes: Uint8Array, format: ImageFormat): number {
  const exif = exifOf(bytes, format);
  const entries = exif && readTiffEntries(exif);
  const value = entries?.find(({ tag }) => tag === ORIENTATION)?.value ?? 1;
  return value >= 1 && value <= 8 ? value : 1;
}

function exifOf(bytes: Uint8Array, format: ImageFormat): Uint8Array | undefined {
  if (format === 'TIFF') return bytes;
  if (format === 'JPEG') {
    for (const { marker, content } of jpegSegments(bytes)) {
      if (marker === 0xe1 && latin1(content.subarray(0, 6)) === 'Exif\0\0') return content.subarray(6);
    }
  }
  if (format === 'PNG') return chunk(bytes, { first: 8, name: 'eXIf', nameAfterLength: true });
  if (format !== 'WebP') return undefined;
  const exif = chunk(bytes, { first: 12, name: 'EXIF', nameAfterLength: false });
  return exif && latin1(exif.subarray(0, 6)) === 'Exif\0\0' ? exif.subarray(6) : exif;
}

/** The content of a chunk: of PNG, that are a length, a name, the content and a checksum; or of RIFF, where the name comes first. */
function chunk(
  bytes: Uint8Array,
  { first, name, nameAfterLength }: { first: number; name: string; nameAfterLength: boolean },
): Uint8Array | undefined {
  const view = viewOf(bytes);
  for (let at = first; at + 8 <= bytes.length; ) {
    const length = view.getUint32(nameAfterLength ? at : at + 4, !nameAfterLength);
    const content = bytes.subarray(at + 8, at + 8 + length);
    const named = nameAfterLength ? at + 4 : at;
    if (latin1(bytes.subarray(named, named + 4)) === name) return content;
    at += 8 + length + (nameAfterLength ? 4 : length % 2);
  }
  return undefined;
}
