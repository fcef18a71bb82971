import { readFileSync } from 'node:fs';
import { Matrix, type RandomStream, readNpz } from 'tfjs-flows';

/** The 8 x 8 digits as rows, with attributes measured on every image. */
export interface Digits {
  /** [1797, 64], grey levels 0 .. 1. */
  pixels: Matrix;
  label: Int32Array;
  /** [1797, 5] in the order of `ATTRIBUTES`. */
  attributes: Matrix;
}

export const ATTRIBUTES = ['slant', 'size', 'aspect', 'thickness', 'ink'] as const;

const SIDE = 8;

export function loadDigits(): Digits {
  const file = new URL('../../examples/data/digits_8x8.npz', import.meta.url);
  const { images, label } = readNpz(readFileSync(file));
  const pixels = new Matrix(
    Float64Array.from(images.data, (level) => Number(level) / 16),
    images.shape[0],
    SIDE * SIDE,
  );
  const rows = Array.from({ length: pixels.rows }, (_, i) => attributesOf(pixels.row(i)));
  return { pixels, label: Int32Array.from(label.data, Number), attributes: Matrix.fromRows(rows) };
}

/** The given rows, copied. */
export function rowsOf(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  return Matrix.fromRows(Array.from(rows, (row) => matrix.row(row)));
}

/** Halves of every class at random: rows of the first, rows of the second. */
export function splitHalves(label: Int32Array, random: RandomStream): [Int32Array, Int32Array] {
  const halves: [number[], number[]] = [[], []];
  for (let digit = 0; digit < 10; digit++) {
    const rows = Int32Array.from(label.keys()).filter((i) => label[i] === digit);
    random.permutation(rows.length).forEach((at, k) => {
      halves[k % 2].push(rows[at]);
    });
  }
  return [Int32Array.from(halves[0]), Int32Array.from(halves[1])];
}

/** Slant (radians), size and aspect from grey-level moments, thickness and ink. */
export function attributesOf(image: Float64Array, side = SIDE): number[] {
  let ink = 0;
  let x = 0;
  let y = 0;
  image.forEach((level, i) => {
    ink += level;
    x += level * (i % side);
    y += level * Math.floor(i / side);
  });
  let xx = 0;
  let yy = 0;
  let xy = 0;
  image.forEach((level, i) => {
    const dx = (i % side) - x / ink;
    const dy = Math.floor(i / side) - y / ink;
    xx += (level * dx * dx) / ink;
    yy += (level * dy * dy) / ink;
    xy += (level * dx * dy) / ink;
  });
  return [Math.atan(-xy / yy), Math.sqrt(xx + yy), Math.sqrt(yy / xx), thickness(image, side, ink), ink];
}

/** Ink over total variation: a long bar of width w scores w / 2. */
function thickness(image: Float64Array, side: number, ink: number): number {
  let variation = 0;
  for (let r = 0; r < side; r++) {
    for (let c = 0; c < side; c++) {
      const level = image[r * side + c];
      if (c + 1 < side) variation += Math.abs(image[r * side + c + 1] - level);
      if (r + 1 < side) variation += Math.abs(image[(r + 1) * side + c] - level);
    }
  }
  return ink / variation;
}
