import { FLATTEST } from '../src/core/kernelConstants';
import { sigmoid } from './exponential';
import { parallel, taskArguments, thread } from './parallel';
import { copyPassing, SplineEvents, Walk } from './splineEvents';
import {
  AT_BEFORE_X,
  AT_BEFORE_Y,
  AT_BIN,
  AT_DLOG,
  AT_DY,
  AT_GIVEN,
  AT_HEIGHT,
  AT_HEIGHTS,
  AT_INPUT,
  AT_LEFT,
  AT_LINES,
  AT_OF_LEFT,
  AT_OF_RIGHT,
  AT_OF_X,
  AT_OF_Y,
  AT_RAW_LEFT,
  AT_RAW_RIGHT,
  AT_RIGHT,
  AT_VALUE,
  AT_WALK,
  AT_WIDTH,
  AT_WIDTHS,
  AT_X,
  bendOf,
  denominatorOf,
  findPieces,
  heightLines,
  insideOf,
  intoBox,
  loadSplines,
  mixtureOf,
  numeratorOf,
  openPieces,
  slopeLines,
  SplineForm,
  splineRoomBytes,
  unitOf,
} from './splinePiece';
import { LINE_BYTES, linesOf, linesToRows } from './transpose';
import { ceilDivide, least, multiplyAdd, storePair } from './vector';

/**
 * Gradients in what was given and in the parameters, from those in value and logDet. The pieces are found anew.
 *
 * Those of the inverse x(y) are the implicit function's: for a total gradient g in x, that of its log-derivative included, they are
 * g / f' in y, and those of f at -g / f' in the parameters.
 */
export function splineGradient(): void {
  const s = taskArguments<SplineEvents>();
  parallel<SplineGradientExamples>(ceilDivide(s.examples, s.chunkExamples));
}

export class SplineGradientExamples {
  run(chunk: i32): void {
    const s = taskArguments<SplineEvents>();
    const room = s.rooms + <usize>thread() * splineRoomBytes(s.bins);
    const walk = changetype<Walk>(room + AT_WALK);
    const first = chunk * s.chunkExamples;
    const examples = least(s.chunkExamples, s.examples - first);
    const perExample = s.positions * s.changed;
    const rowBytes = <usize>(2 * s.bins + s.slopes) << 2;
    copyPassing(s, s.outputGradient, first, examples);
    walk.start(s, first);
    let at = rowBytes * (first * perExample);
    for (let left = examples * perExample; left > 0; left -= 8) {
      const count = least(left, 8);
      loadSplines(s, room, s.parameters + at, count);
      walk.gather(s, room, count);
      walk.gatherGradients(s, room, count);
      pieceGradient(s, room, s.inverse);
      pieceGradient(s, room + 16, s.inverse);
      spreadOverPieces(room, s.bins, room + AT_LINES, AT_OF_X);
      spreadOverPieces(room, s.bins, heightLines(s, room), AT_OF_Y);
      spreadOverKnots(s, room);
      walk.scatter(s, room, count);
      storeGradients(s, room, count, s.parametersGradient + at, rowBytes);
      at += rowBytes * 8;
    }
  }
}

