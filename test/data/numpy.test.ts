import { zipSync } from 'fflate';
import { decodeText, FormatError, readNpy, readNpz, writeNpy, writeNpz } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { fixture, flipBit } from '../support/fixture';

const base = [0, 1, 2, 3, 4, 5];
const unsigned = base.map((x) => x * 40);
const signed = base.map((x) => x - 2);
const float = base.map((x) => x * 1.5 - 2);

describe('readNpy', () => {
  it.each([
    ['u1', Uint8Array, unsigned],
    ['i1', Int8Array, signed],
    ['b1', Uint8Array, base.map((x) => x % 2)],
    ['little_u2', Uint16Array, unsigned],
    ['big_u2', Uint16Array, unsigned],
    ['little_i2', Int16Array, signed],
    ['big_i2', Int16Array, signed],
    ['little_u4', Uint32Array, unsigned],
    ['big_u4', Uint32Array, unsigned],
    ['little_i4', Int32Array, signed],
    ['big_i4', Int32Array, signed],
    ['little_u8', Float64Array, unsigned],
    ['little_i8', Float64Array, signed],
    ['big_i8', Float64Array, signed],
    ['little_f4', Float32Array, float],
    ['big_f4', Float32Array, float],
    ['little_f8', Float64Array, float],
    ['big_f8', Float64Array, float],
    ['version2', Float32Array, base],
    ['version3', Float32Array, base],
  ])('reads %s as numpy wrote it', (name, kind, expected) => {
    const array = readNpy(fixture(`numpy/${name}.npy`));
    expect(array).toEqual({ shape: [2, 3], data: kind.from(expected) });
  });

  it('puts Fortran order into row-major order', () => {
    const array = readNpy(fixture('numpy/fortran.npy'));
    expect(array).toEqual({ shape: [2, 3, 4], data: Int32Array.from({ length: 24 }, (_, i) => i) });
  });

  it('reads scalars, vectors and empty arrays', () => {
    expect(readNpy(fixture('numpy/scalar.npy'))).toEqual({ shape: [], data: Float64Array.of(2.5) });
    expect(readNpy(fixture('numpy/vector.npy'))).toEqual({ shape: [3], data: Float32Array.of(0, 1, 2) });
    expect(readNpy(fixture('numpy/empty.npy'))).toEqual({ shape: [0, 3], data: new Float32Array(0) });
  });

  it('reads halves as float32', () => {
    expect(readNpy(fixture('numpy/half.npy'))).toEqual({ shape: [2, 3], data: Float32Array.from(base) });
  });

  it('reads unicode text as code points, which decodeText makes strings', () => {
    const text = readNpy(fixture('numpy/unicode.npy'));
    expect(text).toEqual({ shape: [1, 2], data: Uint32Array.of(97, 98) });
    expect(decodeText(text)).toEqual(['ab']);
    expect(decodeText({ shape: [1, 3], data: Uint32Array.of(0x1f600, 2 ** 31, 0) })).toEqual(['😀\ufffd']);
  });

  /** An array file with this header and these values. */
  const withHeader = (header: string, ...values: number[]) => {
    const text = new TextEncoder().encode(
      `NUMPY\x01\x00${String.fromCharCode(header.length + 1)}\x00${header}\n`,
    );
    return Uint8Array.of(0x93, ...text, ...values);
  };

  /** The same of version 2, whose headers may be longer. */
  const long = (header: string) => {
    const start = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 2, 0, 0, 0, 0, 0);
    new DataView(start.buffer).setUint32(8, header.length, true);
    return Buffer.concat([start, Buffer.from(header), Uint8Array.of(1)]);
  };

  it('puts text in Fortran order into row-major order', () => {
    const columns = [...'a1b1c1a2b2c2'].map((character) => character.charCodeAt(0));
    const text = readNpy(withHeader("{'descr': '|S2', 'fortran_order': True, 'shape': (3, 2)}", ...columns));
    expect(text.shape).toEqual([3, 2, 2]);
    expect(decodeText({ shape: [6, 2], data: text.data })).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  });

  it('reads bfloat16, which numpy writes as V2', () => {
    const header = "{'descr': '<V2', 'fortran_order': False, 'shape': (2,)}";
    expect(readNpy(withHeader(header, 0xc0, 0x3f, 0x20, 0xc0))).toEqual({
      shape: [2],
      data: Float32Array.of(1.5, -2.5),
    });
  });

  it.each([
    ['more axes than numpy has', `(${'1,'.repeat(65)})`, /at most 64 axes/],
    ['a header of 70,000 bytes', `(1,)${' '.repeat(70_000)}`, /a header of at most 65536 bytes/],
    ['axes without end', `(${'9'.repeat(400)},)`, /at most 64 axes of whole lengths/],
  ])('refuses %s', (_, shape, message) => {
    const header = `{'descr': '|u1', 'fortran_order': True, 'shape': ${shape}}`;
    expect(() => readNpy(long(header))).toThrow(FormatError);
    expect(() => readNpy(long(header))).toThrow(message);
  });

  it.each([
    ['double quotes', '{"descr": "|u1", "fortran_order": False, "shape": (2,)}'],
    ["Python 2's integers", "{'descr': '|u1', 'fortran_order': False, 'shape': (2L,)}"],
  ])('reads a header with %s', (_, header) => {
    expect(readNpy(withHeader(header, 5, 6))).toEqual({ shape: [2], data: Uint8Array.of(5, 6) });
  });

  it('reads fixed-width text as bytes, which decodeText makes strings', () => {
    const text = readNpy(fixture('numpy/text.npy'));
    expect(text.shape).toEqual([3, 2]);
    expect(decodeText(text)).toEqual(['ab', 'c', 'é']);
  });

  it('reads an ArrayBuffer, and bytes that begin inside a buffer', () => {
    const bytes = fixture('numpy/little_f4.npy');
    const within = new Uint8Array(bytes.length + 3);
    within.set(bytes, 3);
    expect(readNpy(within.subarray(3)).data).toEqual(Float32Array.from(float));
    expect(readNpy(Uint8Array.from(bytes).buffer).data).toEqual(Float32Array.from(float));
  });

  const whole = fixture('numpy/little_f4.npy');
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'readNpy: expected a npy file (\\x93NUMPY), got nothing (0 bytes).'],
    ['another format', Uint8Array.from({ length: 40 }, (_, i) => i), 'readNpy: expected a npy file'],
    [
      'another version',
      Uint8Array.from(whole, (byte, i) => (i === 6 ? 9 : byte)),
      'npy version 1, 2 or 3, got 9',
    ],
    ['a cut header', whole.subarray(0, 60), 'The file is truncated.'],
    ['cut values', whole.subarray(0, -1), 'expected 24 bytes of values, got 23. The file is truncated.'],
    ['trailing bytes', Uint8Array.of(...whole, 0), 'The file has trailing bytes.'],
    ['a pickle', fixture('numpy/object.npy'), 'Object arrays are pickles'],
    ['a structured array', fixture('numpy/structured.npy'), 'shape of a plain array'],
    ['complex numbers', fixture('numpy/complex.npy'), 'got c8'],
    ['integers beyond 2^53', fixture('numpy/beyond.npy'), '64-bit integers within +-2^53'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(FormatError);
    expect(() => readNpy(bytes)).toThrow(message);
  });
});

