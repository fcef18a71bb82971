import { multiplyAdd, multiplySubtract, zero } from './vector';

/*
 * exp, log and what couplings and splines need of them, four lanes at a time. NaN stays NaN.
 * Range reduction and the minimax polynomials are those of Cephes' expf and logf (S. Moshier), relative errors below 2e-7.
 */

/*
 * The numbers below lie in memory, at these distances: engines make a vector of a constant in the code from several
 * instructions, each time anew.
 */
let numbers: usize = 0;
const AT_ONE: usize = 0;
const AT_TWO: usize = 4;
const AT_MINUS_TWO: usize = 8;
const AT_LARGEST: usize = 12;
const AT_SMALLEST: usize = 16;
const AT_MAGIC: usize = 20;
const AT_LOG2_E: usize = 24;
const AT_LN2_HIGH: usize = 28;
const AT_LN2_LOW: usize = 32;
const AT_EXP_7: usize = 36;
const AT_EXP_6: usize = 40;
const AT_EXP_5: usize = 44;
const AT_EXP_4: usize = 48;
const AT_EXP_3: usize = 52;
const AT_EXP_2: usize = 56;
const AT_TWO_15THS: usize = 60;
const AT_TWO_13THS: usize = 64;
const AT_TWO_11THS: usize = 68;
const AT_TWO_9THS: usize = 72;
const AT_TWO_7THS: usize = 76;
const AT_TWO_5THS: usize = 80;
const AT_TWO_3RDS: usize = 84;
const AT_TANH_9: usize = 88;
const AT_TANH_7: usize = 92;
const AT_TANH_3: usize = 96;
const AT_TANH_NEAR: usize = 100;
const AT_LEAST_NORMAL: usize = 104;
const AT_TWO_23: usize = 108;
const AT_SQRT_HALF: usize = 112;
const AT_INFINITY: usize = 116;
const AT_HALF: usize = 120;
const AT_LOG_8: usize = 124;
const AT_LOG_7: usize = 128;
const AT_LOG_6: usize = 132;
const AT_LOG_5: usize = 136;
const AT_LOG_4: usize = 140;
const AT_LOG_3: usize = 144;
const AT_LOG_2: usize = 148;
const AT_LOG_1: usize = 152;
const AT_LOG_0: usize = 156;

/** Bytes that the numbers take, in whole cache lines. */
export const NUMBER_BYTES: usize = 192;

/** Writes the numbers. */
export function placeNumbers(at: usize): void {
  numbers = at;
  store<f32>(at, 1, AT_ONE);
  store<f32>(at, 2, AT_TWO);
  store<f32>(at, -2, AT_MINUS_TWO);
  store<f32>(at, 104, AT_LARGEST);
  store<f32>(at, -104, AT_SMALLEST);
  store<f32>(at, 12582912.0, AT_MAGIC);
  store<f32>(at, 1.44269504088896341, AT_LOG2_E);
  store<f32>(at, 0.693359375, AT_LN2_HIGH);
  store<f32>(at, 2.12194440e-4, AT_LN2_LOW);
  store<f32>(at, 1.9875691500e-4, AT_EXP_7);
  store<f32>(at, 1.3981999507e-3, AT_EXP_6);
  store<f32>(at, 8.3334519073e-3, AT_EXP_5);
  store<f32>(at, 4.1665795894e-2, AT_EXP_4);
  store<f32>(at, 1.6666665459e-1, AT_EXP_3);
  store<f32>(at, 5.0000001201e-1, AT_EXP_2);
  store<f32>(at, 2.0 / 15.0, AT_TWO_15THS);
  store<f32>(at, 2.0 / 13.0, AT_TWO_13THS);
  store<f32>(at, 2.0 / 11.0, AT_TWO_11THS);
  store<f32>(at, 2.0 / 9.0, AT_TWO_9THS);
  store<f32>(at, 2.0 / 7.0, AT_TWO_7THS);
  store<f32>(at, 2.0 / 5.0, AT_TWO_5THS);
  store<f32>(at, 2.0 / 3.0, AT_TWO_3RDS);
  store<f32>(at, 62.0 / 2835.0, AT_TANH_9);
  store<f32>(at, -17.0 / 315.0, AT_TANH_7);
  store<f32>(at, -1.0 / 3.0, AT_TANH_3);
  store<f32>(at, 0.25, AT_TANH_NEAR);
  store<f32>(at, 1.17549435e-38, AT_LEAST_NORMAL);
  store<f32>(at, 8388608.0, AT_TWO_23);
  store<f32>(at, 0.70710678, AT_SQRT_HALF);
  store<f32>(at, Infinity, AT_INFINITY);
  store<f32>(at, 0.5, AT_HALF);
  store<f32>(at, 7.0376836292e-2, AT_LOG_8);
  store<f32>(at, -1.1514610310e-1, AT_LOG_7);
  store<f32>(at, 1.1676998740e-1, AT_LOG_6);
  store<f32>(at, -1.2420140846e-1, AT_LOG_5);
  store<f32>(at, 1.4249322787e-1, AT_LOG_4);
  store<f32>(at, -1.6668057665e-1, AT_LOG_3);
  store<f32>(at, 2.0000714765e-1, AT_LOG_2);
  store<f32>(at, -2.4999993993e-1, AT_LOG_1);
  store<f32>(at, 3.3333331174e-1, AT_LOG_0);
}

// @ts-ignore: decorator
@inline
function powerOfTwo(exponent: v128): v128 {
  return i32x4.shl(i32x4.add(exponent, i32x4.splat(127)), 23);
}

