import { Gunzip } from 'fflate';
import { crc32 } from '../core/checksum';
import { complaint, FormatError } from '../core/errors';

/** A file's content. Node's `Buffer` is a `Uint8Array`. */
export type Bytes = Uint8Array | ArrayBuffer;

export function toBytes(input: Bytes): Uint8Array {
  return input instanceof Uint8Array ? input : new Uint8Array(input);
}

/** A view on the bytes, for reading numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Unpacks gzip where the bytes are gzip (1f 8b), and verifies checksum and length, which fflate does not; else returns the bytes as they are. */
export function gunzipIfNeeded(where: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const parts: Uint8Array[] = [];
  try {
    // Streaming, because the one-shot call trusts the length field of a file that may be damaged.
    new Gunzip((part) => parts.push(part)).push(bytes, true);
  } catch (error) {
    throw undecodable(where, 'a whole gzip file', error);
  }
  const unpacked = joinBytes(parts);
  const trailer = viewOf(bytes);
  const sound =
    bytes.length >= 18 &&
    trailer.getUint32(bytes.length - 8, true) === crc32(unpacked) &&
    trailer.getUint32(bytes.length - 4, true) === unpacked.length % 2 ** 32;
  if (!sound) throw undecodable(where, 'a whole gzip file', 'wrong checksum or length');
  return unpacked;
}

/** A FormatError that keeps the reason a decoder gave. */
export function undecodable(where: string, expected: string, cause: unknown): FormatError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FormatError(
    complaint(where, expected, `bytes that do not decode (${reason})`, 'The file is damaged or truncated.'),
    { cause },
  );
}
