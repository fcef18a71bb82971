import { AFFINE_EXP, AFFINE_SIGMOID, AFFINE_SOFTCLIP, SIGMOID_SHIFT } from '../src/core/kernelConstants';
import { log, sigmoid, softplus, tanh } from './exponential';
import { multiplyAdd } from './vector';

/** Which scales affine maps have. */
@unmanaged
export class AffineForm {
  /** How a parameter becomes a scale, by its number in kernelConstants. */
  scale: i32;
  /** Bound of |log s|, or least s. */
  bound: f32;
  /** What 'softplus' adds to a parameter. */
  one: f32;
}

/** log s of a parameter. */
// @ts-ignore: decorator
@inline
export function logScaleOf(form: AffineForm, raw: v128): v128 {
  const bound = f32x4.splat(form.bound);
  if (form.scale == AFFINE_SOFTCLIP) {
    return f32x4.div(raw, f32x4.add(f32x4.div(f32x4.abs(raw), bound), f32x4.splat(1)));
  }
  if (form.scale == AFFINE_EXP) return f32x4.mul(tanh(f32x4.div(raw, bound)), bound);
  const scale =
    form.scale == AFFINE_SIGMOID
      ? sigmoid(f32x4.add(raw, f32x4.splat(<f32>SIGMOID_SHIFT)))
      : softplus(f32x4.add(raw, f32x4.splat(form.one)));
  return log(f32x4.add(scale, bound));
}

/** d log s / d raw, given log s and s. */
// @ts-ignore: decorator
@inline
export function logScaleSlope(form: AffineForm, raw: v128, logS: v128, s: v128): v128 {
  const one = f32x4.splat(1);
  const bound = f32x4.splat(form.bound);
  if (form.scale == AFFINE_SOFTCLIP) {
    const shrink = f32x4.add(f32x4.div(f32x4.abs(raw), bound), one);
    return f32x4.div(one, f32x4.mul(shrink, shrink));
  }
  if (form.scale == AFFINE_EXP) {
    const t = f32x4.div(logS, bound);
    return f32x4.sub(one, f32x4.mul(t, t));
  }
  if (form.scale == AFFINE_SIGMOID) {
    const share = sigmoid(f32x4.add(raw, f32x4.splat(<f32>SIGMOID_SHIFT)));
    // 1 - share = sigmoid(-v), without the cancellation of the difference.
    const rest = sigmoid(f32x4.neg(f32x4.add(raw, f32x4.splat(<f32>SIGMOID_SHIFT))));
    return f32x4.div(f32x4.mul(share, rest), s);
  }
  return f32x4.div(sigmoid(f32x4.add(raw, f32x4.splat(form.one))), s);
}
