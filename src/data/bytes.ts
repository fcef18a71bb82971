import { complaint, DataError, FormatError } from '../core/errors';
import { refuseStandIn } from './fileKind';

/** A file's content. Node's `Buffer` is a `Uint8Array`. */
export type Bytes = Uint8Array | ArrayBuffer;

/**
 * A file's content as bytes, without a copy. Every reader begins here.
 *
 * @throws DataError that says how to come by the bytes, where something else came: a path, a promise, a Response, ...; FormatError for
 * what comes in place of a file: a web page, a Git LFS pointer, the index of other files
 */
export function toBytes(where: string, input: Bytes): Uint8Array {
  const bytes = viewAsBytes(where, input);
  refuseStandIn(where, bytes);
  return bytes;
}

function viewAsBytes(where: string, input: Bytes): Uint8Array {
  if (input instanceof Uint8Array) return input;
  // Not by instanceof: a page's frames and Node's vm contexts each have an ArrayBuffer of their own.
  if (isBuffer(input)) return new Uint8Array(input);
  const view = input as unknown;
  if (ArrayBuffer.isView(view) && isOfBytes(view)) {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }
  const [received, hint] = insteadOfBytes(input);
  throw new DataError(complaint(where, "the file's bytes (Uint8Array or ArrayBuffer)", received, hint));
}

function isBuffer(input: unknown): input is ArrayBuffer {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(input));
}

/** A DataView, or a typed array of one byte per entry. */
function isOfBytes(view: ArrayBufferView): boolean {
  return ((view as Partial<Uint8Array>).BYTES_PER_ELEMENT ?? 1) === 1;
}

/** What came where bytes belong, and what to do about it. */
function insteadOfBytes(input: unknown): [received: string, hint: string] {
  if (typeof input === 'string') return [`the text '${input.slice(0, 60)}'`, 'Read the file first.'];
  if (input instanceof URL) return [`the address ${input}`, 'Read the file first.'];
  if (typeof input !== 'object' || input === null) return [String(input), ''];
  const { then, arrayBuffer } = input as { then?: unknown; arrayBuffer?: unknown };
  if (typeof then === 'function') return ['a Promise', 'Await it.'];
  const name = input.constructor?.name || 'an object';
  if (typeof arrayBuffer === 'function') return [`a ${name}`, 'Give what its arrayBuffer() resolves to.'];
  if (Array.isArray(input)) return ['an array', 'Uint8Array.from makes bytes of numbers 0 .. 255.'];
  return [name, ''];
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

/** A FormatError that keeps the reason a decoder gave; one that is a FormatError already says it itself. */
export function undecodable(where: string, expected: string, cause: unknown): FormatError {
  if (cause instanceof FormatError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FormatError(
    complaint(where, expected, `bytes that do not decode (${reason})`, 'The file is damaged or truncated.'),
    { cause },
  );
}
