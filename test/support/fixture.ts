import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Bytes of a file in test/fixtures (or elsewhere in the repository, by a path from there). */
export function fixture(path: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url)));
}

/** The bytes with one bit flipped. */
export function flipBit(bytes: Uint8Array, index: number): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  damaged[index] ^= 16;
  return damaged;
}
