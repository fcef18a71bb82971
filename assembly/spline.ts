import { FLATTEST } from '../src/core/kernelConstants';
import { log } from './exponential';
import { parallel, taskArguments, thread } from './parallel';
import { copyPassing, SplineEvents, Walk } from './splineEvents';
import {
  AT_GIVEN,
  AT_HEIGHT,
  AT_INPUT,
  AT_LEFT,
  AT_LOG,
  AT_RIGHT,
  AT_VALUE,
  AT_WALK,
  AT_WIDTH,
  AT_X,
  AT_Y,
  bendOf,
  clip,
  denominatorOf,
  findPieces,
  insideOf,
  intoBox,
  loadSplines,
  mixtureOf,
  numeratorOf,
  openPieces,
  shareOf,
  SplineForm,
  splineRoomBytes,
} from './splinePiece';
import { ceilDivide, least, multiplyAdd } from './vector';

/**
 * Rational-quadratic splines, one for each value: y and the sum of log dy/dx of every example, or those of the inverse.
 *
 *     t = (x - x_k) / w_k,  s = h_k / w_k,  den = s + (d_{k+1} + d_k - 2 s) t (1 - t)
 *     y = y_k + h_k (s t^2 + d_k t (1 - t)) / den
 *     log dy/dx = log(d_{k+1} t^2 + 2 s t (1 - t) + d_k (1 - t)^2) + 2 log(s / den)
 *
 * A chunk is some examples.
 */
export function spline(): void {
  const s = taskArguments<SplineEvents>();
  parallel<SplineExamples>(ceilDivide(s.examples, s.chunkExamples));
}

export class SplineExamples {
  run(chunk: i32): void {
    const s = taskArguments<SplineEvents>();
    const room = s.rooms + <usize>thread() * splineRoomBytes(s.bins);
    const walk = changetype<Walk>(room + AT_WALK);
    const first = chunk * s.chunkExamples;
    const examples = least(s.chunkExamples, s.examples - first);
    const perExample = s.positions * s.changed;
    const rowBytes = <usize>(2 * s.bins + s.slopes) << 2;
    copyPassing(s, s.input, first, examples);
    walk.start(s, first);
    let parameters = s.parameters + rowBytes * (first * perExample);
    for (let left = examples * perExample; left > 0; left -= 8) {
      const count = least(left, 8);
      loadSplines(s, room, parameters, count);
      walk.gather(s, room, count);
      if (s.inverse) {
        invertHalf(s, room);
        invertHalf(s, room + 16);
      } else {
        mapHalf(s, room);
        mapHalf(s, room + 16);
      }
      walk.scatter(s, room, count);
      walk.addLogs(s, room, count);
      parameters += rowBytes * 8;
    }
  }
}

/** Four values under their splines. */
function mapHalf(form: SplineForm, half: usize): void {
  const given = v128.load(half, AT_GIVEN);
  const x = intoBox(form, given);
  v128.store(half, x, AT_INPUT);
  findPieces(form, half, false);
  openPieces(form, half);
  const height = v128.load(half, AT_HEIGHT);
  const width = v128.load(half, AT_WIDTH);
  const left = v128.load(half, AT_LEFT);
  const right = v128.load(half, AT_RIGHT);
  const slope = f32x4.div(height, width);
  const t = f32x4.div(f32x4.sub(x, v128.load(half, AT_X)), width);
  const rest = f32x4.sub(f32x4.splat(1), t);
  const both = f32x4.mul(t, rest);
  const denominator = denominatorOf(slope, left, right, both);
  const numerator = numeratorOf(slope, left, t, both);
  const share = f32x4.div(numerator, denominator);
  const value = clip(form, multiplyAdd(height, share, v128.load(half, AT_Y)));
  const mixture = mixtureOf(slope, left, right, t, rest);
  const logDerivative = logOf(mixture, f32x4.div(slope, denominator));
  const inside = insideOf(form, given);
  v128.store(half, v128.bitselect(exactEnd(form, x, value), given, inside), AT_VALUE);
  v128.store(half, v128.bitselect(logDerivative, f32x4.splat(form.beyond), inside), AT_LOG);
}

