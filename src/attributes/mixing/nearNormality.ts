import type { MixtureDesign } from './design';
import { POINT_ENERGY } from './energy';
import { type SimulatedDistances, simulateDistances } from './simulate';
import type { ViewEvidence } from './verdict';

/** Distances that are simulated, in units of epsilon; what lies between is interpolated. */
const STEPS = [0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13];
const LARGEST = 0.4;
/** No sample is taken for nearer to normal than this share of the normal ones are. */
const NEAREST = 0.1;

/**
 * Distance of a population from normal, with limits by test inversion, from the energy distance of a sample.
 *
 *     high: the largest distance with P(T <= t | distance) > (1 - level) P(T <= t | normal)
 *     low: the smallest with P(T >= t | distance) > 1 - level
 *
 * Each holds with probability `level` or more at any number of samples. Dividing by the chance of normal samples keeps a lucky draw
 * of a few samples, which cannot tell the two apart, from being taken for support. A bootstrap would not do: it adds the distance
 * that resampling itself makes.
 *
 * Source: for the division, Read, "Presentation of search results: the CLs technique" (2002), doi:10.1088/0954-3899/28/10/313.
 */
export function nearNormalityOf(
  energy: number,
  design: MixtureDesign,
  epsilon: number,
  level: number,
): ViewEvidence {
  const distances = STEPS.map((step) => step * epsilon).filter((value) => value <= LARGEST);
  const simulated = simulateDistances(design, distances);
  const alpha = 1 - level;
  const support = (k: number, t: number) => supportAt(simulated, k, t);
  const exceeding = distances.map((_, k) => mostOf(simulated, k, (list) => shareFrom(list, energy)));
  const atEpsilon = STEPS.indexOf(1);
  const { normal } = simulated;
  const expected = normal.reduce((sum, value) => sum + value, 0) / normal.length;
  return {
    distance: {
      value: Math.sqrt(Math.max(0, energy - expected)),
      low: crossing([0, ...distances], [shareFrom(normal, energy), ...exceeding], alpha),
      high: highest([0, ...distances], [1, ...distances.map((_, k) => support(k, energy))], alpha),
      power: normal.filter((t) => support(atEpsilon, t) <= alpha).length / normal.length,
    },
    p: exceeding[atEpsilon],
  };
}

/** P(T <= t) at a distance over that of normal populations, for the departure that hides best. */
function supportAt(simulated: SimulatedDistances, k: number, t: number): number {
  const { normal } = simulated;
  const from = Math.max(t, normal[Math.floor(NEAREST * normal.length)]);
  return mostOf(simulated, k, (list) => shareUpTo(list, from)) / shareUpTo(normal, from);
}

function mostOf(
  { bent, bentMeans }: SimulatedDistances,
  k: number,
  share: (list: Float64Array) => number,
): number {
  const means = bentMeans[k];
  return means === null ? share(bent[k]) : Math.max(share(bent[k]), share(means));
}

/** (1 + values <= t) / (1 + values): never 0, as the next could have been. */
function shareUpTo(sorted: Float64Array, t: number): number {
  return (1 + countBelow(sorted, t, true)) / (1 + sorted.length);
}

function shareFrom(sorted: Float64Array, t: number): number {
  return (1 + sorted.length - countBelow(sorted, t, false)) / (1 + sorted.length);
}

function countBelow(sorted: Float64Array, t: number, inclusive: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < t || (inclusive && sorted[middle] === t)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where rising values first exceed a limit; the last place where none does. */
function crossing(places: readonly number[], values: readonly number[], limit: number): number {
  const k = values.findIndex((value) => value > limit);
  if (k < 0) return places[places.length - 1];
  return k === 0 ? 0 : between(places, values, k, limit);
}

/** Where falling values last exceed a limit; the farthest that any distribution lies from normal where the last one does. */
function highest(places: readonly number[], values: readonly number[], limit: number): number {
  let k = values.length - 1;
  if (values[k] > limit) return Math.sqrt(POINT_ENERGY);
  while (values[k - 1] <= limit) k--;
  return between(places, values, k, limit);
}

/** Where the line from place k - 1 to place k meets the limit. */
function between(places: readonly number[], values: readonly number[], k: number, limit: number): number {
  const part = (limit - values[k - 1]) / (values[k] - values[k - 1]);
  return places[k - 1] + part * (places[k] - places[k - 1]);
}
