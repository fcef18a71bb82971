import { gunzipSync } from 'node:zlib';
import { FormatError, readIdx } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { fixture, flipBit } from '../support/fixture';

const packed = fixture('../../examples/data/fashion-mnist-2000-labels-idx1-ubyte.gz');

function idx(type: number, shape: number[], values: number[]): Uint8Array {
  return Uint8Array.of(0, 0, type, shape.length, ...shape.flatMap((length) => [0, 0, 0, length]), ...values);
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
      "readIdx: expected an idx header (00 00 type rank, lengths), got '', 0 bytes.",
    ],
    ['another format', Uint8Array.of(137, 80, 78, 71), "got '89 50 4e 47', 4 bytes"],
    ['an unknown type', idx(7, [1], [0]), 'an idx header'],
    ['a cut header', idx(8, [2, 2], []).subarray(0, 9), 'an idx header'],
    ['cut values', idx(8, [2, 2], [1, 2, 3]), 'expected 4 bytes of values, got 3. The file is truncated.'],
    ['trailing bytes', idx(8, [1], [1, 2]), 'The file has trailing bytes.'],
    ['a truncated gzip file', packed.subarray(0, 500), 'expected a whole gzip file'],
    ['a gzip file cut to its header', packed.subarray(0, 8), 'expected a whole gzip file'],
    ['a gzip file with a flipped bit', flipBit(packed, 700), 'expected a whole gzip file'],
    ['a gzip file with a wrong length', flipBit(packed, packed.length - 1), 'wrong checksum or length'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readIdx(bytes)).toThrow(FormatError);
    expect(() => readIdx(bytes)).toThrow(message);
  });
});
