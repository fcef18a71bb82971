import { Inflate } from 'fflate';
import { crc32 } from '../core/checksum';
import { complaint, FormatError } from '../core/errors';
import { undecodable } from './bytes';
import { fileKind } from './fileKind';
import { checkUnpackedSize, inChunks } from './unpackedSize';
import { packedBytes, readZipDirectory, type ZipRecord } from './zipDirectory';

/** A file in an archive. Nothing of it is unpacked before it is asked for. */
export interface ZipEntry {
  /** Bytes once unpacked, as the archive says. */
  size: number;
  /**
   * The content, with its checksum verified; a view on the archive where it is stored as it is.
   *
   * @throws FormatError for a damaged file, or where all that was read of the archive is more than it may unpack to
   */
  read(): Uint8Array;
}

/**
 * The files of a zip archive by name, stored or deflated; folders, and what macOS puts beside files, are left out.
 *
 * @param expected what the archive should be, for messages, as in 'a whole npz file'
 * @throws FormatError for another format, or a truncated file
 */
export function openZip(where: string, expected: string, bytes: Uint8Array): Map<string, ZipEntry> {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
    throw new FormatError(complaint(where, expected, fileKind(bytes)));
  }
  let records: ZipRecord[];
  try {
    records = readZipDirectory(bytes);
  } catch (error) {
    throw undecodable(where, expected, error);
  }
  const entries = new Map<string, ZipEntry>();
  const asked = new Set<ZipRecord>();
  let total = 0;
  for (const record of records) {
    const { name, size } = record;
    if (isByProduct(name)) continue;
    const read = () => {
      const at = `${where}('${name}')`;
      // Files of an archive may lie over each other, so the sum counts.
      if (!asked.has(record)) total += size;
      asked.add(record);
      checkUnpackedSize(at, total, bytes.length);
      try {
        return unpack(bytes, record);
      } catch (error) {
        throw undecodable(at, 'a whole entry', error);
      }
    };
    entries.set(name, { size, read });
  }
  return entries;
}

function isByProduct(name: string): boolean {
  return name.endsWith('/') || /(^|\/)(__MACOSX\/|\.)/.test(name);
}

function unpack(bytes: Uint8Array, record: ZipRecord): Uint8Array {
  const { method, encrypted, checksum, size } = record;
  if (encrypted) throw new Error('it is encrypted');
  if (method !== 0 && method !== 8) throw new Error(`compression method ${method}; 0 and 8 are read`);
  const packed = packedBytes(bytes, record);
  const content = method === 0 ? packed : inflate(packed, size);
  if (content.length !== size) throw new Error(`${content.length} bytes instead of ${size}`);
  if (crc32(content) !== checksum) throw new Error('wrong checksum');
  return content;
}

function inflate(packed: Uint8Array, size: number): Uint8Array {
  const content = new Uint8Array(size);
  let length = 0;
  const stream = new Inflate((part) => {
    if (length + part.length > size) throw new Error(`more than ${size} bytes`);
    content.set(part, length);
    length += part.length;
  });
  inChunks(packed, (chunk, final) => stream.push(chunk, final));
  return content.subarray(0, length);
}
