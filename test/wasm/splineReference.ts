import type { FusedEvents, FusedSpline } from '../../src/layers/transformers/fusedTransformer';
import type { HostTensor } from './helpers';

/*
 * Rational-quadratic splines in float64, as plain loops over the definition; inverses by bisection, gradients by differences.
 */

/** Splines and what they are given. */
export type SplineEvents = FusedSpline & FusedEvents;

/** [value, log-derivative] of a number. */
type Map = (x: number, parameters: ArrayLike<number>) => [number, number];

function softmaxKnots(raw: number[], { bound, minimum }: SplineEvents): number[] {
  const largest = Math.max(...raw);
  const exponentials = raw.map((u) => Math.exp(u - largest));
  const sum = exponentials.reduce((a, b) => a + b);
  const knots = [-bound];
  for (const e of exponentials) {
    const share = minimum + (1 - raw.length * minimum) * (e / sum);
    knots.push(knots[knots.length - 1] + 2 * bound * share);
  }
  knots[raw.length] = bound;
  return knots;
}

function slopesOf(raw: number[], { tails, minimum }: SplineEvents): number[] {
  const one = Math.log(Math.expm1(1 - minimum));
  const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  const learned = raw.map((u) => minimum + softplus(u + one));
  if (tails === 'linear') return [1, ...learned, 1];
  return tails === 'circular' ? [...learned, learned[0]] : learned;
}

function forwardMap(options: SplineEvents): Map {
  const { bins, bound, tails } = options;
  return (given, parameters) => {
    const raw = Array.from(parameters);
    const xs = softmaxKnots(raw.slice(0, bins), options);
    const ys = softmaxKnots(raw.slice(bins, 2 * bins), options);
    const slopes = slopesOf(raw.slice(2 * bins), options);
    if (tails !== 'circular' && Math.abs(given) > bound) return [given, beyond(tails)];
    const x = tails === 'circular' ? given - 2 * bound * Math.floor((given + bound) / (2 * bound)) : given;
    let k = 0;
    while (k < bins - 1 && x >= xs[k + 1]) k++;
    const width = xs[k + 1] - xs[k];
    const height = ys[k + 1] - ys[k];
    const [left, right] = slopes.slice(k, k + 2);
    const s = height / width;
    const t = (x - xs[k]) / width;
    const den = s + (right + left - 2 * s) * t * (1 - t);
    const mixture = right * t * t + 2 * s * t * (1 - t) + left * (1 - t) ** 2;
    const y = ys[k] + (height * (s * t * t + left * t * (1 - t))) / den;
    return [y, 2 * Math.log(s) + Math.log(mixture) - 2 * Math.log(den)];
  };
}

function beyond(tails: FusedSpline['tails']): number {
  return tails === 'none' ? Number.NEGATIVE_INFINITY : 0;
}

function inverseMap(options: SplineEvents): Map {
  const { bound, tails } = options;
  const forward = forwardMap(options);
  return (given, parameters) => {
    if (tails !== 'circular' && Math.abs(given) > bound) return [given, beyond(tails)];
    const y = tails === 'circular' ? given - 2 * bound * Math.floor((given + bound) / (2 * bound)) : given;
    let [low, high] = [-bound, bound];
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      // The end of a circle is its beginning.
      if (middle < bound && forward(middle, parameters)[0] < y) low = middle;
      else high = middle;
    }
    const x = (low + high) / 2;
    return [x, -forward(x, parameters)[1]];
  };
}

/** Value and logDet of events, then the gradients in x and the parameters. */
export function splineEvents(
  x: HostTensor,
  parameters: HostTensor,
  options: SplineEvents,
  dy: ArrayLike<number>,
  dLogDet: ArrayLike<number>,
): Float64Array[] {
  const map = options.inverse ? inverseMap(options) : forwardMap(options);
  const channels = x.shape[x.shape.length - 1];
  const changed = channels - options.kept;
  const perExample = x.values.length / x.shape[0];
  const perValue = parameters.values.length / ((x.values.length / channels) * changed);
  const value = Float64Array.from(x.values);
  const logDet = new Float64Array(x.shape[0]);
  const dx = Float64Array.from(dy);
  const dParameters = new Float64Array(parameters.values.length);
  let first = 0;
  for (let at = 0; at < x.values.length; at++) {
    if (at % channels < options.kept) continue;
    const example = Math.floor(at / perExample);
    const own = Float64Array.from(parameters.values.slice(first, first + perValue));
    const [y, log] = map(x.values[at], own);
    value[at] = y;
    logDet[example] += log;
    // Nothing depends on what is infinite.
    const objective = ([result, ofLog]: [number, number]) =>
      dy[at] * result + (Number.isFinite(ofLog) ? dLogDet[example] * ofLog : 0);
    dx[at] = slope((given) => objective(map(given, own)), x.values[at]);
    own.forEach((u, i) => {
      const changedBy = (given: number) => own.map((other, j) => (i === j ? given : other));
      dParameters[first + i] = slope((given) => objective(map(x.values[at], changedBy(given))), u);
    });
    first += perValue;
  }
  return [value, logDet, dx, dParameters];
}

function slope(f: (x: number) => number, at: number): number {
  const step = 1e-5;
  return (f(at + step) - f(at - step)) / (2 * step);
}
