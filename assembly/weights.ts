import { parallel, taskArguments } from './parallel';
import { ADAPT, ADAPT_COMPACT, SUM_SQUARES } from './tasks';
import { loadPart, multiplyAdd, storePart, zero } from './vector';

/*
 * Passes over all weights of a model at once, cut into segments of one tensor each.
 */

const ADAM: i32 = 0;

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

/**
 * One step of Adam or Adamax (Kingma and Ba, 2014, arXiv:1412.6980, algorithms 1 and 2), in place:
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2  or  max(beta2 v, |g|)
 * Without gradients the moments stay, and the learning rate is minus that of the step that is taken back.
 */
@unmanaged
class Adaptation {
  segments: usize;
  count: i32;
  /** ADAM or not; the seed of compact moments. */
  variant: i32;
  beta1: f32;
  beta2: f32;
  rest1: f32;
  rest2: f32;
  /** 1 / (1 - beta1^t), and 1 / (1 - beta2^t) for Adam. */
  correction1: f32;
  correction2: f32;
  learningRate: f32;
  epsilon: f32;
}

export function adapt(): void {
  parallel(ADAPT, changetype<Adaptation>(taskArguments()).count);
}

export function adaptSegment(chunk: i32): void {
  const a = changetype<Adaptation>(taskArguments());
  const s = changetype<Segment>(a.segments + <usize>chunk * offsetof<Segment>());
  const beta1 = f32x4.splat(a.beta1);
  const beta2 = f32x4.splat(a.beta2);
  const rest1 = f32x4.splat(a.rest1);
  const rest2 = f32x4.splat(a.rest2);
  const correction1 = f32x4.splat(a.correction1);
  const correction2 = f32x4.splat(a.correction2);
  const rate = f32x4.splat(a.learningRate);
  const epsilon = f32x4.splat(a.epsilon);
  const adam = a.variant == ADAM;
  for (let i = 0; i < s.count; i += 4) {
    const left = s.count - i;
    const at = <usize>(i << 2);
    let first = loadPart(s.first + at, left);
    let second = loadPart(s.second + at, left);
    if (s.gradient) {
      const g = loadPart(s.gradient + at, left);
      first = f32x4.add(f32x4.mul(first, beta1), f32x4.mul(g, rest1));
      second = f32x4.mul(second, beta2);
      second = adam ? f32x4.add(second, f32x4.mul(f32x4.mul(g, g), rest2)) : f32x4.max(second, f32x4.abs(g));
      storePart(s.first + at, first, left);
      storePart(s.second + at, second, left);
    }
    const size = adam ? f32x4.sqrt(f32x4.mul(second, correction2)) : second;
    const direction = f32x4.div(f32x4.mul(first, correction1), f32x4.add(size, epsilon));
    const weight = f32x4.sub(loadPart(s.weight + at, left), f32x4.mul(rate, direction));
    storePart(s.weight + at, weight, left);
  }
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
}

/** Most values that a segment holds. */
const SEGMENT: i32 = 16384;

/** As `adapt`, with Adam's moments in 16 bits each, rounded by chance. */
export function adaptCompact(): void {
  parallel(ADAPT_COMPACT, changetype<Adaptation>(taskArguments()).count);
}

export function adaptCompactSegment(chunk: i32): void {
  const a = changetype<Adaptation>(taskArguments());
  const s = changetype<CompactSegment>(a.segments + <usize>chunk * offsetof<CompactSegment>());
  const seed = i32x4.splat(a.variant);
  const places = i32x4(0, 1, 2, 3);
  for (let i = 0; i < s.count; i += 4) {
    const left = s.count - i;
    const at = <usize>(i << 2);
    let moments = loadPart(s.moments + at, left);
    if (s.gradient) {
      const g = loadPart(s.gradient + at, left);
      const first = f32x4.add(
        f32x4.mul(firstOf(moments), f32x4.splat(a.beta1)),
        f32x4.mul(g, f32x4.splat(a.rest1)),
      );
      const second = f32x4.add(
        f32x4.mul(secondOf(moments), f32x4.splat(a.beta2)),
        f32x4.mul(f32x4.mul(g, g), f32x4.splat(a.rest2)),
      );
      const place = i32x4.add(i32x4.splat(chunk * SEGMENT + i), places);
      moments = packed(first, second, scramble(v128.xor(place, seed)));
      storePart(s.moments + at, moments, left);
    }
    const size = f32x4.sqrt(f32x4.mul(secondOf(moments), f32x4.splat(a.correction2)));
    const direction = f32x4.div(
      f32x4.mul(firstOf(moments), f32x4.splat(a.correction1)),
      f32x4.add(size, f32x4.splat(a.epsilon)),
    );
    const weight = loadPart(s.weight + at, left);
    storePart(s.weight + at, f32x4.sub(weight, f32x4.mul(f32x4.splat(a.learningRate), direction)), left);
  }
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

/** Sum of squares over segments [count, address], added in float64. */
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
  const s = changetype<SquareSum>(taskArguments());
  parallel(SUM_SQUARES, s.count);
  let total: f64 = 0;
  for (let i = 0; i < s.count; i++) total += load<f64>(s.parts + (i << 3));
  store<f32>(s.output, <f32>sqrt(total));
}

export function sumSquares(chunk: i32): void {
  const s = changetype<SquareSum>(taskArguments());
  const segment = s.segments + (chunk << 3);
  const count = load<i32>(segment);
  const from = load<usize>(segment, 4);
  let total: f64 = 0;
  let sum = zero();
  for (let i = 0; i < count; i += 4) {
    const value = loadPart(from + (i << 2), count - i);
    sum = multiplyAdd(value, value, sum);
    if ((i & 1023) == 1020) {
      total += sumInDouble(sum);
      sum = zero();
    }
  }
  store<f64>(s.parts + (chunk << 3), total + sumInDouble(sum));
}

// @ts-ignore: decorator
@inline
function sumInDouble(a: v128): f64 {
  return (
    <f64>f32x4.extract_lane(a, 0) + <f64>f32x4.extract_lane(a, 1) +
    (<f64>f32x4.extract_lane(a, 2) + <f64>f32x4.extract_lane(a, 3))
  );
}
