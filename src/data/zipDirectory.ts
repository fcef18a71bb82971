import { strFromU8 } from 'fflate';
import { viewOf } from './bytes';

/** What an archive's directory says of one file. */
export interface ZipRecord {
  name: string;
  /** 0 stored, 8 deflated. */
  method: number;
  encrypted: boolean;
  /** CRC-32 of the content. */
  checksum: number;
  /** Bytes in the archive. */
  packedSize: number;
  /** Bytes once unpacked. */
  size: number;
  /** Where the file's own header is. */
  offset: number;
}

const END = 0x06054b50;
const END_64_LOCATOR = 0x07064b50;
const RECORD = 0x02014b50;
/** A field that stands in the 64-bit extension. */
const ELSEWHERE = 0xffffffff;

/**
 * The directory at the end of a zip archive, with the 64-bit sizes that numpy and PyTorch may write.
 *
 * Source: PKWARE, "APPNOTE.TXT", sections 4.3.12 (directory), 4.3.14 to 4.3.16 (end records), 4.5.3 (64-bit extension).
 *
 * @throws RangeError or Error, where it is cut or damaged
 */
export function readZipDirectory(bytes: Uint8Array): ZipRecord[] {
  const view = viewOf(bytes);
  const end = findEnd(view);
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (end >= 20 && view.getUint32(end - 20, true) === END_64_LOCATOR) {
    const end64 = Number(view.getBigUint64(end - 12, true));
    count = Number(view.getBigUint64(end64 + 32, true));
    at = Number(view.getBigUint64(end64 + 48, true));
  }
  const records: ZipRecord[] = [];
  for (; count > 0; count--) {
    if (view.getUint32(at, true) !== RECORD) throw new Error('no directory where the end record says');
    const flags = view.getUint16(at + 8, true);
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const long = longFields(view, nameEnd, extraEnd);
    const field = (from: number) => {
      const value = view.getUint32(at + from, true);
      return value === ELSEWHERE ? (long.shift() ?? value) : value;
    };
    records.push({
      name: strFromU8(bytes.subarray(at + 46, nameEnd), (flags & 2048) === 0),
      method: view.getUint16(at + 10, true),
      encrypted: (flags & 1) !== 0,
      checksum: view.getUint32(at + 16, true),
      // In the order of the extension.
      size: field(24),
      packedSize: field(20),
      offset: field(42),
    });
    at = extraEnd + view.getUint16(at + 32, true);
  }
  return records;
}

/** The end record has a comment of up to 65,535 bytes behind it. */
function findEnd(view: DataView): number {
  const least = Math.max(0, view.byteLength - 22 - 65535);
  for (let at = view.byteLength - 22; at >= least; at--) if (view.getUint32(at, true) === END) return at;
  throw new Error('no end record');
}

/** 64-bit values of the extension (id 1) among a record's extra fields, in order; those that fit 32 bits are left out by the writer. */
function longFields(view: DataView, from: number, to: number): number[] {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const count = Math.min(3, view.getUint16(at + 2, true) >> 3);
    return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
  }
  return [];
}

/** The packed bytes of a file: its own header has a name and fields of lengths of its own. */
export function packedBytes(bytes: Uint8Array, { offset, packedSize }: ZipRecord): Uint8Array {
  const view = viewOf(bytes);
  if (view.getUint32(offset, true) !== 0x04034b50) throw new Error('no file where the directory says');
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packedSize > bytes.length) throw new Error('a file beyond the end');
  return bytes.subarray(start, start + packedSize);
}