/** The end of the box at its end: the sum of a piece's start and size need not round to it. */
// @ts-ignore: decorator
@inline
function exactEnd(form: SplineForm, from: v128, to: v128): v128 {
  const end = f32x4.splat(form.bound);
  return v128.bitselect(end, to, f32x4.eq(from, end));
}

/** log dy/dx */
// @ts-ignore: decorator
@inline
function logOf(mixture: v128, ratio: v128): v128 {
  const ofRatio = log(ratio);
  return f32x4.add(log(mixture), f32x4.add(ofRatio, ofRatio));
}

/**
 * Four values turned back: t of the quadratic a t^2 + b t + c = 0, in whichever form cancels nothing, then one step of Newton's method
 * against its rounding.
 */
export function invertHalf(form: SplineForm, half: usize): void {
  const given = v128.load(half, AT_GIVEN);
  const y = intoBox(form, given);
  v128.store(half, y, AT_INPUT);
  findPieces(form, half, true);
  openPieces(form, half);
  const height = v128.load(half, AT_HEIGHT);
  const width = v128.load(half, AT_WIDTH);
  const left = v128.load(half, AT_LEFT);
  const right = v128.load(half, AT_RIGHT);
  const x0 = v128.load(half, AT_X);
  const y0 = v128.load(half, AT_Y);
  const one = f32x4.splat(1);
  const slope = f32x4.div(height, width);
  const above = f32x4.sub(y, y0);
  const bent = f32x4.mul(above, bendOf(slope, left, right));
  const a = multiplyAdd(height, f32x4.sub(slope, left), bent);
  const b = f32x4.sub(f32x4.mul(height, left), bent);
  const minusC = f32x4.mul(slope, above);
  const discriminant = multiplyAdd(f32x4.splat(4), f32x4.mul(a, minusC), f32x4.mul(b, b));
  const root = f32x4.sqrt(f32x4.pmax(discriminant, f32x4.splat(0)));
  const large = f32x4.add(f32x4.abs(b), root);
  const negative = f32x4.lt(b, f32x4.splat(0));
  const twice = f32x4.splat(2);
  const found = f32x4.div(
    v128.bitselect(large, f32x4.mul(minusC, twice), negative),
    v128.bitselect(f32x4.mul(a, twice), large, negative),
  );
  const x1 = clip(form, multiplyAdd(shareOf(found), width, x0));
  let t = f32x4.div(f32x4.sub(x1, x0), width);
  let both = f32x4.mul(t, f32x4.sub(one, t));
  let denominator = denominatorOf(slope, left, right, both);
  const value = multiplyAdd(height, f32x4.div(numeratorOf(slope, left, t, both), denominator), y0);
  const ratio = f32x4.div(slope, denominator);
  const derivative = f32x4.mul(
    mixtureOf(slope, left, right, t, f32x4.sub(one, t)),
    f32x4.mul(ratio, ratio),
  );
  const x = clip(form, f32x4.sub(x1, f32x4.div(f32x4.sub(value, y), f32x4.pmax(derivative, f32x4.splat(<f32>FLATTEST)))));
  t = shareOf(f32x4.div(f32x4.sub(x, x0), width));
  both = f32x4.mul(t, f32x4.sub(one, t));
  denominator = denominatorOf(slope, left, right, both);
  const mixture = mixtureOf(slope, left, right, t, f32x4.sub(one, t));
  const logDerivative = f32x4.neg(logOf(mixture, f32x4.div(slope, denominator)));
  const inside = insideOf(form, given);
  v128.store(half, v128.bitselect(exactEnd(form, y, x), given, inside), AT_VALUE);
  v128.store(half, v128.bitselect(logDerivative, f32x4.splat(form.beyond), inside), AT_LOG);
}
