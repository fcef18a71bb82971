import { FLATTEST } from '../core/kernelConstants';
import type { FusedSpline } from '../layers/transformers/fusedTransformer';
import { DERIVATIVES, type SplineTails } from '../layers/transformers/splineKnots';
import { exponentials, logOnePlus, sigmoids, softplus } from './elementary';

/*
 * Rational-quadratic splines in WGSL, as layers/transformers/rationalQuadraticSpline has them. The parameters of one value lie in a row of
 * `room`, workgroup memory that begins at `row`; exponentials of widths and heights take their places, and gradients all of them.
 */

/** What a spline's code depends on. */
export type SplineCode = Pick<FusedSpline, 'bins' | 'tails'>;

/** Sizes that the code reads, and their values. */
export const SPLINE_SIZES = ['bound: f32', 'minimum: f32', 'one: f32', 'beyond: f32'];

export function splineSizes({ bound, minimum, tails }: FusedSpline): number[] {
  const one = Math.log(Math.expm1(1 - minimum));
  return [bound, minimum, one, tails === 'none' ? Number.NEGATIVE_INFINITY : 0];
}

/** Numbers that steer one value. */
export function parametersOf({ bins, tails }: SplineCode): number {
  return 3 * bins + DERIVATIVES[tails];
}

/** The parameter of the derivative at a knot; that of ends without one is 0, which is a derivative of 1. */
const RAW_SLOPES: Record<SplineTails, string> = {
  linear: 'if (knot == 0u || knot == BINS) { return 0f; } return room[row + 2u * BINS + knot - 1u];',
  circular: 'return room[row + 2u * BINS + knot % BINS];',
  none: 'return room[row + 2u * BINS + knot];',
};

/** Values of the box as they are; those outside at its nearest end, or at the same point of the circle. */
const INTO_BOX: Record<'circle' | 'box', string> = {
  circle: 'let turn = 2f * sizes.bound; return clipped(given - floor((given + sizes.bound) / turn) * turn);',
  box: 'return clipped(given);',
};

/** What maps and gradients have in common: the piece of a value. */
function pieces({ bins, tails }: SplineCode): string {
  const circular = tails === 'circular';
  return `${logOnePlus()}${softplus()}${exponentials()}
const BINS = ${bins}u;

fn clipped(x: f32) -> f32 {
  return select(select(x, sizes.bound, x > sizes.bound), -sizes.bound, x < -sizes.bound);
}
fn intoBox(given: f32) -> f32 { ${INTO_BOX[circular ? 'circle' : 'box']} }
fn isInside(given: f32) -> bool { return ${circular ? 'true' : 'abs(given) <= sizes.bound'}; }

fn exponentiated(first: u32) -> f32 {
  var largest = room[first];
  for (var i = 1u; i < BINS; i++) { largest = max(largest, room[first + i]); }
  var sum = 0f;
  for (var i = 0u; i < BINS; i++) {
    let e = expOf(room[first + i] - largest);
    room[first + i] = e;
    sum += e;
  }
  return sum;
}
fn rawSlope(row: u32, knot: u32) -> f32 { ${RAW_SLOPES[tails]} }

// Numbers of both axes side by side: exponentials before the piece and its own, length of the box for one, where it begins, its sizes.
struct Piece {
  bin: u32,
  before: vec2f,
  here: vec2f,
  unit: vec2f,
  start: vec2f,
  size: vec2f,
  slope: f32,
  left: f32,
  right: f32,
}
fn pieceOf(row: u32, at: f32, axis: u32) -> Piece {
  var p: Piece;
  let least = 2f * sizes.bound * sizes.minimum;
  let sums = vec2f(exponentiated(row), exponentiated(row + BINS));
  p.unit = 2f * sizes.bound * (1f - ${bins}f * sizes.minimum) / sums;
  p.here = vec2f(room[row], room[row + BINS]);
  var through = p.here;
  for (var k = 1u; k < BINS; k++) {
    let start = p.unit[axis] * through[axis] + (f32(k) * least - sizes.bound);
    let next = vec2f(room[row + k], room[row + BINS + k]);
    if (at >= start) {
      p.before = through;
      p.here = next;
      p.bin = k;
    }
    through += next;
  }
  p.start = p.unit * p.before + (f32(p.bin) * least - sizes.bound);
  // The last piece ends at the bound itself.
  let end = p.unit * (p.before + p.here) + (f32(p.bin + 1u) * least - sizes.bound);
  p.size = select(end, vec2f(sizes.bound), p.bin + 1u == BINS) - p.start;
  p.slope = p.size.y / p.size.x;
  p.left = softplus(rawSlope(row, p.bin) + sizes.one) + sizes.minimum;
  p.right = softplus(rawSlope(row, p.bin + 1u) + sizes.one) + sizes.minimum;
  return p;
}

// A share t of a piece, and what the map makes of it: y = start + size * numerator / denominator.
struct Place {
  t: f32,
  rest: f32,
  both: f32,
  numerator: f32,
  denominator: f32,
  mixture: f32,
}
fn placeIn(p: Piece, t: f32) -> Place {
  let rest = 1f - t;
  let both = t * rest;
  let numerator = p.slope * t * t + p.left * both;
  let denominator = p.slope + (p.left + p.right - 2f * p.slope) * both;
  let mixture = p.right * t * t + 2f * p.slope * both + p.left * rest * rest;
  return Place(t, rest, both, numerator, denominator, mixture);
}
fn logDerivative(p: Piece, at: Place) -> f32 { return logOf(at.mixture) + 2f * logOf(p.slope / at.denominator); }
fn derivative(p: Piece, at: Place) -> f32 {
  let ratio = p.slope / at.denominator;
  return at.mixture * ratio * ratio;
}
fn steepEnough(slope: f32) -> f32 { return select(slope, ${FLATTEST}, slope < ${FLATTEST}); }`;
}

