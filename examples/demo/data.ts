import { readFileSync } from 'node:fs';
import { gatherRows, type NdArray, RandomStream, readIdx, reduceBits, shuffleSplit } from 'tfjs-flows';

/** Names of the ten classes of Fashion-MNIST. */
export const garments = [
  'T-shirt',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
];

/** Images as whole levels [n, 28, 28, 1], and their classes. */
export interface LabelledImages {
  images: NdArray<Float32Array>;
  labels: Int32Array;
}

const HELD_OUT = 200;

/** The Fashion-MNIST subset that ships with the examples, split by a fixed permutation. */
export function loadGarments(nBits: number): { training: LabelledImages; held: LabelledImages } {
  const read = (kind: string) =>
    readIdx(readFileSync(new URL(`../data/fashion-mnist-2000-${kind}-ubyte.gz`, import.meta.url)));
  const { shape, data } = read('images-idx3');
  const labels = Int32Array.from(read('labels-idx1').data);
  const images = {
    shape: [...shape, 1],
    data: Float32Array.from(reduceBits(data as Uint8Array, 8, nBits)),
  };
  const parts = shuffleSplit(labels.length, [labels.length - HELD_OUT, HELD_OUT], new RandomStream(0));
  const [training, held] = parts.map((rows) => ({
    images: gatherRows(images, rows),
    labels: Int32Array.from(rows, (row) => labels[row]),
  }));
  return { training, held };
}
