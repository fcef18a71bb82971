/** a * b + c in four lanes: one rounding in the relaxed-SIMD build, two otherwise. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** c - a * b, likewise. */
// @ts-ignore: decorator
@inline
export function multiplySubtract(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline
export function zero(): v128 {
  return f32x4.splat(0);
}

/** Stores eight floats; the upper half first, where engines look for operations of 256 bits. */
// @ts-ignore: decorator
@inline
export function storePair(to: usize, low: v128, high: v128): void {
  v128.store(to, high, 16);
  v128.store(to, low);
}

/** The smaller of two counts. */
// @ts-ignore: decorator
@inline
export function least(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

/** a / b, rounded up. */
// @ts-ignore: decorator
@inline
export function ceilDivide(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(a: v128): f32 {
  return (
    f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3))
  );
}

/** Copies `count` floats; may write up to three more, which the caller overwrites or has room for. */
// @ts-ignore: decorator
@inline
export function copyLoosely(to: usize, from: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
}

/** Zeroes `count` floats; may write up to three more. */
// @ts-ignore: decorator
@inline
export function clearLoosely(to: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    v128.store(to, zero());
    to += 16;
  }
}

/** Copies `count` floats and touches nothing else. */
export function copyExactly(to: usize, from: usize, count: i32): void {
  const whole = count & ~3;
  copyLoosely(to, from, whole);
  to += <usize>whole << 2;
  from += <usize>whole << 2;
  for (let i = whole; i < count; i++) {
    store<f32>(to, load<f32>(from));
    to += 4;
    from += 4;
  }
}

/** Up to four floats, the lanes past `count` 0; reads nothing beyond them. */
// @ts-ignore: decorator
@inline
export function loadPart(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  let value = v128.load32_zero(from);
  if (count > 1) value = v128.load32_lane(from, value, 1, 4);
  if (count > 2) value = v128.load32_lane(from, value, 2, 8);
  return value;
}

/** Stores up to four lanes and touches nothing else. */
// @ts-ignore: decorator
@inline
export function storePart(to: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, value);
    return;
  }
  v128.store32_lane(to, value, 0);
  if (count > 1) v128.store32_lane(to, value, 1, 4);
  if (count > 2) v128.store32_lane(to, value, 2, 8);
}

/** Lanes below `count` all ones, the others 0. */
// @ts-ignore: decorator
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/*
 * Four vectors are turned by pairs, then halves: rows a, b, c, d have the columns lowHalves and highHalves of firstPairs(a, b) and
 * firstPairs(c, d), then the same of secondPairs.
 */

/** a0 b0 a1 b1 */
// @ts-ignore: decorator
@inline
export function firstPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

/** a2 b2 a3 b3 */
// @ts-ignore: decorator
@inline
export function secondPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

/** a0 a1 b0 b1 */
// @ts-ignore: decorator
@inline
export function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2);
}

/** a2 a3 b2 b3 */
// @ts-ignore: decorator
@inline
export function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}