const FORWARD = `
  let p = pieceOf(row, inBox, 0u);
  let at = placeIn(p, (inBox - p.start.x) / p.size.x);
  let result = clipped(p.start.y + p.size.y * (at.numerator / at.denominator));
  let log = logDerivative(p, at);`;

/** t of a t^2 + b t + c = 0 in whichever form cancels nothing, then one step of Newton's method against its rounding. */
const INVERSE = `
  let p = pieceOf(row, inBox, 1u);
  let above = inBox - p.start.y;
  let bent = above * (p.left + p.right - 2f * p.slope);
  let a = p.size.y * (p.slope - p.left) + bent;
  let b = p.size.y * p.left - bent;
  let minusC = p.slope * above;
  let discriminant = b * b + 4f * a * minusC;
  let large = abs(b) + sqrt(select(discriminant, 0f, discriminant < 0f));
  let found = select(2f * minusC / large, large / (2f * a), b < 0f);
  let first = clipped(p.start.x + shareOf(found) * p.size.x);
  let near = placeIn(p, (first - p.start.x) / p.size.x);
  // From where the piece begins: of a flat piece far from 0 nothing would be left of a difference of values.
  let off = p.size.y * (near.numerator / near.denominator) - above;
  let result = clipped(first - off / steepEnough(derivative(p, near)));
  let log = -logDerivative(p, placeIn(p, shareOf((result - p.start.x) / p.size.x)));`;

/** `mapped(given, row)`: value and log-derivative. */
export function splineMap(code: SplineCode, inverse: boolean): string {
  return `${pieces(code)}
fn shareOf(t: f32) -> f32 { return select(select(t, 1f, t > 1f), 0f, t < 0f); }
fn mapped(given: f32, row: u32) -> vec2f {
  let inBox = intoBox(given);
  ${inverse ? INVERSE : FORWARD}
  // The sum of a piece's start and size need not round to the end of the box.
  let value = select(result, sizes.bound, inBox == sizes.bound);
  return select(vec2f(given, sizes.beyond), vec2f(value, log), isInside(given));
}`;
}

/**
 * `gradientOf(given, row, dy, dLog)`: the gradient in what was given; those in the parameters take their places. `given` is of the data's
 * side.
 *
 * Those of the inverse are the implicit function's: for a total gradient g in x, that of its log-derivative included, they are g / f' in y,
 * and those of f at -g / f' in the parameters.
 */
