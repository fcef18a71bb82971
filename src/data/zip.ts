import { strFromU8, unzipSync } from 'fflate';
import { crc32 } from '../core/checksum';
import { undecodable, viewOf } from './bytes';

/**
 * The files of a zip archive by name, stored or deflated, with their checksums verified.
 *
 * @param expected what the archive should be, for messages, as in 'a whole npz file'
 * @throws FormatError for another format, or a damaged or truncated file; the message names the entry
 */
export function unzip(where: string, expected: string, bytes: Uint8Array): Map<string, Uint8Array> {
  let files: Record<string, Uint8Array>;
  let checksums: Map<string, number>;
  try {
    files = unzipSync(bytes);
    checksums = readChecksums(bytes);
  } catch (error) {
    throw undecodable(where, expected, error);
  }
  for (const [file, content] of Object.entries(files)) {
    if (checksums.get(file) !== crc32(content)) {
      throw undecodable(`${where}('${file}')`, 'a whole entry', 'wrong checksum');
    }
  }
  return new Map(Object.entries(files));
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