/** Gradients in what four values were, and in all that their pieces say. */
function pieceGradient(form: SplineForm, half: usize, inverse: i32): void {
  const given = v128.load(half, AT_GIVEN);
  const x = intoBox(form, given);
  v128.store(half, x, AT_INPUT);
  findPieces(form, half, false);
  openPieces(form, half);
  const height = v128.load(half, AT_HEIGHT);
  const width = v128.load(half, AT_WIDTH);
  const left = v128.load(half, AT_LEFT);
  const right = v128.load(half, AT_RIGHT);
  const one = f32x4.splat(1);
  const slope = f32x4.div(height, width);
  const t = f32x4.div(f32x4.sub(x, v128.load(half, AT_X)), width);
  const rest = f32x4.sub(one, t);
  const both = f32x4.mul(t, rest);
  const denominator = denominatorOf(slope, left, right, both);
  const numerator = numeratorOf(slope, left, t, both);
  const mixture = mixtureOf(slope, left, right, t, rest);
  const bend = bendOf(slope, left, right);
  const share = f32x4.div(numerator, denominator);
  const ratio = f32x4.div(slope, denominator);
  const derivative = f32x4.mul(mixture, f32x4.mul(ratio, ratio));

  const inside = insideOf(form, given);
  const dy = v128.load(half, AT_DY);
  const ofResult = v128.and(dy, inside);
  const dLog = v128.load(half, AT_DLOG);
  const ofLog = v128.and(inverse ? f32x4.neg(dLog) : dLog, inside);

  // The log-derivative is log mixture + 2 log slope - 2 log denominator.
  const ofMixture = f32x4.div(ofLog, mixture);
  const twice = f32x4.add(ofLog, ofLog);
  const logOfDenominator = f32x4.neg(f32x4.div(twice, denominator));
  const ofBoth = multiplyAdd(logOfDenominator, bend, f32x4.mul(f32x4.add(slope, slope), ofMixture));
  const tilt = f32x4.sub(f32x4.mul(right, t), f32x4.mul(left, rest));
  const ofT = multiplyAdd(f32x4.add(ofMixture, ofMixture), tilt, f32x4.mul(ofBoth, f32x4.sub(rest, t)));
  const logOfX = f32x4.div(ofT, width);

  let result: v128, ofX: v128, ofY: v128;
  if (inverse) {
    result = f32x4.div(f32x4.add(ofResult, logOfX), f32x4.pmax(derivative, f32x4.splat(<f32>FLATTEST)));
    ofX = f32x4.neg(ofResult);
    ofY = f32x4.neg(result);
  } else {
    result = multiplyAdd(ofResult, derivative, logOfX);
    ofX = result;
    ofY = ofResult;
  }
  v128.store(half, v128.bitselect(result, dy, inside), AT_VALUE);

  // The value is y_k + height * numerator / denominator.
  const ofNumerator = f32x4.div(f32x4.mul(ofY, height), denominator);
  const ofDenominator = f32x4.sub(logOfDenominator, f32x4.mul(ofNumerator, share));
  const square = f32x4.mul(t, t);
  const ofLeft = multiplyAdd(
    f32x4.add(ofNumerator, ofDenominator),
    both,
    f32x4.mul(ofMixture, f32x4.mul(rest, rest)),
  );
  const ofRight = multiplyAdd(ofMixture, square, f32x4.mul(ofDenominator, both));
  let ofSlope = multiplyAdd(ofNumerator, square, f32x4.div(twice, slope));
  ofSlope = multiplyAdd(f32x4.add(both, both), f32x4.sub(ofMixture, ofDenominator), ofSlope);
  ofSlope = f32x4.div(f32x4.add(ofSlope, ofDenominator), width);
  const ofHeight = multiplyAdd(ofY, share, ofSlope);
  const ofWidth = f32x4.neg(multiplyAdd(ofSlope, slope, f32x4.mul(t, ofX)));

  v128.store(half, f32x4.mul(ofLeft, slopeOf(form, v128.load(half, AT_RAW_LEFT))), AT_OF_LEFT);
  v128.store(half, f32x4.mul(ofRight, slopeOf(form, v128.load(half, AT_RAW_RIGHT))), AT_OF_RIGHT);
  softmaxGradient(form, half, half + AT_WIDTHS, half + AT_BEFORE_X, f32x4.neg(ofX), ofWidth, half + AT_OF_X);
  softmaxGradient(form, half, half + AT_HEIGHTS, half + AT_BEFORE_Y, ofY, ofHeight, half + AT_OF_Y);
}

