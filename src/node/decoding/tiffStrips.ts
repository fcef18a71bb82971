import { Inflate } from 'fflate';
import { viewOf } from '../../data/bytes';
import { checkUnpackedSize, inChunks } from '../../data/unpackedSize';
import type { TiffEntry } from './exif';

const TAG = { compression: 0x0103, offsets: 0x0111, lengths: 0x0117 };
const LZW = 5;
/** Deflate has two numbers. */
const DEFLATE: readonly unknown[] = [8, 32946];

/**
 * Looks how long the strips of a picture become before a decoder unpacks them: what their length is, no directory says.
 *
 * @throws FormatError for strips made to fill memory; Error for damaged ones
 */
export function checkStrips(bytes: Uint8Array, entries: readonly TiffEntry[]): void {
  const entry = (wanted: number) => entries.find(({ tag }) => tag === wanted);
  const compression = entry(TAG.compression)?.value;
  const isDeflate = DEFLATE.includes(compression);
  if (!isDeflate && compression !== LZW) return;
  const [offsets, lengths] = [TAG.offsets, TAG.lengths].map((tag) => numbersOf(bytes, entry(tag)));
  let size = 0;
  const add = (more: number) => {
    size += more;
    checkUnpackedSize('decodeImage', size, bytes.length);
  };
  offsets.forEach((at, i) => {
    const strip = bytes.subarray(at, at + (lengths[i] ?? bytes.length));
    if (isDeflate) addInflated(strip, add);
    else addLzw(strip, add);
  });
}

function numbersOf(bytes: Uint8Array, entry: TiffEntry | undefined): number[] {
  if (entry === undefined) return [];
  const view = viewOf(bytes);
  const little = bytes[0] === 0x49;
  const { at, width } = entry;
  return Array.from({ length: entry.count }, (_, i) =>
    width === 2 ? view.getUint16(at + 2 * i, little) : view.getUint32(at + 4 * i, little),
  );
}

/** Adds the bytes of a zlib stream, whose header has two bytes. */
function addInflated(strip: Uint8Array, add: (bytes: number) => void): void {
  const stream = new Inflate((part) => add(part.length));
  inChunks(strip.subarray(2), (chunk, final) => stream.push(chunk, final));
}

const [CLEAR, END] = [256, 257];
const MOST_CODES = 4096;

/**
 * Adds the bytes that codes of LZW stand for: a new code stands for one byte more than the code before it.
 *
 * @see "TIFF Revision 6.0" (Aldus, 1992), section 13
 */
export function addLzw(strip: Uint8Array, add: (bytes: number) => void): void {
  const lengths = new Uint16Array(MOST_CODES + 1).fill(1, 0, CLEAR);
  let [bits, next, previous, held, waiting] = [9, END + 1, CLEAR, 0, 0];
  for (const byte of strip) {
    waiting = ((waiting << 8) | byte) & 0xffffff;
    held += 8;
    if (held < bits) continue;
    held -= bits;
    const code = (waiting >>> held) & (2 ** bits - 1);
    if (code === END) return;
    if (code === CLEAR) [bits, next] = [9, END + 1];
    else {
      const grown = lengths[previous] + 1;
      add(previous === CLEAR ? 1 : code < next ? lengths[code] : grown);
      if (previous !== CLEAR) lengths[next++] = grown;
      if (next > MOST_CODES) return;
      if (next === 2 ** bits - 1 && bits < 12) bits++;
    }
    previous = code;
  }
}
