import { deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { ConfigError, decodePng, encodePng, FormatError, imageGrid } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/core/checksum';
import { flipBit } from '../support/fixture';

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function chunk(type: string, content: ArrayLike<number>): number[] {
  const body = [...new TextEncoder().encode(type), ...Array.from(content)];
  return [...bigEndian(content.length), ...body, ...bigEndian(crc32(Uint8Array.from(body)))];
}

/** A PNG put together by hand: `rows` are the packed bytes of each row. */
function png(
  width: number,
  depth: number,
  colorType: number,
  rows: number[][],
  between: number[] = [],
): Uint8Array {
  const header = [...bigEndian(width), ...bigEndian(rows.length), depth, colorType, 0, 0, 0];
  const lines = Uint8Array.from(rows.flatMap((row) => [0, ...row]));
  return Uint8Array.of(
    ...[137, 80, 78, 71, 13, 10, 26, 10],
    ...chunk('IHDR', header),
    ...between,
    ...chunk('IDAT', deflateSync(lines)),
    ...chunk('IEND', []),
  );
}

describe('encodePng', () => {
  it.each([1, 2, 3, 4])('writes %d channels as another decoder reads them', (channels) => {
    const [width, height] = [5, 3];
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) % 256);
    const file = encodePng({ width, height, channels, data });
    const read = PNG.sync.read(Buffer.from(file));
    const expected = Array.from({ length: width * height }, (_, pixel) => {
      const levels = [...data.subarray(pixel * channels, (pixel + 1) * channels)];
      const alpha = channels % 2 === 0 ? levels.pop()! : 255;
      return levels.length === 1 ? [levels[0], levels[0], levels[0], alpha] : [...levels, alpha];
    });
    expect([read.width, read.height]).toEqual([width, height]);
    expect([...read.data]).toEqual(expected.flat());
    expect(decodePng(file)).toEqual({ width, height, channels, data });
  });

  it('refuses data that does not fit the sizes', () => {
    const raster = { width: 2, height: 2, channels: 3, data: new Uint8Array(11) };
    expect(() => encodePng(raster)).toThrow(ConfigError);
    expect(() => encodePng(raster)).toThrow('11 values for 2 x 2 x 3');
  });
});

describe('decodePng', () => {
  it.each<[string, Uint8Array, number, number[]]>([
    ['1-bit greys', png(3, 1, 0, [[0b10100000], [0b01000000]]), 1, [255, 0, 255, 0, 255, 0]],
    ['2-bit greys', png(3, 2, 0, [[0b00011000]]), 1, [0, 85, 170]],
    ['4-bit greys', png(3, 4, 0, [[0x0f, 0x30]]), 1, [0, 255, 51]],
    ['16-bit greys', png(2, 16, 0, [[0x12, 0xff, 0xfe, 0x00]]), 1, [0x12, 0xfe]],
    ['a palette', png(2, 8, 3, [[1, 0]], chunk('PLTE', [1, 2, 3, 4, 5, 6])), 3, [4, 5, 6, 1, 2, 3]],
    [
      'a 2-bit palette with transparency',
      png(2, 2, 3, [[0b01000000]], [...chunk('PLTE', [1, 2, 3, 4, 5, 6]), ...chunk('tRNS', [9])]),
      4,
      [4, 5, 6, 255, 1, 2, 3, 9],
    ],
  ])('reads %s', (_, file, channels, expected) => {
    const raster = decodePng(file);
    expect(raster.channels).toBe(channels);
    expect([...raster.data]).toEqual(expected);
  });

  it('reads 37 megapixels, as cameras take them', () => {
    const [width, height] = [7000, 5300];
    const line = Buffer.alloc(1 + 3 * width, 200);
    line[0] = 0;
    const body = deflateSync(Buffer.alloc(height * line.length, line), { level: 1 });
    const size = Buffer.from([...bigEndian(width), ...bigEndian(height), 8, 2, 0, 0, 0]);
    const parts = (
      [
        ['IHDR', size],
        ['IDAT', body],
        ['IEND', Buffer.alloc(0)],
      ] as const
    ).map(([type, content]) => {
      const named = Buffer.concat([Buffer.from(type), content]);
      return Buffer.concat([
        Buffer.from(bigEndian(content.length)),
        named,
        Buffer.from(bigEndian(crc32(named))),
      ]);
    });
    const raster = decodePng(Buffer.concat([Buffer.of(137, 80, 78, 71, 13, 10, 26, 10), ...parts]));
    expect(raster).toMatchObject({ width, height, channels: 3 });
    expect(raster.data).toBeInstanceOf(Uint8Array);
    expect(raster.data.length).toBe(3 * width * height);
    expect([raster.data[0], raster.data.at(-1)]).toEqual([200, 200]);
  });

  it('refuses a small file of very many pixels before it takes memory', () => {
    const file = encodePng({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) });
    file.set([...bigEndian(40_000), ...bigEndian(40_000)], 16);
    expect(() => decodePng(file)).toThrow(FormatError);
    expect(() => decodePng(file)).toThrow(/got 40000 x 40000 pixels, 4800000000 bytes/);
  });

  it('reads what another encoder filters and packs', () => {
    const other = new PNG({ width: 16, height: 8, colorType: 2, inputColorType: 6 });
    for (let i = 0; i < other.data.length; i++) other.data[i] = i % 4 === 3 ? 255 : (i * i) % 256;
    const raster = decodePng(PNG.sync.write(other, { colorType: 2, filterType: -1 }));
    expect(raster.channels).toBe(3);
    expect([...raster.data]).toEqual([...other.data].filter((_, i) => i % 4 !== 3));
  });

  const data = Uint8Array.from({ length: 64 }, (_, i) => (i * i) % 251);
  const whole = encodePng({ width: 8, height: 8, channels: 1, data });
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['another format', Uint8Array.from({ length: 64 }, (_, i) => i)],
    ['a cut file', whole.subarray(0, 60)],
    ['a file without its end', whole.subarray(0, -12)],
    ['a flipped bit in the header', flipBit(whole, 18)],
    ['a flipped bit in the pixels', flipBit(whole, 60)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodePng(bytes)).toThrow(FormatError);
  });
});

