import { exp, softplus } from './exponential';
import { LINE_BYTES, linesOf, rowsToLines } from './transpose';
import { multiplyAdd, storePair, zero } from './vector';

/** Which splines these are. */
@unmanaged
export class SplineForm {
  bins: i32;
  /** How many derivatives are learned, and the first knot that has one; on a circle the last knot has that of the first. */
  slopes: i32;
  firstSlope: i32;
  circular: i32;
  /** What the log-derivative is outside of the box. */
  beyond: f32;
  bound: f32;
  /** Least share of a piece, and least derivative. */
  minimum: f32;
  /** What is added to the parameter of a derivative: 0 is then a derivative of 1, also for knots that have no parameter. */
  one: f32;
}

/*
 * Eight splines are computed at a time. Their room has a line for each of these numbers, and after them the parameters: K lines of widths,
 * K of heights, K + 1 of derivatives at the knots. Widths and heights become their exponentials, and in the end all become gradients.
 */

/** What is given, and the same brought into the box. */
export const AT_GIVEN: usize = 0 * LINE_BYTES;
export const AT_INPUT: usize = 1 * LINE_BYTES;
export const AT_VALUE: usize = 2 * LINE_BYTES;
export const AT_LOG: usize = 3 * LINE_BYTES;
/** Sums of exponentials. */
export const AT_WIDTHS: usize = 4 * LINE_BYTES;
export const AT_HEIGHTS: usize = 5 * LINE_BYTES;
/** The piece: its number, the exponentials before it and its own, the parameters of the derivatives at its ends. */
export const AT_BIN: usize = 6 * LINE_BYTES;
export const AT_BEFORE_X: usize = 7 * LINE_BYTES;
export const AT_HERE_X: usize = 8 * LINE_BYTES;
export const AT_BEFORE_Y: usize = 9 * LINE_BYTES;
export const AT_HERE_Y: usize = 10 * LINE_BYTES;
export const AT_RAW_LEFT: usize = 11 * LINE_BYTES;
export const AT_RAW_RIGHT: usize = 12 * LINE_BYTES;
/** The same in numbers of the box. */
export const AT_X: usize = 13 * LINE_BYTES;
export const AT_WIDTH: usize = 14 * LINE_BYTES;
export const AT_Y: usize = 15 * LINE_BYTES;
export const AT_HEIGHT: usize = 16 * LINE_BYTES;
export const AT_LEFT: usize = 17 * LINE_BYTES;
export const AT_RIGHT: usize = 18 * LINE_BYTES;
/** Gradients in value and log-derivative. */
export const AT_DY: usize = 19 * LINE_BYTES;
export const AT_DLOG: usize = 20 * LINE_BYTES;
/** Where each value lies among the channels, bytes. */
export const AT_PLACE: usize = 21 * LINE_BYTES;
/** Gradients in the parameters of the derivatives, and three factors each for those of widths and heights. */
export const AT_OF_LEFT: usize = 22 * LINE_BYTES;
export const AT_OF_RIGHT: usize = 23 * LINE_BYTES;
export const AT_OF_X: usize = 24 * LINE_BYTES;
export const AT_OF_Y: usize = 27 * LINE_BYTES;
/** Which values they are. */
export const AT_WALK: usize = 30 * LINE_BYTES;
export const AT_LINES: usize = 31 * LINE_BYTES;

/** Bytes of the room of eight splines; parameters are read and written in blocks of four lines. */
export function splineRoomBytes(bins: i32): usize {
  return AT_LINES + linesOf(3 * bins + 4);
}

/** Address of the lines of heights, then of derivatives. */
// @ts-ignore: decorator
@inline
export function heightLines(form: SplineForm, room: usize): usize {
  return room + AT_LINES + linesOf(form.bins);
}

// @ts-ignore: decorator
@inline
export function slopeLines(form: SplineForm, room: usize): usize {
  return room + AT_LINES + linesOf(2 * form.bins);
}

/** Reads the parameters of 1 to 8 values. */
export function loadSplines(form: SplineForm, room: usize, parameters: usize, rows: i32): void {
  const bins = form.bins;
  const rowBytes = <usize>(2 * bins + form.slopes) << 2;
  const ofSlopes = parameters + (<usize>bins << 3);
  rowsToLines(parameters, rowBytes, rows, 2 * bins, room + AT_LINES);
  rowsToLines(ofSlopes, rowBytes, rows, form.slopes, slopeLines(form, room) + linesOf(form.firstSlope));
  completeSplines(form, room);
}

