import { gunzipSync, gzipSync } from 'node:zlib';
import { FormatError, readIdx } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { fixture, flipBit } from '../support/fixture';

const packed = fixture('../../examples/data/fashion-mnist-2000-labels-idx1-ubyte.gz');

function idx(type: number, shape: number[], values: number[]): Uint8Array {
  return Uint8Array.of(0, 0, type, shape.length, ...shape.flatMap((length) => [0, 0, 0, length]), ...values);
}

/** With a name in the header, as the command gzip writes it. */
function gzipNamed(bytes: Uint8Array): Uint8Array {
  const packed = gzipSync(bytes);
  packed[3] = 8;
  return Buffer.concat([packed.subarray(0, 10), Buffer.from('labels-idx1-ubyte\0'), packed.subarray(10)]);
}

describe('readIdx', () => {
  it('reads the garments: 2,000 images of 28 x 28, 200 of each class', () => {
    const images = readIdx(fixture('../../examples/data/fashion-mnist-2000-images-idx3-ubyte.gz'));
    const labels = readIdx(packed);
    expect(images.shape).toEqual([2000, 28, 28]);
    expect(labels.shape).toEqual([2000]);
    for (let c = 0; c < 10; c++) expect(labels.data.filter((y: number) => y === c).length).toBe(200);
    // The first training label of Fashion-MNIST is an ankle boot, then come two T-shirts.
    expect([...labels.data.subarray(0, 3)]).toEqual([9, 0, 0]);
    expect(new Set(images.data).size).toBe(256);
  });

  it('reads unpacked files to the same values', () => {
    expect(readIdx(gunzipSync(packed))).toEqual(readIdx(packed));
  });

  const whole = idx(8, [4], [1, 2, 3, 4]);
  it.each([
    ['two members', [gzipSync(whole.subarray(0, 6)), gzipSync(whole.subarray(6))]],
    ['an empty member', [gzipSync(whole), gzipSync(new Uint8Array(0))]],
    ['zeros behind it', [gzipSync(whole), new Uint8Array(512)]],
    [
      'two members and a zero',
      [gzipSync(whole.subarray(0, 9)), gzipSync(whole.subarray(9)), new Uint8Array(1)],
    ],
    ['names and comments', [gzipNamed(whole.subarray(0, 2)), gzipNamed(whole.subarray(2))]],
  ])('reads gzip with %s', (_, parts) => {
    expect(readIdx(Buffer.concat(parts)).data).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('reads gzip of many members that cross the chunks it is unpacked by', () => {
    const values = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 2654435761) >>> 24);
    const header = Uint8Array.of(0, 0, 8, 1, 0, 3, 0x0d, 0x40);
    const parts = Array.from({ length: 100 }, (_, i) => gzipNamed(values.subarray(i * 2000, (i + 1) * 2000)));
    expect(readIdx(Buffer.concat([gzipSync(header), ...parts])).data).toEqual(values);
  });

  it.each([
    ['uint8', 8, [250], Uint8Array.of(250)],
    ['int8', 9, [250], Int8Array.of(-6)],
    ['int16', 11, [255, 2], Int16Array.of(-254)],
    ['int32', 12, [0, 1, 0, 2], Int32Array.of(65538)],
    ['float32', 13, [0x3f, 0xc0, 0, 0], Float32Array.of(1.5)],
    ['float64', 14, [0xc0, 0x04, 0, 0, 0, 0, 0, 0], Float64Array.of(-2.5)],
  ])('reads big-endian %s', (_, type, bytes, data) => {
    expect(readIdx(idx(type, [1, 1], bytes))).toEqual({ shape: [1, 1], data });
  });

  it.each<[string, Uint8Array, string]>([
    [
      'nothing',
      new Uint8Array(0),
      'readIdx: expected an idx file (00 00 type rank, lengths), got nothing (0 bytes).',
    ],
    ['another format', Uint8Array.of(137, 80, 78, 71), 'got a PNG picture.'],
    ['an unknown type', idx(7, [1], [0]), 'an idx file'],
    ['a cut header', idx(8, [2, 2], []).subarray(0, 9), 'an idx file'],
    ['cut values', idx(8, [2, 2], [1, 2, 3]), 'expected 4 bytes of values, got 3. The file is truncated.'],
    ['trailing bytes', idx(8, [1], [1, 2]), 'The file has trailing bytes.'],
    ['a truncated gzip file', packed.subarray(0, 500), 'expected a whole gzip file'],
    ['a gzip file cut to its header', packed.subarray(0, 8), 'expected a whole gzip file'],
    ['a gzip file with a flipped bit', flipBit(packed, 700), 'expected a whole gzip file'],
    [
      'a first member with a flipped bit',
      Buffer.concat([flipBit(gzipSync(whole), 12), gzipSync(whole)]),
      'a whole gzip',
    ],
    [
      'a first member with a wrong checksum',
      Buffer.concat([flipBit(gzipSync(whole), gzipSync(whole).length - 8), gzipSync(whole)]),
      'wrong checksum',
    ],
    ['other bytes behind gzip', Buffer.concat([gzipSync(whole), Buffer.from('hello')]), 'a whole gzip file'],
    ['a gzip file with a wrong length', flipBit(packed, packed.length - 1), 'wrong checksum or length'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readIdx(bytes)).toThrow(FormatError);
    expect(() => readIdx(bytes)).toThrow(message);
  });
});
