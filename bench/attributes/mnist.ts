import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix, readIdx, readNpz } from 'tfjs-flows';
import { attributesOf } from './digits';

/** Folder of MNIST's idx files, which do not come with the project. */
export const MNIST_FOLDER = process.env.MNIST ?? '../shared/data/image';

/** Drawings in rows, with attributes measured on every one. */
export interface Drawings {
  /** [n, side^2], grey levels 0 .. 1, ink bright. */
  pixels: Matrix;
  side: number;
  label: Int32Array;
  /** [n, 5] in the order of `ATTRIBUTES`. */
  attributes: Matrix;
}

/** The first `count` images of MNIST's training or test set; undefined where its files are not there. */
export function loadMnist(part: 'train' | 't10k', count: number): Drawings | undefined {
  const read = (kind: string) => readIdx(readFileSync(join(MNIST_FOLDER, `mnist-${part}-${kind}-ubyte.gz`)));
  if (!existsSync(join(MNIST_FOLDER, `mnist-${part}-images-idx3-ubyte.gz`))) return undefined;
  const label = Int32Array.from(read('labels-idx1').data.subarray(0, count), Number);
  return drawings(read('images-idx3').data, label, 28);
}

/** The characters of Omniglot that come with the project: 136, each by 20 hands. */
export function loadOmniglot(): Drawings {
  const file = new URL('../../examples/data/omniglot_background_small1_28x28.npz', import.meta.url);
  const { images, character } = readNpz(readFileSync(file));
  return drawings(images.data, Int32Array.from(character.data, Number), 28);
}

function drawings(levels: ArrayLike<number | bigint>, label: Int32Array, side: number): Drawings {
  const size = side * side;
  const data = Float64Array.from({ length: label.length * size }, (_, i) => Number(levels[i]) / 255);
  const pixels = new Matrix(data, label.length, size);
  const rows = Array.from({ length: pixels.rows }, (_, i) => attributesOf(pixels.row(i), side));
  return { pixels, side, label, attributes: Matrix.fromRows(rows) };
}