/** The same for parameters that lie in lines. */
export function copySplines(form: SplineForm, room: usize, lines: usize): void {
  const bytes = linesOf(2 * form.bins);
  memory.copy(room + AT_LINES, lines, bytes);
  memory.copy(slopeLines(form, room) + linesOf(form.firstSlope), lines + bytes, linesOf(form.slopes));
  completeSplines(form, room);
}

/** The knots that have no parameter, and exponentials of widths and heights. */
function completeSplines(form: SplineForm, room: usize): void {
  const first = slopeLines(form, room);
  const last = first + linesOf(form.bins);
  if (form.circular) {
    storePair(last, v128.load(first), v128.load(first, 16));
  } else if (form.firstSlope > 0) {
    storePair(first, zero(), zero());
    storePair(last, zero(), zero());
  }
  exponentiate(room + AT_LINES, form.bins, room + AT_WIDTHS);
  exponentiate(heightLines(form, room), form.bins, room + AT_HEIGHTS);
}

/** e^(u - largest u) in each line, and their sums. */
function exponentiate(lines: usize, bins: i32, sums: usize): void {
  const end = lines + linesOf(bins);
  let low = v128.load(lines);
  let high = v128.load(lines, 16);
  for (let at = lines + LINE_BYTES; at < end; at += LINE_BYTES) {
    low = f32x4.pmax(low, v128.load(at));
    high = f32x4.pmax(high, v128.load(at, 16));
  }
  let lowSum = zero();
  let highSum = zero();
  for (let at = lines; at < end; at += LINE_BYTES) {
    const ofLow = exp(f32x4.sub(v128.load(at), low));
    const ofHigh = exp(f32x4.sub(v128.load(at, 16), high));
    storePair(at, ofLow, ofHigh);
    lowSum = f32x4.add(lowSum, ofLow);
    highSum = f32x4.add(highSum, ofHigh);
  }
  storePair(sums, lowSum, highSum);
}

/** Values of the box as they are; those outside at its nearest end, or at the same point of the circle. */
// @ts-ignore: decorator
@inline
export function intoBox(form: SplineForm, x: v128): v128 {
  if (form.circular) {
    const turn = f32x4.splat(2 * form.bound);
    const turns = f32x4.floor(f32x4.div(f32x4.add(x, f32x4.splat(form.bound)), turn));
    x = f32x4.sub(x, f32x4.mul(turns, turn));
  }
  return clip(form, x);
}

/** Between the ends of the box; NaN stays. */
// @ts-ignore: decorator
@inline
export function clip(form: SplineForm, x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(-form.bound)), f32x4.splat(form.bound));
}

/** Lanes all ones where a value is in the box, or the box is a circle. */
// @ts-ignore: decorator
@inline
export function insideOf(form: SplineForm, x: v128): v128 {
  return form.circular ? i32x4.splat(-1) : f32x4.le(f32x4.abs(x), f32x4.splat(form.bound));
}

/** Length of the box that is shared out by one exponential; `sum` is that of all. */
// @ts-ignore: decorator
@inline
export function unitOf(form: SplineForm, sum: v128): v128 {
  return f32x4.div(f32x4.splat(2 * form.bound * (1 - <f32>form.bins * form.minimum)), sum);
}

/** Finds the pieces of four values (the half of a room) among the widths, or the heights. */
// @ts-ignore: decorator
@inline
export function findPieces(form: SplineForm, half: usize, amongHeights: bool): void {
  const least: f32 = 2 * form.bound * form.minimum;
  const at = v128.load(half, AT_INPUT);
  const unit = unitOf(form, v128.load(half + (amongHeights ? AT_HEIGHTS : AT_WIDTHS)));
  let width = half + AT_LINES;
  let height = heightLines(form, half);
  let slope = slopeLines(form, half);
  let hereX = v128.load(width);
  let hereY = v128.load(height);
  let left = v128.load(slope);
  let right = v128.load(slope, LINE_BYTES);
  let beforeX = zero();
  let beforeY = zero();
  let bin = zero();
  let sumX = hereX;
  let sumY = hereY;
  for (let k = 1; k < form.bins; k++) {
    width += LINE_BYTES;
    height += LINE_BYTES;
    slope += LINE_BYTES;
    const start = multiplyAdd(unit, amongHeights ? sumY : sumX, f32x4.splat(<f32>k * least - form.bound));
    const reached = f32x4.ge(at, start);
    const w = v128.load(width);
    const h = v128.load(height);
    beforeX = v128.bitselect(sumX, beforeX, reached);
    beforeY = v128.bitselect(sumY, beforeY, reached);
    hereX = v128.bitselect(w, hereX, reached);
    hereY = v128.bitselect(h, hereY, reached);
    left = v128.bitselect(right, left, reached);
    right = v128.bitselect(v128.load(slope, LINE_BYTES), right, reached);
    bin = i32x4.sub(bin, reached);
    sumX = f32x4.add(sumX, w);
    sumY = f32x4.add(sumY, h);
  }
  v128.store(half, bin, AT_BIN);
  v128.store(half, beforeX, AT_BEFORE_X);
  v128.store(half, hereX, AT_HERE_X);
  v128.store(half, beforeY, AT_BEFORE_Y);
  v128.store(half, hereY, AT_HERE_Y);
  v128.store(half, left, AT_RAW_LEFT);
  v128.store(half, right, AT_RAW_RIGHT);
}

