/*
 * exp and what couplings need of it, four lanes at a time. NaN stays NaN.
 * Range reduction and the minimax polynomial are those of Cephes' expf (S. Moshier), relative error below 2e-7.
 */

// @ts-ignore: decorator
@inline
function powerOfTwo(exponent: v128): v128 {
  return i32x4.shl(i32x4.add(exponent, i32x4.splat(127)), 23);
}

/** e^x; infinity above 88.73, denormal and then 0 below -87.3. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(104)), f32x4.splat(-104));
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const magic = f32x4.splat(12582912.0);
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896341)), magic);
  const whole = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const n = f32x4.sub(shifted, magic);
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  // Two factors, since 2^n alone leaves the range before e^x does.
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** log(1 + e) for e in [0, 1], by the series of atanh: relative accuracy down to the smallest e. */
// @ts-ignore: decorator
@inline
export function logOnePlus(e: v128): v128 {
  const z = f32x4.div(e, f32x4.add(e, f32x4.splat(2)));
  const q = f32x4.mul(z, z);
  let p = f32x4.splat(2.0 / 15.0);
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 13.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 11.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 9.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 7.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 5.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 3.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2));
  return f32x4.mul(p, z);
}

/** tanh(w), by its series near 0 and by e^(-2|w|) elsewhere. */
// @ts-ignore: decorator
@inline
export function tanh(w: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.abs(w);
  const e = exp(f32x4.mul(size, f32x4.splat(-2)));
  const far = v128.or(f32x4.div(f32x4.sub(one, e), f32x4.add(one, e)), v128.and(w, f32x4.splat(-0.0)));
  const q = f32x4.mul(w, w);
  let p = f32x4.splat(62.0 / 2835.0);
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(-17.0 / 315.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(2.0 / 15.0));
  p = f32x4.add(f32x4.mul(p, q), f32x4.splat(-1.0 / 3.0));
  const near = f32x4.add(w, f32x4.mul(f32x4.mul(p, q), w));
  return v128.bitselect(near, far, f32x4.lt(size, f32x4.splat(0.25)));
}
