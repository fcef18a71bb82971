import { exp, sigmoid, softplus, tanh } from './exponential';
import { ELU, GELU, LEAK, LEAKY_RELU, NO_ACTIVATION, RELU, SILU, SOFTPLUS, TANH } from '../src/core/kernelConstants';
import { multiplyAdd, zero } from './vector';

/*
 * Activations of hidden units, four lanes at a time, by their numbers in kernelConstants. NaN stays NaN.
 */

/** e^v - 1 for v <= 0, by tanh(v / 2), which keeps small ones exact. */
// @ts-ignore: decorator
@inline
function exponentialLessOne(v: v128): v128 {
  const t = tanh(f32x4.mul(v, f32x4.splat(0.5)));
  return f32x4.div(f32x4.add(t, t), f32x4.sub(f32x4.splat(1), t));
}

/** P(N <= v): Abramowitz and Stegun, 7.1.26, as the ordinary op has it, to 1e-7. */
// @ts-ignore: decorator
@inline
function normalShare(v: v128): v128 {
  const half = f32x4.splat(0.5);
  const size = f32x4.mul(f32x4.abs(v), f32x4.splat(0.70710678));
  const t = f32x4.div(f32x4.splat(1), multiplyAdd(size, f32x4.splat(0.3275911), f32x4.splat(1)));
  let p = f32x4.splat(1.061405429);
  p = multiplyAdd(p, t, f32x4.splat(-1.453152027));
  p = multiplyAdd(p, t, f32x4.splat(1.421413741));
  p = multiplyAdd(p, t, f32x4.splat(-0.284496736));
  p = multiplyAdd(p, t, f32x4.splat(0.254829592));
  // Half of what lies beyond |v| on both sides.
  const beyond = f32x4.mul(f32x4.mul(f32x4.mul(p, t), exp(f32x4.neg(f32x4.mul(size, size)))), half);
  return v128.bitselect(beyond, f32x4.sub(f32x4.splat(1), beyond), f32x4.lt(v, zero()));
}

/** An activation. */
// @ts-ignore: decorator
@inline
export function activate(v: v128, activation: i32): v128 {
  // NaN is not below 0 and passes.
  if (activation == RELU) return f32x4.pmax(v, zero());
  return activation == NO_ACTIVATION ? v : bend(v, activation);
}

function bend(v: v128, activation: i32): v128 {
  switch (activation) {
    case TANH: return tanh(v);
    case ELU: {
      const below = exponentialLessOne(f32x4.pmin(v, zero()));
      return v128.bitselect(v, below, f32x4.gt(v, zero()));
    }
    case SOFTPLUS: return softplus(v);
    case SILU: return f32x4.mul(v, sigmoid(v));
    case GELU: return f32x4.mul(v, normalShare(v));
    case LEAKY_RELU: return v128.bitselect(v, f32x4.mul(v, f32x4.splat(<f32>LEAK)), f32x4.gt(v, zero()));
    default: return sigmoid(v);
  }
}

/** A gradient by what an activation gives, to one by what it read: `result` is what it gave, `read` what it read. */
// @ts-ignore: decorator
@inline
export function throughActivation(gradient: v128, result: v128, read: v128, activation: i32): v128 {
  if (activation == RELU) return v128.andnot(gradient, f32x4.le(result, zero()));
  return activation == NO_ACTIVATION ? gradient : f32x4.mul(gradient, slope(result, read, activation));
}

function slope(result: v128, read: v128, activation: i32): v128 {
  const one = f32x4.splat(1);
  switch (activation) {
    case TANH: return f32x4.sub(one, f32x4.mul(result, result));
    case ELU: return v128.bitselect(one, f32x4.add(result, one), f32x4.gt(result, zero()));
    case SOFTPLUS: return sigmoid(read);
    case SILU: {
      const s = sigmoid(read);
      return f32x4.mul(s, f32x4.add(one, f32x4.mul(read, f32x4.sub(one, s))));
    }
    case GELU: {
      const density = f32x4.mul(exp(f32x4.mul(f32x4.mul(read, read), f32x4.splat(-0.5))), f32x4.splat(0.39894228));
      return multiplyAdd(read, density, normalShare(read));
    }
    case LEAKY_RELU: return v128.bitselect(one, f32x4.splat(<f32>LEAK), f32x4.gt(result, zero()));
    default: return f32x4.mul(result, f32x4.sub(one, result));
  }
}
