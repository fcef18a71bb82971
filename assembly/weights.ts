import { loadBfloat16 } from './bfloat16';
import { SEGMENT } from '../src/core/kernelConstants';
import { parallel, taskArguments } from './parallel';
import { loadPart, storePart } from './vector';

/*
 * Passes over all weights of a model at once, cut into segments of one tensor each.
 */

/** A piece of one weight with what belongs to it. */
@unmanaged
class Segment {
  count: i32;
  weight: usize;
  first: usize;
  second: usize;
  /** None: the way back. */
  gradient: usize;
}

/** The numbers of a step. */
@unmanaged
class Rates {
  beta1: f32;
  beta2: f32;
  rest1: f32;
  rest2: f32;
  /** 1 / (1 - beta1^t), and 1 / (1 - beta2^t) for Adam. */
  correction1: f32;
  correction2: f32;
  learningRate: f32;
  epsilon: f32;
  /** Factor of the gradients. */
  scale: f32;
}

/**
 * One step of Adam or Adamax (Kingma and Ba, 2014, arXiv:1412.6980, algorithms 1 and 2), in place:
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2  or  max(beta2 v, |g|)
 * Without gradients the moments stay, and the learning rate is minus that of the step that is taken back.
 */
@unmanaged
class Adaptation extends Rates {
  segments: usize;
  count: i32;
  /** Adam, not Adamax. */
  adam: i32;
  /** Of the rounding of compact moments. */
  seed: i32;
}

export function adapt(): void {
  parallel<AdaptSegment>(taskArguments<Adaptation>().count);
}

export class AdaptSegment {
  run(chunk: i32): void {
    const a = taskArguments<Adaptation>();
    const s = changetype<Segment>(a.segments + <usize>chunk * offsetof<Segment>());
    for (let i = 0; i < s.count; i += 4) {
      const left = s.count - i;
      const at = <usize>(i << 2);
      let first = loadPart(s.first + at, left);
      let second = loadPart(s.second + at, left);
      if (s.gradient) {
        const g = f32x4.mul(loadPart(s.gradient + at, left), f32x4.splat(a.scale));
        first = meanWith(first, g, a.beta1, a.rest1);
        second = a.adam
          ? meanWith(second, f32x4.mul(g, g), a.beta2, a.rest2)
          : f32x4.max(f32x4.mul(second, f32x4.splat(a.beta2)), f32x4.abs(g));
        storePart(s.first + at, first, left);
        storePart(s.second + at, second, left);
      }
      move(a, s.weight + at, left, first, a.adam ? rootOf(a, second) : second);
    }
  }
}

// @ts-ignore: decorator
@inline
function meanWith(mean: v128, value: v128, beta: f32, rest: f32): v128 {
  return f32x4.add(f32x4.mul(mean, f32x4.splat(beta)), f32x4.mul(value, f32x4.splat(rest)));
}

/** sqrt(v / (1 - beta2^t)) */
// @ts-ignore: decorator
@inline
function rootOf(a: Adaptation, second: v128): v128 {
  return f32x4.sqrt(f32x4.mul(second, f32x4.splat(a.correction2)));
}

/** w -= learningRate * m / (1 - beta1^t) / (size + epsilon) */
// @ts-ignore: decorator
@inline
function move(a: Adaptation, weight: usize, left: i32, first: v128, size: v128): void {
  const direction = f32x4.div(
    f32x4.mul(first, f32x4.splat(a.correction1)),
    f32x4.add(size, f32x4.splat(a.epsilon)),
  );
  const moved = f32x4.sub(loadPart(weight, left), f32x4.mul(f32x4.splat(a.learningRate), direction));
  storePart(weight, moved, left);
}

/** A piece of one weight with what belongs to it where the moments are compact. */
@unmanaged
class CompactSegment {
  count: i32;
  weight: usize;
  /** Upper 16 bits: second moment, a float without its sign and its last 15 bits. Lower: first moment, without its last 16. */
  moments: usize;
  /** None: the way back. */
  gradient: usize;
  /** 4: float32; 2: bfloat16. */
  gradientBytes: i32;
}

