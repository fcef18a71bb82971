import { exp } from './exponential';
import { parallel, taskArguments } from './parallel';
import { ceilDivide, least, loadPart, multiplyAdd, storePart, zero } from './vector';

/** A pass over a matrix [rows, columns] with something per column. */
@unmanaged
class ChannelPass {
  input: usize;
  rows: i32;
  columns: i32;
  blockRows: i32;
  /** Factor per column. */
  scale: usize;
  /** Summand per column. */
  shift: usize;
  output: usize;
  /** [rows, columns], what the second sum is weighted by. */
  weights: usize;
  /** Room for [chunks, 2, columns]; the sums end up in the first [2, columns]. */
  sums: usize;
}

/** output = input * scale + shift. */
export function scaleChannels(): void {
  const pass = taskArguments<ChannelPass>();
  parallel<ScaleChannelsChunk>(ceilDivide(pass.rows, pass.blockRows));
}

/** output = input * scale, and per column the sums of input and of input * weights. */
export function scaleAndSum(): void {
  const pass = taskArguments<ChannelPass>();
  const chunks = ceilDivide(pass.rows, pass.blockRows);
  parallel<ScaleAndSumChunk>(chunks);
  addParts(pass.sums, chunks, pass.columns * 2);
}

/** Adds the parts [parts, count] into the first, in order. */
export function addParts(at: usize, parts: i32, count: i32): void {
  for (let part = 1; part < parts; part++) {
    const from = at + (<usize>(part * count) << 2);
    for (let j = 0; j < count; j += 4) {
      const left = count - j;
      const sum = f32x4.add(v128.load(at + (j << 2)), v128.load(from + (j << 2)));
      if (left >= 4) v128.store(at + (j << 2), sum);
      else storePart(at + (j << 2), sum, left);
    }
  }
}

/** to = exp(from), or ones where `from` is 0. */
export function exponentials(from: usize, to: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = <usize>(j << 2);
    const left = count - j;
    storePart(to + at, from == 0 ? f32x4.splat(1) : exp(loadPart(from + at, left)), left);
  }
}

/** to[rows, columns] = from * factors, a factor per column. */
export function scaleLines(from: usize, factors: usize, to: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < columns; j += 4) {
      const at = <usize>(j << 2);
      const left = columns - j;
      storePart(to + at, f32x4.mul(loadPart(from + at, left), loadPart(factors + at, left)), left);
    }
    from += columns << 2;
    to += columns << 2;
  }
}

export class ScaleChannelsChunk {
  run(chunk: i32): void {
    const pass = taskArguments<ChannelPass>();
    const first = chunk * pass.blockRows;
    const rows = least(pass.blockRows, pass.rows - first);
    const columns = pass.columns;
    let at = <usize>(first * columns) << 2;
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < columns; j += 4) {
        const left = columns - j;
        let value = loadPart(pass.input + at + (j << 2), left);
        value = f32x4.add(
          f32x4.mul(value, loadPart(pass.scale + (j << 2), left)),
          loadPart(pass.shift + (j << 2), left),
        );
        storePart(pass.output + at + (j << 2), value, left);
      }
      at += <usize>(columns << 2);
    }
  }
}

export class ScaleAndSumChunk {
  run(chunk: i32): void {
    const pass = taskArguments<ChannelPass>();
    const first = chunk * pass.blockRows;
    const rows = least(pass.blockRows, pass.rows - first);
    const columns = pass.columns;
    const lineBytes: usize = columns << 2;
    const start = (<usize>(first * columns) << 2);
    const sums = pass.sums + <usize>(chunk * 2) * lineBytes;
    for (let j = 0; j < columns; j += 4) {
      const left = columns - j;
      const scale = loadPart(pass.scale + (j << 2), left);
      let at = start + (j << 2);
      let sum = zero();
      let weighted = zero();
      for (let row = 0; row < rows; row++) {
        const value = loadPart(pass.input + at, left);
        sum = f32x4.add(sum, value);
        weighted = multiplyAdd(value, loadPart(pass.weights + at, left), weighted);
        storePart(pass.output + at, f32x4.mul(value, scale), left);
        at += lineBytes;
      }
      storePart(sums + (j << 2), sum, left);
      storePart(sums + lineBytes + (j << 2), weighted, left);
    }
  }
}