/** The slope of a derivative in its parameter. */
// @ts-ignore: decorator
@inline
function slopeOf(form: SplineForm, raw: v128): v128 {
  return sigmoid(f32x4.add(raw, f32x4.splat(form.one)));
}

/**
 * From the gradients in a piece's start and size three factors: of the exponentials before the piece, of its own and of those
 * after it they make the gradients in their parameters.
 *
 * @param before where the sum of the exponentials before the piece lies, then the piece's own
 */
// @ts-ignore: decorator
@inline
function softmaxGradient(
  form: SplineForm,
  half: usize,
  sums: usize,
  before: usize,
  ofStart: v128,
  ofSize: v128,
  to: usize,
): void {
  const sum = v128.load(sums);
  const unit = unitOf(form, sum);
  // Size is the next start less this one; the last piece ends at the bound, which nothing moves.
  const last = i32x4.eq(v128.load(half, AT_BIN), i32x4.splat(form.bins - 1));
  const ofBefore = f32x4.sub(ofStart, v128.and(ofSize, last));
  const ofHere = v128.andnot(ofSize, last);
  const weighted = multiplyAdd(
    ofBefore,
    v128.load(before),
    f32x4.mul(ofHere, v128.load(before, LINE_BYTES)),
  );
  const mean = f32x4.div(weighted, sum);
  v128.store(to, f32x4.mul(unit, f32x4.sub(ofBefore, mean)));
  v128.store(to, f32x4.mul(unit, f32x4.sub(ofHere, mean)), LINE_BYTES);
  v128.store(to, f32x4.neg(f32x4.mul(unit, mean)), 2 * LINE_BYTES);
}

/** Exponentials, each times the factor of its place before, in or after the piece. */
function spreadOverPieces(room: usize, bins: i32, lines: usize, factors: usize): void {
  for (let i = 0; i < bins; i++) {
    storePair(lines, spread(room, i, lines, factors), spread(room + 16, i, lines + 16, factors));
    lines += LINE_BYTES;
  }
}

// @ts-ignore: decorator
@inline
function spread(half: usize, i: i32, line: usize, factors: usize): v128 {
  const bin = v128.load(half, AT_BIN);
  const place = i32x4.splat(i);
  const others = v128.bitselect(
    v128.load(half + factors),
    v128.load(half + factors + 2 * LINE_BYTES),
    i32x4.lt_s(place, bin),
  );
  const factor = v128.bitselect(v128.load(half + factors + LINE_BYTES), others, i32x4.eq(place, bin));
  return f32x4.mul(v128.load(line), factor);
}

/** The gradients in the two derivatives of each piece, placed at their knots. */
function spreadOverKnots(form: SplineForm, room: usize): void {
  const lines = slopeLines(form, room);
  for (let i = 0; i <= form.bins; i++) {
    storePair(lines + linesOf(i), atKnot(room, i), atKnot(room + 16, i));
  }
  if (!form.circular) return;
  const last = lines + linesOf(form.bins);
  storePair(
    lines,
    f32x4.add(v128.load(lines), v128.load(last)),
    f32x4.add(v128.load(lines, 16), v128.load(last, 16)),
  );
}

// @ts-ignore: decorator
@inline
function atKnot(half: usize, i: i32): v128 {
  const bin = v128.load(half, AT_BIN);
  const left = v128.and(v128.load(half, AT_OF_LEFT), i32x4.eq(bin, i32x4.splat(i)));
  return v128.or(left, v128.and(v128.load(half, AT_OF_RIGHT), i32x4.eq(bin, i32x4.splat(i - 1))));
}

function storeGradients(form: SplineForm, room: usize, count: i32, to: usize, rowBytes: usize): void {
  const bins = form.bins;
  linesToRows(room + AT_LINES, count, 2 * bins, to, rowBytes);
  const slopes = slopeLines(form, room) + linesOf(form.firstSlope);
  linesToRows(slopes, count, form.slopes, to + (<usize>bins << 3), rowBytes);
}
