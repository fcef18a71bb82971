import type { Matrix, RandomStream } from 'tfjs-flows';
import { rowsOf } from './digits';

/** Digits parted into those a prior is fitted on and those met later. */
export interface DigitSplit {
  base: Int32Array;
  novel: Int32Array;
}

export function randomSplit(random: RandomStream): DigitSplit {
  const order = random.permutation(10);
  return { base: order.slice(0, 5), novel: order.slice(5) };
}

/** Rows whose label is one of the given ones. */
export function rowsWith(label: Int32Array, wanted: Int32Array): Int32Array {
  return Int32Array.from(label.keys()).filter((i) => wanted.includes(label[i]));
}

/** n samples of one digit, and all others of it. */
export function drawFew(
  z: Matrix,
  label: Int32Array,
  digit: number,
  n: number,
  random: RandomStream,
): { few: Matrix; rest: Matrix } {
  const own = rowsWith(label, Int32Array.of(digit));
  const shuffled = random.permutation(own.length).map((k) => own[k]);
  return { few: rowsOf(z, shuffled.subarray(0, n)), rest: rowsOf(z, shuffled.subarray(n)) };
}

export function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
