import { deflateRawSync } from 'node:zlib';
import { FormatError, readNpz, writeNpy } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/core/checksum';

const array = writeNpy({ shape: [2], data: Uint8Array.of(5, 6) });

interface Options {
  /** Whether sizes and places stand in 64-bit fields. */
  long?: boolean;
  /** Names of files; all of them are `x.npy`'s bytes. */
  names?: string[];
  flags?: number;
  method?: number;
  /** What stands in the archive, and what the directory says of its size. */
  packed?: Uint8Array;
  size?: number;
}

/** An archive as APPNOTE.TXT says, field by field; all names share the bytes of one file. */
function archive(options: Options): Uint8Array {
  const {
    long = false,
    names = ['x.npy'],
    flags = 0,
    method = 0,
    packed = array,
    size = array.length,
  } = options;
  const u16 = (...values: number[]) => values.flatMap((value) => [value & 255, value >> 8]);
  const u32 = (...values: number[]) => values.flatMap((value) => u16(value & 65535, value >>> 16));
  const u64 = (...values: number[]) => values.flatMap((value) => u32(value, 0));
  const sum = crc32(array);
  const file = [
    ...u32(0x04034b50),
    ...u16(20, flags, method, 0, 0),
    ...u32(sum, packed.length, size),
    ...u16(0, 0),
    ...packed,
  ];
  const extra = long ? [...u16(7, 1, 0xffff), ...u16(1, 24), ...u64(size, packed.length, 0)] : [];
  // The field before the 64-bit one is another's, of one byte.
  const padded = long ? [...u16(7, 1), 255, ...extra.slice(6)] : [];
  const records = names.flatMap((name) => [
    ...[...u32(0x02014b50), ...u16(20, 20, flags, method, 0, 0), ...u32(sum)],
    ...(long ? u32(0xffffffff, 0xffffffff) : u32(packed.length, size)),
    ...[...u16(name.length, padded.length, 0, 0, 0), ...u32(0, long ? 0xffffffff : 0)],
    ...[...new TextEncoder().encode(name), ...padded],
  ]);
  const at = file.length;
  const end64 = [
    ...[...u32(0x06064b50), ...u64(44), ...u16(45, 45), ...u32(0, 0)],
    ...u64(names.length, names.length, records.length, at),
    ...[...u32(0x07064b50, 0), ...u64(at + records.length), ...u32(1)],
  ];
  const ends = [
    ...(long ? end64 : []),
    ...[...u32(0x06054b50), ...u16(0, 0)],
    ...(long
      ? [...u16(0xffff, 0xffff), ...u32(0xffffffff, 0xffffffff)]
      : [...u16(names.length, names.length), ...u32(records.length, at)]),
    ...u16(3),
    ...[1, 2, 3],
  ];
  return Uint8Array.from([...file, ...records, ...ends]);
}

describe('zip archives', () => {
  it.each<[string, Options]>([
    ['stored', {}],
    ['deflated', { method: 8, packed: deflateRawSync(array) }],
    ['of 64-bit sizes', { long: true }],
    ['of 64-bit sizes, deflated', { long: true, method: 8, packed: deflateRawSync(array) }],
  ])('%s files are read', (_, options) => {
    expect(readNpz(archive(options)).x).toEqual({ shape: [2], data: Uint8Array.of(5, 6) });
  });

  it.each<[string, Options, RegExp]>([
    ['encrypted', { flags: 1 }, /it is encrypted/],
    ['packed by another method', { method: 12 }, /compression method 12/],
    ['longer than they say', { method: 8, packed: deflateRawSync(array), size: 20 }, /more than 20 bytes/],
    ['shorter than they say', { method: 8, packed: deflateRawSync(array), size: 500 }, /instead of 500/],
    ['stored with another size', { size: 20 }, /instead of 20/],
    ['cut', { method: 8, packed: deflateRawSync(array).subarray(0, 30) }, /unexpected EOF/],
  ])('files that are %s are refused by name', (_, options, message) => {
    const arrays = readNpz(archive(options));
    expect(() => arrays.x).toThrow(FormatError);
    expect(() => arrays.x).toThrow(message);
    expect(() => arrays.x).toThrow("readNpz('x.npy')");
  });

  it('count what lies over each other as often as it is read', () => {
    const most = 2 ** 27;
    const names = Array.from({ length: 3 }, (_, i) => `${i}.npy`);
    const arrays = readNpz(archive({ names, method: 8, packed: deflateRawSync(array), size: most / 2 }));
    // Each would fit; a second look at one counts no more than the first.
    for (const name of ['0', '0', '1']) expect(() => arrays[name]).toThrow(/instead of 67108864/);
    expect(() => arrays[2]).toThrow(/at most 134217728 bytes once unpacked/);
  });
});
