import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';

/** One picture in so many is held out of training. */
const HELD_OUT = 3;

/** An attribute that a direction is learned for. */
export interface Attribute {
  name: string;
  /** 'binary': with against without. 'slope': a real value, moved by its standard deviation within subclasses. */
  mode: 'binary' | 'slope';
  /** Its value for an image; undefined for images that say nothing about it. */
  value(row: number): number | undefined;
}

/** Images of several subclasses, and what is known of them. */
export interface LabelledPictures {
  title: string;
  source: string;
  /** Levels of `nBits`, [n, h, w], row by row. */
  levels: Uint8Array;
  size: number;
  count: number;
  nBits: number;
  subclasses: string[];
  subclass: Int32Array;
  /** Subclasses kept from the flow and from the prior: five samples of one of them are all that the page has. */
  novel: number[];
  attributes: Attribute[];
  /** Pictures of each subclass that ship with the page. */
  shippedPerSubclass: number;
}

/** One image of a data set. */
export function picture(
  { levels, size }: Pick<LabelledPictures, 'levels' | 'size'>,
  row: number,
): Uint8Array {
  return levels.subarray(row * size * size, (row + 1) * size * size);
}

/** Images of some rows, [n, h, w, 1]. */
export function tensorOf(data: LabelledPictures, rows: Int32Array): tf.Tensor {
  const values = new Float32Array(rows.length * data.size ** 2);
  rows.forEach((row, i) => {
    values.set(picture(data, row), i * data.size ** 2);
  });
  return tf.tensor(values, [rows.length, data.size, data.size, 1]);
}

/** Rows of the subclasses that the flow may see, every third of a subclass held out. */
export function split({ subclass, novel, count }: LabelledPictures): {
  training: Int32Array;
  held: Int32Array;
} {
  const seen = new Map<number, number>();
  const training: number[] = [];
  const held: number[] = [];
  for (const row of new RandomStream(0).permutation(count)) {
    if (novel.includes(subclass[row])) continue;
    const place = seen.get(subclass[row]) ?? 0;
    seen.set(subclass[row], place + 1);
    (place % HELD_OUT === 0 ? held : training).push(row);
  }
  return { training: Int32Array.from(training), held: Int32Array.from(held) };
}
