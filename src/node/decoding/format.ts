import { latin1 } from '../../data/latin1';

/** Formats of pictures that are decoded. */
export type ImageFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'BMP' | 'TIFF' | 'AVIF';

/** First bytes of every format: offset and text. */
const signatures: readonly [format: ImageFormat, offset: number, start: string][] = [
  ['JPEG', 0, '\xff\xd8'],
  ['PNG', 0, '\x89P'],
  ['WebP', 8, 'WEBP'],
  ['GIF', 0, 'GIF8'],
  ['BMP', 0, 'BM'],
  ['TIFF', 0, 'II*\0'],
  ['TIFF', 0, 'MM\0*'],
  ['AVIF', 4, 'ftypavif'],
  ['AVIF', 4, 'ftypavis'],
];

/** All formats, for messages. */
export const imageFormats = [...new Set(signatures.map(([format]) => format))].join(', ');

/** The format of a picture by its first bytes, whatever its file is called. */
export function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  const start = latin1(bytes.subarray(0, 12));
  return signatures.find(([, offset, text]) => start.startsWith(text, offset))?.[0];
}

/** Whether a file's name says that it is a picture in one of the formats that are decoded. */
export function isImageName(name: string): boolean {
  return /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|dib|tiff?|avif)$/i.test(name);
}
