import { strFromU8, unzipSync } from 'fflate';
import { crc32 } from '../core/checksum';
import { complaint, FormatError } from '../core/errors';
import { undecodable, viewOf } from './bytes';

/** A file in an archive. Nothing of it is unpacked before it is asked for. */
export interface ZipEntry {
  /** Bytes once unpacked, as the archive says. */
  size: number;
  /**
   * The content, with its checksum verified.
   *
   * @throws FormatError for a damaged file
   */
  read(): Uint8Array;
}

/** A file may unpack to this many bytes, whatever its size, ... */
const ALWAYS = 2 ** 28;
/** ... and to this many times the archive's size: arrays of numbers rarely shrink further, and files made to fill memory shrink a thousandfold. */
const MOST_TIMES = 40;

/**
 * The files of a zip archive by name, stored or deflated; folders, and what macOS puts beside files, are left out.
 *
 * @param expected what the archive should be, for messages, as in 'a whole npz file'
 * @throws FormatError for another format, or a truncated file
 */
export function openZip(where: string, expected: string, bytes: Uint8Array): Map<string, ZipEntry> {
  const sizes = new Map<string, number>();
  let checksums: Map<string, number>;
  try {
    unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!isByProduct(name)) sizes.set(name, originalSize);
        return false;
      },
    });
    checksums = readChecksums(bytes);
  } catch (error) {
    throw undecodable(where, expected, error);
  }
  const read = (name: string, size: number) => () => {
    const at = `${where}('${name}')`;
    const most = Math.max(ALWAYS, MOST_TIMES * bytes.length);
    if (size > most) {
      const hint = 'A file that grows so much is made to fill memory; unpack it yourself if you trust it.';
      throw new FormatError(complaint(at, `at most ${most} bytes once unpacked`, size, hint));
    }
    let content: Uint8Array;
    try {
      content = unzipSync(bytes, { filter: (file) => file.name === name })[name];
    } catch (error) {
      throw undecodable(at, 'a whole entry', error);
    }
    if (checksums.get(name) !== crc32(content)) throw undecodable(at, 'a whole entry', 'wrong checksum');
    return content;
  };
  return new Map([...sizes].map(([name, size]) => [name, { size, read: read(name, size) }]));
}

function isByProduct(name: string): boolean {
  return name.endsWith('/') || /(^|\/)(__MACOSX\/|\.)/.test(name);
}

/**
 * The checksum of each file in the archive, which fflate skips over.
 *
 * Source: PKWARE, "APPNOTE.TXT", sections 4.3.12 (central directory) and 4.3.16 (end record).
 */
function readChecksums(bytes: Uint8Array): Map<string, number> {
  const view = viewOf(bytes);
  let end = bytes.length - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  let at = view.getUint32(end + 16, true);
  const checksums = new Map<string, number>();
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const nameLength = view.getUint16(at + 28, true);
    const isUtf8 = (view.getUint16(at + 8, true) & 2048) !== 0;
    const name = strFromU8(bytes.subarray(at + 46, at + 46 + nameLength), !isUtf8);
    checksums.set(name, view.getUint32(at + 16, true));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return checksums;
}
