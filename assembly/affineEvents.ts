import { AffineForm, logScaleOf, logScaleSlope } from './affine';
import { exp } from './exponential';
import { parallel, taskArguments } from './parallel';
import {
  ceilDivide,
  copyExactly,
  firstLanes,
  firstPairs,
  least,
  loadPart,
  multiplyAdd,
  secondPairs,
  storePart,
  sumLanes,
  zero,
} from './vector';

/**
 * Affine maps of the last channels of events, each value by parameters [shift, raw] of its own: y = s x + shift with logDet = sum log s,
 * or the inverse x = (y - shift) / s with logDet = -sum log s. A chunk is some examples.
 */
@unmanaged
class AffineEvents extends AffineForm {
  inverse: i32;
  examples: i32;
  positions: i32;
  /** Channels that pass, and those that are mapped. */
  kept: i32;
  changed: i32;
  chunkExamples: i32;
  /** [examples, positions, kept + changed]; for gradients x, of the inverse too. */
  input: usize;
  /** [examples, positions, changed, 2] */
  parameters: usize;
  /** Like the input: the value, or the gradient in what was given. */
  output: usize;
  /** [examples] */
  logDet: usize;
  /** Gradients in value and logDet; that in the parameters is written to. */
  outputGradient: usize;
  logDetGradient: usize;
  parametersGradient: usize;
}

export function affine(): void {
  const a = taskArguments<AffineEvents>();
  parallel<AffineExamples>(ceilDivide(a.examples, a.chunkExamples));
}

export function affineGradient(): void {
  const a = taskArguments<AffineEvents>();
  parallel<AffineGradientExamples>(ceilDivide(a.examples, a.chunkExamples));
}

/** The first, or the second number of four pairs. */
// @ts-ignore: decorator
@inline
function shiftsOf(pairs: v128, more: v128): v128 {
  return v128.shuffle<f32>(pairs, more, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function rawOf(pairs: v128, more: v128): v128 {
  return v128.shuffle<f32>(pairs, more, 1, 3, 5, 7);
}

/** The second half of up to four pairs. */
// @ts-ignore: decorator
@inline
function loadSecond(from: usize, pairs: i32): v128 {
  return pairs > 2 ? loadPart(from + 16, 2 * pairs - 4) : zero();
}

export class AffineExamples {
  run(chunk: i32): void {
    const a = taskArguments<AffineEvents>();
    const first = chunk * a.chunkExamples;
    const end = least(first + a.chunkExamples, a.examples);
    const firstRow = first * a.positions;
    let at = <usize>(firstRow * (a.kept + a.changed)) << 2;
    let parameters = a.parameters + (<usize>(firstRow * a.changed) << 3);
    for (let example = first; example < end; example++) {
      let sum = zero();
      for (let position = 0; position < a.positions; position++) {
        copyExactly(a.output + at, a.input + at, a.kept);
        at += <usize>a.kept << 2;
        for (let j = 0; j < a.changed; j += 4) {
          const left = a.changed - j;
          const pairs = loadPart(parameters, 2 * left);
          const more = loadSecond(parameters, left);
          const shift = shiftsOf(pairs, more);
          const logS = logScaleOf(a, rawOf(pairs, more));
          const given = loadPart(a.input + at, left);
          const value = a.inverse
            ? f32x4.mul(f32x4.sub(given, shift), exp(f32x4.neg(logS)))
            : multiplyAdd(given, exp(logS), shift);
          storePart(a.output + at, value, left);
          sum = f32x4.add(sum, left >= 4 ? logS : v128.and(logS, firstLanes(left)));
          at += <usize>least(left, 4) << 2;
          parameters += <usize>least(left, 4) << 3;
        }
      }
      const logDet = sumLanes(sum);
      store<f32>(a.logDet + (<usize>example << 2), a.inverse ? -logDet : logDet);
    }
  }
}

export class AffineGradientExamples {
  run(chunk: i32): void {
    const a = taskArguments<AffineEvents>();
    const first = chunk * a.chunkExamples;
    const end = least(first + a.chunkExamples, a.examples);
    const firstRow = first * a.positions;
    let at = <usize>(firstRow * (a.kept + a.changed)) << 2;
    let steering = <usize>(firstRow * a.changed) << 3;
    for (let example = first; example < end; example++) {
      const dLog = f32x4.splat(load<f32>(a.logDetGradient + (<usize>example << 2)));
      for (let position = 0; position < a.positions; position++) {
        copyExactly(a.output + at, a.outputGradient + at, a.kept);
        at += <usize>a.kept << 2;
        for (let j = 0; j < a.changed; j += 4) {
          const left = a.changed - j;
          const pairs = loadPart(a.parameters + steering, 2 * left);
          const more = loadSecond(a.parameters + steering, left);
          const raw = rawOf(pairs, more);
          const logS = logScaleOf(a, raw);
          const s = exp(logS);
          const dy = loadPart(a.outputGradient + at, left);
          const x = loadPart(a.input + at, left);
          // x = (y - shift) / s: its gradients are those of y = s x + shift at -dx / s.
          const result = a.inverse ? f32x4.mul(dy, exp(f32x4.neg(logS))) : f32x4.mul(dy, s);
          const ofShift = a.inverse ? f32x4.neg(result) : dy;
          const ofLog = multiplyAdd(a.inverse ? f32x4.neg(dy) : result, x, a.inverse ? f32x4.neg(dLog) : dLog);
          const ofRaw = f32x4.mul(ofLog, logScaleSlope(a, raw, logS, s));
          storePart(a.output + at, result, left);
          const to = a.parametersGradient + steering;
          storePart(to, firstPairs(ofShift, ofRaw), 2 * left);
          if (left > 2) storePart(to + 16, secondPairs(ofShift, ofRaw), 2 * left - 4);
          at += <usize>least(left, 4) << 2;
          steering += <usize>least(left, 4) << 3;
        }
      }
    }
  }
}
