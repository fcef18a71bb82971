import { complaint, FormatError } from '../../core/errors';
import { viewOf } from '../../data/bytes';

/** Bytes of an integer, ten times those of a random state's; Python itself reads no more than 4,300 digits of text. */
const LONGEST_INTEGER = 128;
const MOST_DIGITS = 4300;

/** The bytes of a pickle, read one after another. */
export class PickleBytes {
  private readonly view: DataView;
  private readonly decoder = new TextDecoder();

  constructor(
    private readonly where: string,
    private readonly bytes: Uint8Array,
    public offset: number,
  ) {
    this.view = viewOf(bytes);
  }

  byte(): number {
    return this.bytes[this.take(1)];
  }

  /** Steps over `count` bytes and returns where they began. */
  take(count: number): number {
    const start = this.offset;
    if (!(start + count <= this.bytes.length)) throw this.damaged();
    this.offset = start + count;
    return start;
  }

  uint16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  uint64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }

  /** The one number that pickles keep with its highest byte first. */
  float64(): number {
    return this.view.getFloat64(this.take(8), false);
  }

  /** A view, no copy. */
  part(length: number): Uint8Array {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  utf8(length: number): string {
    return this.decoder.decode(this.part(length));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.offset);
    if (end === -1) throw this.damaged();
    const text = this.utf8(end - this.offset);
    this.take(1);
    return text;
  }

  /** A decimal integer of any size. */
  integerLine(): number | bigint {
    const text = this.line().replace(/L$/, '');
    if (text.length > MOST_DIGITS)
      throw this.tooMuch(`an integer of at most ${MOST_DIGITS} digits`, text.length);
    if (!/^\s*[-+]?\d+\s*$/.test(text)) throw this.damaged();
    return narrow(BigInt(text));
  }

  /** Two's complement, little-endian. */
  integer(length: number): number | bigint {
    if (length > LONGEST_INTEGER) {
      throw this.tooMuch(`an integer of at most ${LONGEST_INTEGER} bytes`, length);
    }
    // Whole words at a time: a pickle may hold a million of them.
    const words = new Uint8Array(8 * Math.ceil(length / 8));
    words.set(this.part(length));
    const view = viewOf(words);
    let value = 0n;
    for (let at = words.length - 8; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
    return narrow(BigInt.asIntN(8 * length, value));
  }

  damaged(): FormatError {
    const received = `bytes that do not decode at byte ${this.offset}`;
    return new FormatError(
      complaint(this.where, 'a whole pickle', received, 'The file is damaged or truncated.'),
    );
  }

  /** For a pickle of more than anybody saves, made to fill memory or to take no end. */
  tooMuch(expected: string, received: unknown): FormatError {
    return new FormatError(complaint(this.where, expected, received, 'No real checkpoint holds as much.'));
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Bytes that protocols 0 to 2 keep as text, a character for each: `_codecs.encode(text, 'latin1')`. */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