describe('writeNpy', () => {
  it('writes the very bytes that numpy writes', () => {
    const array = { shape: [2, 3], data: Float32Array.from(float) };
    expect(writeNpy(array)).toEqual(Uint8Array.from(fixture('numpy/little_f4.npy')));
    expect(writeNpy({ shape: [3], data: Float32Array.of(0, 1, 2) })).toEqual(
      Uint8Array.from(fixture('numpy/vector.npy')),
    );
    expect(writeNpy({ shape: [], data: Float64Array.of(2.5) })).toEqual(
      Uint8Array.from(fixture('numpy/scalar.npy')),
    );
  });

  it('refuses a shape that does not fit the data', () => {
    expect(() => writeNpy({ shape: [2, 2], data: new Float32Array(3) })).toThrow(
      'writeNpy: expected 4 values for shape [2, 2], got 3.',
    );
  });
});

describe('readNpz and writeNpz', () => {
  const expected = {
    a: { shape: [2, 3], data: Float32Array.from(base) },
    b: { shape: [2], data: Uint8Array.of(1, 2) },
  };

  it('reads stored and deflated archives of numpy, and its own', () => {
    expect(readNpz(fixture('numpy/stored.npz'))).toEqual(expected);
    expect(readNpz(fixture('numpy/deflated.npz'))).toEqual(expected);
    expect(readNpz(writeNpz(expected))).toEqual(expected);
    expect(readNpz(writeNpz({}))).toEqual({});
  });

  it('writes equal bytes for equal arrays', () => {
    expect(writeNpz(expected)).toEqual(writeNpz(expected));
  });

  it('reads the digits: 1,797 images, levels 0..16, about as many of each class', () => {
    const { images, label } = readNpz(fixture('../../examples/data/digits_8x8.npz'));
    expect(images.shape).toEqual([1797, 8, 8]);
    expect([...new Set(images.data)].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => i));
    const counts = Array.from({ length: 10 }, (_, c) => label.data.filter((y: number) => y === c).length);
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });

  const stored = fixture('numpy/stored.npz');
  const deflated = fixture('numpy/deflated.npz');
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['another format', fixture('numpy/u1.npy')],
    ['a truncated archive', stored.subarray(0, -30)],
    ['a cut beginning', stored.subarray(40)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readNpz(bytes)).toThrow(FormatError);
  });

  it.each<[string, Uint8Array, string, RegExp]>([
    [
      'a flipped bit in stored values',
      flipBit(stored, 190),
      'a',
      /^readNpz\('a\.npy'\): expected a whole entry/,
    ],
    [
      'a flipped bit in deflated values',
      flipBit(deflated, 90),
      'a',
      /^readNpz\('a\.npy'\): expected a whole entry/,
    ],
    [
      'a pickle',
      zipSync({ 'o.npy': Uint8Array.from(fixture('numpy/object.npy')) }),
      'o',
      /Object arrays are pickles/,
    ],
  ])('refuses %s when it is asked for', (_, bytes, name, message) => {
    const arrays = readNpz(bytes);
    expect(() => arrays[name]).toThrow(FormatError);
    expect(() => arrays[name]).toThrow(message);
  });

  it('reads what is whole beside what is not, and leaves other files out', () => {
    const bytes = zipSync({
      'images.npy': writeNpy({ shape: [1, 2], data: Uint8Array.of(3, 4) }),
      'metadata.npy': Uint8Array.from(fixture('numpy/object.npy')),
      'README.txt': new TextEncoder().encode('hello'),
      '__MACOSX/._images.npy': Uint8Array.of(0, 5, 22, 7),
      'data/': new Uint8Array(0),
    });
    const arrays = readNpz(bytes);
    expect(Object.keys(arrays)).toEqual(['images', 'metadata']);
    expect(arrays.images).toEqual({ shape: [1, 2], data: Uint8Array.of(3, 4) });
    expect(arrays.images).toBe(arrays.images);
    arrays.metadata = { shape: [1], data: Uint8Array.of(1) };
    expect(arrays.metadata.shape).toEqual([1]);
  });

  it('refuses a file that is made to fill memory before it is unpacked', () => {
    const bytes = zipSync({ 'zeros.npy': new Uint8Array(100_000) }, { level: 9 });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Both headers say 3 GB.
    for (let at = 0; at + 4 < bytes.length; at++) {
      if (view.getUint32(at, true) === 0x04034b50) view.setUint32(at + 22, 3e9, true);
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 3e9, true);
    }
    expect(() => readNpz(bytes).zeros).toThrow(
      /at most 134217728 bytes once unpacked from \d+, got 3000000000 or more/,
    );
  });
});
