import { zlibSync } from 'fflate';
import { decodeImage } from 'tfjs-flows/node';
import { describe, expect, it } from 'vitest';
import { addLzw } from '../../src/node/decoding/tiffStrips';

/** A grey TIFF picture of 8 x 8 with one strip. */
function tiffOf(compression: number, strip: Uint8Array): Uint8Array {
  const entries = [
    [256, 8],
    [257, 8],
    [258, 8],
    [259, compression],
    [262, 1],
    [273, 0],
    [277, 1],
    [278, 8],
    [279, strip.length],
  ];
  const start = 8 + 2 + 12 * entries.length + 4;
  const bytes = new Uint8Array(start + strip.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]);
  view.setUint16(8, entries.length, true);
  entries.forEach(([tag, value], i) => {
    view.setUint16(10 + 12 * i, tag, true);
    view.setUint16(12 + 12 * i, 4, true);
    view.setUint32(14 + 12 * i, 1, true);
    view.setUint32(18 + 12 * i, tag === 273 ? start : value, true);
  });
  bytes.set(strip, start);
  return bytes;
}

/** Codes of LZW in bits, highest first: after each clearing code 0, then the codes that these make, each a byte longer. */
function lzw(rounds: number, codesPerRound: number): { strip: Uint8Array; size: number } {
  const bits: number[] = [];
  const write = (code: number, width: number) => {
    for (let i = width - 1; i >= 0; i--) bits.push((code >> i) & 1);
  };
  let size = 0;
  let width = 9;
  for (let round = 0; round < rounds; round++) {
    write(256, width);
    width = 9;
    let next = 258;
    for (let i = 0; i < codesPerRound; i++) {
      write(i === 0 ? 0 : 257 + i, width);
      size += i + 1;
      if (i > 0) next++;
      if (next === 2 ** width - 1 && width < 12) width++;
    }
  }
  write(257, width);
  const strip = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    strip[i >> 3] |= bit << (7 - (i & 7));
  });
  return { strip, size };
}

describe('strips of TIFF pictures', () => {
  it.each([
    [1, 3],
    [2, 300],
    [3, 3830],
  ])('LZW in %i rounds of %i codes are counted to the byte', (rounds, codes) => {
    const { strip, size } = lzw(rounds, codes);
    let counted = 0;
    addLzw(strip, (bytes) => {
      counted += bytes;
    });
    expect(counted).toBe(size);
  });

  it('that are honest are read, by either compression', async () => {
    const levels = new Uint8Array(64);
    expect((await decodeImage(tiffOf(8, zlibSync(levels)))).data).toEqual(levels);
    // 1 + 2 + ... + 11 bytes are enough for 64.
    expect((await decodeImage(tiffOf(5, lzw(1, 11).strip))).data).toEqual(levels);
  });

  it.each([
    ['deflate', () => tiffOf(8, zlibSync(new Uint8Array(2 ** 27 + 2 ** 20)))],
    ['LZW', () => tiffOf(5, lzw(20, 3830).strip)],
  ])('that are made to fill memory are refused before they are unpacked: %s', async (_, make) => {
    const bytes = make();
    expect(bytes.length).toBeLessThan(2 ** 18);
    await expect(decodeImage(bytes)).rejects.toThrow('at most 134217728 bytes once unpacked');
  });
});
