import { addParts } from './channels';
import { parallel, taskArguments } from './parallel';
import { ceilDivide, least, loadPart, storePart, sumLanes, zero } from './vector';

/** output[outer, inner] = factor * sum over the middle of input[outer, length, inner]. */
@unmanaged
class Reduction {
  input: usize;
  outer: i32;
  length: i32;
  inner: i32;
  /** Outer indices per chunk; 1 where the middle is cut. */
  outerBlock: i32;
  /** Middle indices per chunk. */
  block: i32;
  /** Room for [outer, blocks, inner]; the output itself where the middle is not cut. */
  parts: usize;
  output: usize;
  factor: f32;
}

/** Sums or averages, cut so that the result does not depend on the threads. */
export function reduce(): void {
  const r = taskArguments<Reduction>();
  const blocks = ceilDivide(r.length, r.block);
  parallel<ReduceChunk>(ceilDivide(r.outer, r.outerBlock) * blocks);
  const inner = r.inner;
  for (let i = 0; i < r.outer; i++) {
    const part = r.parts + (<usize>(i * blocks * inner) << 2);
    const to = r.output + (<usize>(i * inner) << 2);
    if (blocks > 1) addParts(part, blocks, inner);
    if (part != to || r.factor != 1) {
      for (let j = 0; j < inner; j++) {
        store<f32>(to + (j << 2), load<f32>(part + (j << 2)) * r.factor);
      }
    }
  }
}

export class ReduceChunk {
  run(chunk: i32): void {
    const r = taskArguments<Reduction>();
    const blocks = ceilDivide(r.length, r.block);
    const first = (chunk / blocks) * r.outerBlock;
    const start = (chunk % blocks) * r.block;
    const count = least(r.block, r.length - start);
    const end = least(first + r.outerBlock, r.outer);
    for (let i = first; i < end; i++) {
      const from = r.input + (<usize>((i * r.length + start) * r.inner) << 2);
      const to = r.parts + (<usize>((i * blocks + chunk % blocks) * r.inner) << 2);
      if (r.inner == 1) store<f32>(to, sumRun(from, count));
      else sumColumns(from, count, r.inner, to);
    }
  }
}

/** Sum of `count` consecutive floats, with four running vectors. */
export function sumRun(from: usize, count: i32): f32 {
  let a = zero();
  let b = a;
  let c = a;
  let d = a;
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    a = f32x4.add(a, v128.load(from));
    b = f32x4.add(b, v128.load(from, 16));
    c = f32x4.add(c, v128.load(from, 32));
    d = f32x4.add(d, v128.load(from, 48));
    from += 64;
  }
  for (; i < count; i += 4) {
    a = f32x4.add(a, loadPart(from, count - i));
    from += 16;
  }
  return sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

function sumColumns(from: usize, rows: i32, columns: i32, to: usize): void {
  const lineBytes: usize = columns << 2;
  for (let j = 0; j < columns; j += 4) {
    const left = columns - j;
    let at = from + (j << 2);
    let sum = zero();
    for (let row = 0; row < rows; row++) {
      sum = f32x4.add(sum, loadPart(at, left));
      at += lineBytes;
    }
    storePart(to + (j << 2), sum, left);
  }
}

/** Adds row i of values [rows, columns] to row ids[i] of output; ids outside 0 .. segments - 1 are dropped. */
export function segmentSum(values: usize, ids: usize, rows: i32, columns: i32, segments: i32, output: usize): void {
  const lineBytes: usize = columns << 2;
  for (let row = 0; row < rows; row++) {
    const id = load<i32>(ids + (row << 2));
    if (<u32>id < <u32>segments) {
      const to = output + <usize>id * lineBytes;
      for (let j = 0; j < columns; j += 4) {
        const at = <usize>(j << 2);
        const left = columns - j;
        storePart(to + at, f32x4.add(loadPart(to + at, left), loadPart(values + at, left)), left);
      }
    }
    values += lineBytes;
  }
}
