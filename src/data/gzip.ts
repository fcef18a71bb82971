import { Gunzip } from 'fflate';
import { crc32 } from '../core/checksum';
import { joinBytes, undecodable, viewOf } from './bytes';
import { checkUnpackedSize, inChunks } from './unpackedSize';

const EXPECTED = 'a whole gzip file';
/** Checksum and length behind each member. */
const TRAILER = 8;
/** Members of a file; those that pack large files block by block (bgzip) make one per 64 kB. */
const MOST_MEMBERS = 2 ** 13;

/**
 * Unpacks gzip where the bytes are gzip (1f 8b), else returns them as they are. One member or several, as `cat a.gz b.gz` makes them,
 * and zeros behind, as tapes and block devices leave them. Checksums and lengths are verified, which fflate does not.
 *
 * Source: P. Deutsch, "GZIP file format specification version 4.3", RFC 1952.
 *
 * @throws FormatError for a file that is damaged, truncated or made to fill memory
 */
export function gunzipIfNeeded(where: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const members: { parts: Uint8Array[]; end: number }[] = [];
  let parts: Uint8Array[] = [];
  let size = 0;
  const gunzip = new Gunzip((part) => {
    size += part.length;
    checkUnpackedSize(where, size, bytes.length);
    parts.push(part);
  });
  gunzip.onmember = (end) => {
    if (members.push({ parts, end }) > MOST_MEMBERS) throw new Error(`more than ${MOST_MEMBERS} members`);
    parts = [];
  };
  // fflate takes up to three bytes behind a member, and needs one where the packed bytes themselves end in zero.
  const end = Math.min(lengthWithoutZeros(bytes) + 3, bytes.length);
  try {
    // Streaming, because the one-shot call trusts the length field of a file that may be damaged.
    inChunks(bytes.subarray(0, end), (chunk, final) => gunzip.push(chunk, final));
  } catch (error) {
    throw undecodable(where, EXPECTED, error);
  }
  return joinBytes([...members, { parts, end: undefined }].map((member) => verified(where, bytes, member)));
}

/** Bytes up to the last that is not 0. */
function lengthWithoutZeros(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/**
 * The content of one member, which must be what the trailer before `end` says.
 *
 * Behind the last member there may be zeros, and its trailer may itself end in zeros, so its end is where the trailer fits.
 */
function verified(
  where: string,
  bytes: Uint8Array,
  { parts, end }: { parts: Uint8Array[]; end?: number },
): Uint8Array {
  const content = joinBytes(parts);
  const trailer = new Uint8Array(TRAILER);
  viewOf(trailer).setUint32(0, crc32(content), true);
  viewOf(trailer).setUint32(4, content.length % 2 ** 32, true);
  const start = end === undefined ? lengthWithoutZeros(bytes) - lengthWithoutZeros(trailer) : end - TRAILER;
  const fits = trailer.every((byte, i) => byte === bytes[start + i]);
  if (!fits) throw undecodable(where, EXPECTED, 'wrong checksum or length');
  return content;
}
