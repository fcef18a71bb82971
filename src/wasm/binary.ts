import { complaint, FormatError } from '../core/errors';

const IMPORT_SECTION = 2;
const MEMORY_SECTION = 5;
const MEMORY_KIND = 2;
/** A memory with a maximum; with the second bit set it is shared between threads. */
const LIMITED = 1;
const LIMITED_SHARED = 3;

/** The bytes of a base64 string. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * A WebAssembly module whose memory, own or imported, is declared shared or not: a copy with one byte changed.
 *
 * The code stays as it is, since loads and stores are the same on both kinds. It lets the stock single-threaded
 * backend, which nothing but its own memory keeps from threads, share its tensors with our workers.
 *
 * @throws FormatError where no memory with a maximum is found
 */
export function declareMemory(module: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(module);
  const at = memoryLimits(copy);
  if (copy[at] !== LIMITED && copy[at] !== LIMITED_SHARED) {
    throw new FormatError(
      complaint('declareMemory', 'a memory with a maximum', `limits of kind ${copy[at]}`),
    );
  }
  copy[at] = shared ? LIMITED_SHARED : LIMITED;
  return copy;
}

/** Position of the byte that says which kind of limits the module's memory has. */
function memoryLimits(bytes: Uint8Array): number {
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const section = bytes[reader.at++];
    const length = reader.unsigned();
    const end = reader.at + length;
    if (section === MEMORY_SECTION && reader.unsigned() > 0) return reader.at;
    if (section === IMPORT_SECTION) {
      const count = reader.unsigned();
      for (let i = 0; i < count; i++) {
        reader.skip(reader.unsigned());
        reader.skip(reader.unsigned());
        if (bytes[reader.at++] === MEMORY_KIND) return reader.at;
        // Tables and globals would need more parsing; neither module imports any before its memory.
        reader.unsigned();
      }
    }
    reader.at = end;
  }
  throw new FormatError(complaint('declareMemory', 'a WebAssembly module with a memory', 'one without'));
}

class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  /** A number in LEB128. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128 || byte === undefined) return value;
    }
  }

  skip(bytes: number): void {
    this.at += bytes;
  }
}
