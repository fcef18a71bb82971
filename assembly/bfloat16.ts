import { parallel, taskArguments } from './parallel';
import { ceilDivide, least, loadPart, storePart } from './vector';

/*
 * bfloat16: the upper half of a float32, 8 significant bits and all of its range.
 */

/** Values per chunk of a conversion. */
const CHUNK: i32 = 16384;

/** `count` values from one place to another. */
@unmanaged
class Conversion {
  from: usize;
  to: usize;
  count: i32;
}

export function toBfloat16(): void {
  parallel<ToBfloat16Chunk>(ceilDivide(taskArguments<Conversion>().count, CHUNK));
}

export class ToBfloat16Chunk {
  run(chunk: i32): void {
    const c = taskArguments<Conversion>();
    const first = chunk * CHUNK;
    const from = c.from + (<usize>first << 2);
    const to = c.to + (<usize>first << 1);
    const count = least(CHUNK, c.count - first);
    for (let i = 0; i < count; i += 4) storeBfloat16(to + (i << 1), loadPart(from + (i << 2), count - i), count - i);
  }
}

export function fromBfloat16(): void {
  parallel<FromBfloat16Chunk>(ceilDivide(taskArguments<Conversion>().count, CHUNK));
}

export class FromBfloat16Chunk {
  run(chunk: i32): void {
    const c = taskArguments<Conversion>();
    const first = chunk * CHUNK;
    const from = c.from + (<usize>first << 1);
    const to = c.to + (<usize>first << 2);
    const count = least(CHUNK, c.count - first);
    for (let i = 0; i < count; i += 4) storePart(to + (i << 2), loadBfloat16(from + (i << 1), count - i), count - i);
  }
}

/** Up to four values as floats, the lanes past `count` 0; reads nothing beyond them. */
// @ts-ignore: decorator
@inline
export function loadBfloat16(from: usize, count: i32): v128 {
  let halves: v128;
  if (count >= 4) halves = v128.load64_zero(from);
  else {
    halves = i32x4(load<u16>(from), 0, 0, 0);
    if (count > 1) halves = v128.load16_lane(from, halves, 1, 2);
    if (count > 2) halves = v128.load16_lane(from, halves, 2, 4);
  }
  return i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16);
}

/** Stores up to four floats, rounded to the nearest, to the even one of two; infinity and NaN stay. */
// @ts-ignore: decorator
@inline
function storeBfloat16(to: usize, value: v128, count: i32): void {
  const odd = v128.and(i32x4.shr_u(value, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(value, i32x4.add(odd, i32x4.splat(0x7fff))), 16);
  const shown = v128.bitselect(i32x4.splat(0x7fc0), rounded, f32x4.ne(value, value));
  const halves = i16x8.narrow_i32x4_u(shown, shown);
  if (count >= 4) {
    v128.store64_lane(to, halves, 0);
    return;
  }
  v128.store16_lane(to, halves, 0);
  if (count > 1) v128.store16_lane(to, halves, 1, 2);
  if (count > 2) v128.store16_lane(to, halves, 2, 4);
}
