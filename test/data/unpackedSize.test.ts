import { FormatError } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { checkUnpackedSize } from '../../src/data/unpackedSize';

describe('a file may unpack', () => {
  it.each([
    ['to 128 MiB, however small it is', 1, 2 ** 27],
    ['to 16 times its size beyond that', 2 ** 24, 2 ** 28],
  ])('%s, and to no more', (_, packed, most) => {
    checkUnpackedSize('readNpz', most, packed);
    expect(() => checkUnpackedSize('readNpz', most + 1, packed)).toThrow(FormatError);
    expect(() => checkUnpackedSize('readNpz', most + 1, packed)).toThrow(`at most ${most} bytes`);
  });
});