/** What the found pieces are in numbers of the box: where they begin, their sizes, the derivatives at their ends. */
// @ts-ignore: decorator
@inline
export function openPieces(form: SplineForm, half: usize): void {
  const bin = f32x4.convert_i32x4_s(v128.load(half, AT_BIN));
  const unitX = unitOf(form, v128.load(half, AT_WIDTHS));
  const unitY = unitOf(form, v128.load(half, AT_HEIGHTS));
  const beforeX = v128.load(half, AT_BEFORE_X);
  const beforeY = v128.load(half, AT_BEFORE_Y);
  const x = startOf(form, unitX, beforeX, bin);
  const y = startOf(form, unitY, beforeY, bin);
  v128.store(half, x, AT_X);
  v128.store(half, y, AT_Y);
  v128.store(half, sizeOf(form, unitX, f32x4.add(beforeX, v128.load(half, AT_HERE_X)), bin, x), AT_WIDTH);
  v128.store(half, sizeOf(form, unitY, f32x4.add(beforeY, v128.load(half, AT_HERE_Y)), bin, y), AT_HEIGHT);
  v128.store(half, derivativeOf(form, v128.load(half, AT_RAW_LEFT)), AT_LEFT);
  v128.store(half, derivativeOf(form, v128.load(half, AT_RAW_RIGHT)), AT_RIGHT);
}

/** Where the piece of a number begins, by the sum of the exponentials before it. */
// @ts-ignore: decorator
@inline
function startOf(form: SplineForm, unit: v128, before: v128, bin: v128): v128 {
  const least = f32x4.splat(2 * form.bound * form.minimum);
  return multiplyAdd(unit, before, multiplyAdd(bin, least, f32x4.splat(-form.bound)));
}

/** Its size; the last piece ends at the bound itself. */
// @ts-ignore: decorator
@inline
function sizeOf(form: SplineForm, unit: v128, through: v128, bin: v128, start: v128): v128 {
  const next = f32x4.add(bin, f32x4.splat(1));
  const last = f32x4.eq(next, f32x4.splat(<f32>form.bins));
  return f32x4.sub(v128.bitselect(f32x4.splat(form.bound), startOf(form, unit, through, next), last), start);
}

// @ts-ignore: decorator
@inline
function derivativeOf(form: SplineForm, raw: v128): v128 {
  return f32x4.add(softplus(f32x4.add(raw, f32x4.splat(form.one))), f32x4.splat(form.minimum));
}

/** A share of a piece, between 0 and 1; NaN stays. */
// @ts-ignore: decorator
@inline
export function shareOf(t: v128): v128 {
  return f32x4.pmin(f32x4.pmax(t, zero()), f32x4.splat(1));
}

/** s + (d_{k+1} + d_k - 2 s) t (1 - t) */
// @ts-ignore: decorator
@inline
export function denominatorOf(slope: v128, left: v128, right: v128, both: v128): v128 {
  return multiplyAdd(bendOf(slope, left, right), both, slope);
}

// @ts-ignore: decorator
@inline
export function bendOf(slope: v128, left: v128, right: v128): v128 {
  return f32x4.sub(f32x4.add(left, right), f32x4.add(slope, slope));
}

/** s t^2 + d_k t (1 - t) */
// @ts-ignore: decorator
@inline
export function numeratorOf(slope: v128, left: v128, t: v128, both: v128): v128 {
  return multiplyAdd(slope, f32x4.mul(t, t), f32x4.mul(left, both));
}

/** d_{k+1} t^2 + 2 s t (1 - t) + d_k (1 - t)^2 */
// @ts-ignore: decorator
@inline
export function mixtureOf(slope: v128, left: v128, right: v128, t: v128, rest: v128): v128 {
  const ends = multiplyAdd(right, f32x4.mul(t, t), f32x4.mul(left, f32x4.mul(rest, rest)));
  return multiplyAdd(f32x4.add(slope, slope), f32x4.mul(t, rest), ends);
}
