import { readFileSync } from 'node:fs';
import { readIdx, reduceBits } from 'tfjs-flows';
import { garments } from '../../demo/data';
import { type LabelledPictures, picture } from './dataset';

const N_BITS = 5;
const SIZE = 28;

/** Fashion-MNIST: garments as subclasses; how bright, wide and tall a picture is as attributes. */
export function loadGarments(): LabelledPictures {
  const read = (kind: string) =>
    readIdx(readFileSync(new URL(`../../data/fashion-mnist-2000-${kind}-ubyte.gz`, import.meta.url)));
  const levels = reduceBits(read('images-idx3').data as Uint8Array, 8, N_BITS);
  const subclass = Int32Array.from(read('labels-idx1').data);
  const image = (row: number) => picture({ levels, size: SIZE }, row);
  return {
    title: 'Garments',
    source: 'Fashion-MNIST (Zalando SE, MIT licence)',
    levels,
    size: SIZE,
    count: subclass.length,
    nBits: N_BITS,
    subclasses: garments,
    subclass,
    novel: [garments.indexOf('coat')],
    attributes: [
      { name: 'brightness', mode: 'slope', value: (row) => brightness(image(row)) },
      { name: 'width', mode: 'slope', value: (row) => spread(image(row), (i) => i % SIZE) },
      { name: 'height', mode: 'slope', value: (row) => spread(image(row), (i) => Math.floor(i / SIZE)) },
    ],
    shippedPerSubclass: 30,
  };
}

function brightness(image: Uint8Array): number {
  const lit = image.filter((level) => level > 0);
  return lit.reduce((sum, level) => sum + level, 0) / Math.max(1, lit.length);
}

/** Standard deviation of a coordinate over the pixels that are not black. */
function spread(image: Uint8Array, coordinate: (index: number) => number): number {
  const places = Array.from(image.keys())
    .filter((i) => image[i] > 0)
    .map(coordinate);
  const mean = places.reduce((sum, place) => sum + place, 0) / Math.max(1, places.length);
  return Math.sqrt(places.reduce((sum, place) => sum + (place - mean) ** 2, 0) / Math.max(1, places.length));
}
