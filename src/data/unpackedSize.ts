import { complaint, FormatError } from '../core/errors';

/** A file may unpack to this many bytes, whatever its size, ... */
const ALWAYS = 2 ** 27;
/** ... and to this many times its size: pictures and weights shrink two- to fivefold, files made to fill memory a thousandfold. */
const MOST_TIMES = 16;

/**
 * Throws a FormatError where a file unpacks to more than it may.
 *
 * @param size bytes once unpacked
 * @param packed bytes of the whole file
 */
export function checkUnpackedSize(where: string, size: number, packed: number): void {
  const most = Math.max(ALWAYS, MOST_TIMES * packed);
  if (size <= most) return;
  const hint =
    'A file that grows so much may be made to fill memory; if you trust it, pack it anew without compression (np.savez).';
  throw new FormatError(
    complaint(where, `at most ${most} bytes once unpacked from ${packed}`, `${size} or more`, hint),
  );
}

/** Bytes that are unpacked at a time: at most a thousand times as many come out before their number is looked at. */
const CHUNK = 2 ** 12;

/** Hands packed bytes to a stream that unpacks them. */
export function inChunks(bytes: Uint8Array, push: (chunk: Uint8Array, final: boolean) => void): void {
  for (let at = 0; at === 0 || at < bytes.length; at += CHUNK) {
    push(bytes.subarray(at, at + CHUNK), at + CHUNK >= bytes.length);
  }
}