/** As `adapt`, with Adam's moments in 16 bits each, rounded by chance. */
export function adaptCompact(): void {
  parallel<AdaptCompactSegment>(taskArguments<Adaptation>().count);
}

export class AdaptCompactSegment {
  run(chunk: i32): void {
    const a = taskArguments<Adaptation>();
    const s = changetype<CompactSegment>(a.segments + <usize>chunk * offsetof<CompactSegment>());
    const seed = i32x4.splat(a.seed);
    const places = i32x4(0, 1, 2, 3);
    for (let i = 0; i < s.count; i += 4) {
      const left = s.count - i;
      const at = <usize>(i << 2);
      let moments = loadPart(s.moments + at, left);
      if (s.gradient) {
        const g = f32x4.mul(loadValues(s.gradient, s.gradientBytes, i, left), f32x4.splat(a.scale));
        const first = meanWith(firstOf(moments), g, a.beta1, a.rest1);
        const second = meanWith(secondOf(moments), f32x4.mul(g, g), a.beta2, a.rest2);
        const place = i32x4.add(i32x4.splat(chunk * SEGMENT + i), places);
        moments = packed(first, second, scramble(v128.xor(place, seed)));
        storePart(s.moments + at, moments, left);
      }
      move(a, s.weight + at, left, firstOf(moments), rootOf(a, secondOf(moments)));
    }
  }
}

/** Up to four values from the i-th on, as floats; of 4 bytes each, or of 2. */
// @ts-ignore: decorator
@inline
function loadValues(from: usize, bytes: i32, i: i32, left: i32): v128 {
  return bytes == 2 ? loadBfloat16(from + (i << 1), left) : loadPart(from + (i << 2), left);
}

// @ts-ignore: decorator
@inline
function firstOf(moments: v128): v128 {
  return i32x4.shl(moments, 16);
}

// @ts-ignore: decorator
@inline
function secondOf(moments: v128): v128 {
  return i32x4.shr_u(v128.and(moments, i32x4.splat(<i32>0xffff0000)), 1);
}

/** Both moments in 16 bits each; what is cut off is rounded up as often as it is large. */
// @ts-ignore: decorator
@inline
function packed(first: v128, second: v128, chance: v128): v128 {
  const low = i32x4.shr_u(i32x4.add(first, v128.and(chance, i32x4.splat(0xffff))), 16);
  const high = i32x4.shr_u(i32x4.add(second, i32x4.shr_u(chance, 17)), 15);
  return v128.or(i32x4.shl(high, 16), low);
}

/** 32 bits per lane that look random (lowbias32, Chris Wellons, 2018). */
// @ts-ignore: decorator
@inline
function scramble(value: v128): v128 {
  let x = v128.xor(value, i32x4.shr_u(value, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(<i32>0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/** A piece of one tensor, in 4 or 2 bytes per value. */
@unmanaged
class Values {
  count: i32;
  from: usize;
  bytes: i32;
}

/** Sum of squares over segments, in float64: a square of float32 can leave its range. */
@unmanaged
class SquareSum {
  segments: usize;
  count: i32;
  /** A float64 per segment. */
  parts: usize;
  output: usize;
}

/** output = sqrt(sum of squares of all segments). */
export function globalNorm(): void {
  const s = taskArguments<SquareSum>();
  parallel<SumSquares>(s.count);
  let total: f64 = 0;
  for (let i = 0; i < s.count; i++) total += load<f64>(s.parts + (i << 3));
  store<f32>(s.output, <f32>sqrt(total));
}

export class SumSquares {
  run(chunk: i32): void {
    const s = taskArguments<SquareSum>();
    const values = changetype<Values>(s.segments + <usize>chunk * offsetof<Values>());
    let low = f64x2.splat(0), high = low;
    for (let i = 0; i < values.count; i += 4) {
      const value = loadValues(values.from, values.bytes, i, values.count - i);
      const a = f64x2.promote_low_f32x4(value);
      const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(value, value, 2, 3, 2, 3));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    const sum = f64x2.add(low, high);
    store<f64>(s.parts + (chunk << 3), f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}