export function splineGradient(code: SplineCode, inverse: boolean): string {
  const first = code.tails === 'linear' ? 1 : 0;
  const circular = code.tails === 'circular';
  return `${pieces(code)}${sigmoids()}
// Exponentials times factors of those before, in and after the piece, from the gradients in its start and size.
fn spread(first: u32, p: Piece, axis: u32, ofStart: f32, ofSize: f32) {
  // Size is the next start less this one; the last piece ends at the bound, which nothing moves.
  let isLast = p.bin + 1u == BINS;
  let ofBefore = ofStart - select(0f, ofSize, isLast);
  let ofHere = select(ofSize, 0f, isLast);
  var sum = 0f;
  for (var i = 0u; i < BINS; i++) { sum += room[first + i]; }
  let mean = (ofBefore * p.before[axis] + ofHere * p.here[axis]) / sum;
  for (var i = 0u; i < BINS; i++) {
    let direct = select(select(0f, ofHere, i == p.bin), ofBefore, i < p.bin);
    room[first + i] *= p.unit[axis] * (direct - mean);
  }
}
fn gradientOf(given: f32, row: u32, dy: f32, dLog: f32) -> f32 {
  let x = intoBox(given);
  let p = pieceOf(row, x, 0u);
  let at = placeIn(p, (x - p.start.x) / p.size.x);
  let slopeHere = derivative(p, at);
  let share = at.numerator / at.denominator;
  let isIn = isInside(given);
  let ofResult = select(0f, dy, isIn);
  let ofLog = select(0f, ${inverse ? '-' : ''}dLog, isIn);

  // The log-derivative is log mixture + 2 log slope - 2 log denominator.
  let ofMixture = ofLog / at.mixture;
  let logOfDenominator = -2f * ofLog / at.denominator;
  let bend = p.left + p.right - 2f * p.slope;
  let ofBoth = logOfDenominator * bend + 2f * p.slope * ofMixture;
  let ofT = 2f * ofMixture * (p.right * at.t - p.left * at.rest) + ofBoth * (at.rest - at.t);
  let logOfX = ofT / p.size.x;
  ${
    inverse
      ? `let result = (ofResult + logOfX) / steepEnough(slopeHere);
  let ofX = -ofResult;
  let ofY = -result;`
      : `let result = ofResult * slopeHere + logOfX;
  let ofX = result;
  let ofY = ofResult;`
  }

  // The value is y_k + height * numerator / denominator.
  let ofNumerator = ofY * p.size.y / at.denominator;
  let ofDenominator = logOfDenominator - ofNumerator * share;
  let square = at.t * at.t;
  let ofLeft = (ofNumerator + ofDenominator) * at.both + ofMixture * at.rest * at.rest;
  let ofRight = ofMixture * square + ofDenominator * at.both;
  let ofRatio = ofNumerator * square + 2f * ofLog / p.slope + 2f * at.both * (ofMixture - ofDenominator);
  let ofSlope = (ofRatio + ofDenominator) / p.size.x;
  let ofHeight = ofY * share + ofSlope;
  let ofWidth = -(ofSlope * p.slope + at.t * ofX);

  let ofRawLeft = ofLeft * sigmoid(rawSlope(row, p.bin) + sizes.one);
  let ofRawRight = ofRight * sigmoid(rawSlope(row, p.bin + 1u) + sizes.one);
  spread(row, p, 0u, -ofX, ofWidth);
  spread(row + BINS, p, 1u, ofY, ofHeight);
  for (var i = 0u; i < ${parametersOf(code) - 2 * code.bins}u; i++) {
    let knot = i + ${first}u;
    let isRight = ${circular ? 'knot == (p.bin + 1u) % BINS' : 'knot == p.bin + 1u'};
    room[row + 2u * BINS + i] = select(0f, ofRawLeft, knot == p.bin) + select(0f, ofRawRight, isRight);
  }
  return select(dy, result, isIn);
}`;
}
