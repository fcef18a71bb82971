import { exp, logOnePlus, tanh } from './exponential';
import { parallel, taskArguments } from './parallel';
import { LOG_SCALE_LIMIT, SIGMOID_SHIFT } from '../src/core/kernelConstants';
import { copyExactly, firstLanes, loadPart, storePart, sumLanes, zero } from './vector';


/** What is coupled, and how. */
@unmanaged
class CouplingShape {
  batch: i32;
  positions: i32;
  /** Channels that pass. */
  kept: i32;
  /** Channels that are transformed. */
  changed: i32;
  /** Whether the scales are those of the 'sigmoid' map, not of 'exp'. */
  sigmoid: i32;
  inverse: i32;
}

/**
 * Affine coupling, the transformed part being the last channels:
 * y = (x + shift) * s with logDet = sum log s, or its inverse x = y / s - shift with logDet = -sum log s.
 * Parameters per position: [shift | raw]. One chunk is one example.
 */
@unmanaged
class Coupling extends CouplingShape {
  /** [batch, positions, kept + changed] */
  input: usize;
  /** [batch, positions, 2 * changed] */
  parameters: usize;
  /** Like the input. */
  output: usize;
  /** [batch] */
  logDet: usize;
  /** Gradients in output and logDet; in input and parameters they are written to. */
  outputGradient: usize;
  logDetGradient: usize;
  inputGradient: usize;
  parametersGradient: usize;
}

export function couple(): void {
  parallel<CoupleExample>(taskArguments<Coupling>().batch);
}

export function coupleGradient(): void {
  parallel<CoupleGradientExample>(taskArguments<Coupling>().batch);
}

/** log s of a raw network output. */
// @ts-ignore: decorator
@inline
function logScale(raw: v128, sigmoid: i32): v128 {
  if (sigmoid) {
    const v = f32x4.add(raw, f32x4.splat(<f32>SIGMOID_SHIFT));
    const e = exp(f32x4.neg(f32x4.abs(v)));
    return f32x4.sub(f32x4.pmin(v, zero()), logOnePlus(e));
  }
  return f32x4.mul(tanh(f32x4.mul(raw, f32x4.splat(<f32>1 / <f32>LOG_SCALE_LIMIT))), f32x4.splat(<f32>LOG_SCALE_LIMIT));
}

/** d log s / d raw, given log s and s. */
// @ts-ignore: decorator
@inline
function logScaleSlope(raw: v128, logS: v128, sigmoid: i32): v128 {
  const one = f32x4.splat(1);
  if (sigmoid) {
    // 1 - s = sigmoid(-v), without the cancellation of the difference.
    const v = f32x4.add(raw, f32x4.splat(<f32>SIGMOID_SHIFT));
    const e = exp(f32x4.neg(f32x4.abs(v)));
    const larger = f32x4.div(one, f32x4.add(one, e));
    return f32x4.mul(larger, v128.bitselect(e, one, f32x4.gt(v, zero())));
  }
  const t = f32x4.mul(logS, f32x4.splat(<f32>1 / <f32>LOG_SCALE_LIMIT));
  return f32x4.sub(one, f32x4.mul(t, t));
}

export class CoupleExample {
  run(example: i32): void {
    const c = taskArguments<Coupling>();
    const channels = c.kept + c.changed;
    const changed = c.changed;
    const first = <usize>(example * c.positions);
    let from = c.input + ((first * channels) << 2);
    let to = c.output + ((first * channels) << 2);
    let shift = c.parameters + ((first * (changed * 2)) << 2);
    let logDet: f32 = 0;
    for (let position = 0; position < c.positions; position++) {
      copyExactly(to, from, c.kept);
      from += c.kept << 2;
      to += c.kept << 2;
      const raw = shift + (changed << 2);
      let sum = zero();
      for (let j = 0; j < changed; j += 4) {
        const left = changed - j;
        const at = <usize>(j << 2);
        const logS = logScale(loadPart(raw + at, left), c.sigmoid);
        const value = loadPart(from + at, left);
        const moved = loadPart(shift + at, left);
        const result = c.inverse
          ? f32x4.sub(f32x4.mul(value, exp(f32x4.neg(logS))), moved)
          : f32x4.mul(f32x4.add(value, moved), exp(logS));
        storePart(to + at, result, left);
        sum = f32x4.add(sum, left >= 4 ? logS : v128.and(logS, firstLanes(left)));
      }
      logDet += sumLanes(sum);
      from += changed << 2;
      to += changed << 2;
      shift += changed << 3;
    }
    store<f32>(c.logDet + (example << 2), c.inverse ? -logDet : logDet);
  }
}

export class CoupleGradientExample {
  run(example: i32): void {
    const c = taskArguments<Coupling>();
    const channels = c.kept + c.changed;
    const changed = c.changed;
    const first = <usize>(example * c.positions);
    const start = (first * channels) << 2;
    let from = c.input + start;
    let given = c.outputGradient + start;
    let to = c.inputGradient + start;
    const parameters = (first * (changed * 2)) << 2;
    let shift = c.parameters + parameters;
    let shiftGradient = c.parametersGradient + parameters;
    const logDetGradient = f32x4.splat(load<f32>(c.logDetGradient + (example << 2)));
    for (let position = 0; position < c.positions; position++) {
      copyExactly(to, given, c.kept);
      from += c.kept << 2;
      given += c.kept << 2;
      to += c.kept << 2;
      const raw = shift + (changed << 2);
      const rawGradient = shiftGradient + (changed << 2);
      for (let j = 0; j < changed; j += 4) {
        const left = changed - j;
        const at = <usize>(j << 2);
        const rawNow = loadPart(raw + at, left);
        const logS = logScale(rawNow, c.sigmoid);
        const slope = logScaleSlope(rawNow, logS, c.sigmoid);
        const value = loadPart(from + at, left);
        const gradient = loadPart(given + at, left);
        const factor = exp(c.inverse ? f32x4.neg(logS) : logS);
        const back = f32x4.mul(gradient, factor);
        storePart(to + at, back, left);
        if (c.inverse) {
          storePart(shiftGradient + at, f32x4.neg(gradient), left);
          const total = f32x4.add(f32x4.mul(back, value), logDetGradient);
          storePart(rawGradient + at, f32x4.neg(f32x4.mul(total, slope)), left);
        } else {
          storePart(shiftGradient + at, back, left);
          const moved = f32x4.add(value, loadPart(shift + at, left));
          const total = f32x4.add(f32x4.mul(back, moved), logDetGradient);
          storePart(rawGradient + at, f32x4.mul(total, slope), left);
        }
      }
      from += changed << 2;
      given += changed << 2;
      to += changed << 2;
      shift += changed << 3;
      shiftGradient += changed << 3;
    }
  }
}