describe('imageGrid', () => {
  it('lays images out row by row, with padding, and leaves the rest as background', () => {
    const images = { shape: [3, 1, 2, 1], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const grid = imageGrid(images, { columns: 2, background: 9 });
    expect([grid.width, grid.height, grid.channels]).toEqual([7, 5, 1]);
    expect([...grid.data]).toEqual(
      [
        [9, 9, 9, 9, 9, 9, 9],
        [9, 1, 2, 9, 3, 4, 9],
        [9, 9, 9, 9, 9, 9, 9],
        [9, 5, 6, 9, 9, 9, 9],
        [9, 9, 9, 9, 9, 9, 9],
      ].flat(),
    );
  });

  it('spreads the levels of fewer bits, clips what is outside, and enlarges', () => {
    const images = { shape: [1, 1, 2, 3], data: Float32Array.of(0, 31, -4, 99, 15.5, 1) };
    const grid = imageGrid(images, { nBits: 5, padding: 0, scale: 2 });
    const row = [0, 255, 0, 0, 255, 0, 255, 128, 8, 255, 128, 8];
    expect(grid).toEqual({ width: 4, height: 2, channels: 3, data: Uint8Array.of(...row, ...row) });
  });

  it.each<[string, number[], number[], string]>([
    ['another rank', [2, 2], [0, 0, 0, 0], 'images [n, h, w, c] with c 1, 3 or 4, got [2, 2]'],
    ['five channels', [1, 1, 1, 5], [0, 0, 0, 0, 0], 'got [1, 1, 1, 5]'],
    ['no image', [0, 2, 2, 1], [], 'got [0, 2, 2, 1]'],
    ['missing values', [1, 2, 2, 1], [1], 'expected 4 values for shape [1, 2, 2, 1], got 1'],
    ['NaN', [1, 1, 1, 1], [Number.NaN], 'expected levels, got NaN'],
    ['a missing value', [1, 1, 1, 1], [null] as never, 'a missing value (null) at index 0'],
    ['text', [1, 1, 1, 1], ['7'] as never, "the text '7' at index 0"],
  ])('refuses %s', (_, shape, values, message) => {
    expect(() => imageGrid({ shape, data: values })).toThrow(message);
  });

  it.each<[object, string]>([
    [{ background: Number.NaN }, 'background to be an integer >= 0, got NaN'],
    [{ background: -1 }, 'background to be an integer >= 0, got -1'],
    [{ cols: 2 }, "options among columns, nBits, padding, background, scale, got 'cols'"],
    [{ n_bits: 5 }, "Did you mean 'nBits'?"],
  ])('refuses the options %j', (options, message) => {
    const images = { shape: [1, 1, 1, 1], data: [0] };
    expect(() => imageGrid(images, options)).toThrow(ConfigError);
    expect(() => imageGrid(images, options)).toThrow(message);
  });
});