/** e^x; infinity above 88.73, denormal and then 0 below -87.3. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, v128.load32_splat(numbers, AT_LARGEST)), v128.load32_splat(numbers, AT_SMALLEST));
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const magic = v128.load32_splat(numbers, AT_MAGIC);
  const shifted = multiplyAdd(x, v128.load32_splat(numbers, AT_LOG2_E), magic);
  const whole = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const n = f32x4.sub(shifted, magic);
  let r = multiplySubtract(n, v128.load32_splat(numbers, AT_LN2_HIGH), x);
  r = multiplyAdd(n, v128.load32_splat(numbers, AT_LN2_LOW), r);
  let p = v128.load32_splat(numbers, AT_EXP_7);
  p = multiplyAdd(p, r, v128.load32_splat(numbers, AT_EXP_6));
  p = multiplyAdd(p, r, v128.load32_splat(numbers, AT_EXP_5));
  p = multiplyAdd(p, r, v128.load32_splat(numbers, AT_EXP_4));
  p = multiplyAdd(p, r, v128.load32_splat(numbers, AT_EXP_3));
  p = multiplyAdd(p, r, v128.load32_splat(numbers, AT_EXP_2));
  p = f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), v128.load32_splat(numbers, AT_ONE));
  // Two factors, since 2^n alone leaves the range before e^x does.
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** log(1 + e) for e in [0, 1], by the series of atanh: relative accuracy down to the smallest e. */
// @ts-ignore: decorator
@inline
export function logOnePlus(e: v128): v128 {
  const z = f32x4.div(e, f32x4.add(e, v128.load32_splat(numbers, AT_TWO)));
  const q = f32x4.mul(z, z);
  let p = v128.load32_splat(numbers, AT_TWO_15THS);
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_13THS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_11THS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_9THS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_7THS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_5THS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_3RDS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO));
  return f32x4.mul(p, z);
}

/** tanh(w), by its series near 0 and by e^(-2|w|) elsewhere. */
// @ts-ignore: decorator
@inline
export function tanh(w: v128): v128 {
  const one = v128.load32_splat(numbers, AT_ONE);
  const size = f32x4.abs(w);
  const e = exp(f32x4.mul(size, v128.load32_splat(numbers, AT_MINUS_TWO)));
  const far = v128.or(f32x4.div(f32x4.sub(one, e), f32x4.add(one, e)), v128.and(w, f32x4.splat(-0.0)));
  const q = f32x4.mul(w, w);
  let p = v128.load32_splat(numbers, AT_TANH_9);
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TANH_7));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TWO_15THS));
  p = multiplyAdd(p, q, v128.load32_splat(numbers, AT_TANH_3));
  const near = multiplyAdd(f32x4.mul(p, q), w, w);
  return v128.bitselect(near, far, f32x4.lt(size, v128.load32_splat(numbers, AT_TANH_NEAR)));
}

/** log(1 + e^v), without overflow. */
// @ts-ignore: decorator
@inline
export function softplus(v: v128): v128 {
  return f32x4.add(f32x4.pmax(v, zero()), logOnePlus(exp(f32x4.neg(f32x4.abs(v)))));
}

/** Its slope 1 / (1 + e^-v). */
// @ts-ignore: decorator
@inline
export function sigmoid(v: v128): v128 {
  const one = v128.load32_splat(numbers, AT_ONE);
  const e = exp(f32x4.neg(f32x4.abs(v)));
  return f32x4.div(v128.bitselect(e, one, f32x4.lt(v, zero())), f32x4.add(one, e));
}

/** Natural log; -Infinity of 0, NaN of less. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const one = v128.load32_splat(numbers, AT_ONE);
  const tiny = f32x4.lt(x, v128.load32_splat(numbers, AT_LEAST_NORMAL));
  const scaled = v128.bitselect(f32x4.mul(x, v128.load32_splat(numbers, AT_TWO_23)), x, tiny);
  // x = m 2^n with m in [sqrt(1/2), sqrt(2)).
  const whole = i32x4.shr_s(i32x4.sub(scaled, v128.load32_splat(numbers, AT_SQRT_HALF)), 23);
  const m = f32x4.sub(i32x4.sub(scaled, i32x4.shl(whole, 23)), one);
  const n = f32x4.convert_i32x4_s(i32x4.sub(whole, v128.and(tiny, i32x4.splat(23))));
  let p = v128.load32_splat(numbers, AT_LOG_8);
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_7));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_6));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_5));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_4));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_3));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_2));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_1));
  p = multiplyAdd(p, m, v128.load32_splat(numbers, AT_LOG_0));
  const square = f32x4.mul(m, m);
  let r = f32x4.mul(f32x4.mul(p, m), square);
  r = multiplySubtract(n, v128.load32_splat(numbers, AT_LN2_LOW), r);
  r = multiplySubtract(square, v128.load32_splat(numbers, AT_HALF), r);
  r = multiplyAdd(n, v128.load32_splat(numbers, AT_LN2_HIGH), f32x4.add(r, m));
  // 0, what is below it, infinity and NaN have no m: -1 / sqrt(x) says the first two.
  const usual = v128.and(f32x4.gt(x, zero()), f32x4.lt(x, v128.load32_splat(numbers, AT_INFINITY)));
  const edge = f32x4.div(f32x4.neg(one), f32x4.sqrt(x));
  return v128.bitselect(r, v128.bitselect(x, edge, f32x4.gt(x, zero())), usual);
}
