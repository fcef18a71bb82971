import { convertChannels, RandomStream, type Raster, resizeRaster } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

/** The formula of `resizeRaster`, term by term, without rounding. */
function byFormula(picture: Raster, width: number, height: number): number[] {
  const weights = (from: number, to: number, i: number) => {
    const scale = from / to;
    const row = Array.from({ length: from }, (_, j) =>
      Math.max(0, 1 - Math.abs(j + 0.5 - (i + 0.5) * scale) / Math.max(scale, 1)),
    );
    const total = row.reduce((sum, weight) => sum + weight, 0);
    return row.map((weight) => weight / total);
  };
  const levels: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < picture.channels; c++) {
        let level = 0;
        weights(picture.height, height, y).forEach((down, row) => {
          weights(picture.width, width, x).forEach((across, column) => {
            const at = (row * picture.width + column) * picture.channels + c;
            level += down * across * picture.data[at];
          });
        });
        levels.push(level);
      }
    }
  }
  return levels;
}

describe('pictures at another size', () => {
  it.each([
    [9, 7, 4, 5],
    [9, 7, 12, 3],
    [5, 11, 5, 20],
    [1, 6, 3, 1],
  ])('%d x %d to %d x %d: the formula, rounded once', (fromWidth, fromHeight, width, height) => {
    const random = new RandomStream(fromWidth + width);
    const data = Uint8Array.from({ length: fromWidth * fromHeight * 3 }, () => random.integer(256));
    const picture = { width: fromWidth, height: fromHeight, channels: 3, data };
    const resized = resizeRaster(picture, width, height);
    expect(resized).toMatchObject({ width, height, channels: 3 });
    const expected = byFormula(picture, width, height);
    expect(resized.data).toHaveLength(expected.length);
    // Half a level, and what float32 adds to it.
    resized.data.forEach((level, i) => {
      expect(Math.abs(level - expected[i])).toBeLessThan(0.5001);
    });
  });
});

describe('channels', () => {
  it.each([
    [1, 3, [9, 200], [9, 9, 9, 200, 200, 200]],
    [2, 1, [9, 128, 200, 255], [9, 200]],
    [2, 3, [9, 128, 200, 255], [9, 9, 9, 200, 200, 200]],
    [3, 1, [255, 0, 0, 10, 20, 30], [76, 18]],
    [4, 1, [0, 255, 0, 7, 0, 0, 255, 7], [150, 29]],
    [4, 3, [1, 2, 3, 7, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6]],
  ])('%d become %d', (from, to, levels, expected) => {
    const picture = { width: 2, height: 1, channels: from, data: Uint8Array.from(levels) };
    expect([...convertChannels(picture, to).data]).toEqual(expected);
  });
});
