import { complaint, DataError } from '../../core/errors';
import { figure, printable } from '../../core/printable';
import { toVector, type VectorInput } from '../inputs';

/** Distances between two samples; all are 0 where the two hold the same values equally often. */
export interface TwoSampleDistances {
  /** Wasserstein-1: mean distance that mass has to move, in the values' unit. */
  wasserstein1: number;
  /** Energy distance, sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|), in the root of the values' unit. */
  energy: number;
  /** Kolmogorov-Smirnov: largest difference of the two distribution functions, 0 .. 1. */
  kolmogorovSmirnov: number;
}

/**
 * How far apart two samples lie: synthesized values from real ones, say.
 *
 *     W1 = int |F - G|,   energy^2 = 2 int (F - G)^2,   D = sup |F - G|
 *
 * Shapes: x [n], y [m]; exact, in O((n + m) log(n + m)).
 *
 * @throws DataError for an empty sample or values that are not finite
 * Source: Székely and Rizzo (2013), doi:10.1016/j.jspi.2013.03.018, for the energy distance.
 * @example
 * twoSampleDistances([0, 1], [1, 2]); // { wasserstein1: 1, energy: 1, kolmogorovSmirnov: 0.5 }
 */
export function twoSampleDistances(x: VectorInput, y: VectorInput): TwoSampleDistances {
  const [first, second] = [x, y].map((sample) => {
    const values = toVector('twoSampleDistances', sample);
    if (values.length === 0) throw new DataError(complaint('twoSampleDistances', 'at least 1 value', 'none'));
    return values.sort();
  });
  const points = new Float64Array(first.length + second.length);
  points.set(first);
  points.set(second, first.length);
  points.sort();
  let wasserstein1 = 0;
  let squared = 0;
  let kolmogorovSmirnov = 0;
  let below = 0;
  let belowOther = 0;
  for (let i = 0; i < points.length; i++) {
    while (first[below] <= points[i]) below++;
    while (second[belowOther] <= points[i]) belowOther++;
    const difference = Math.abs(below / first.length - belowOther / second.length);
    kolmogorovSmirnov = Math.max(kolmogorovSmirnov, difference);
    const width = i + 1 < points.length ? points[i + 1] - points[i] : 0;
    wasserstein1 += difference * width;
    squared += difference * difference * width;
  }
  return printable({ wasserstein1, energy: Math.sqrt(2 * squared), kolmogorovSmirnov }, (distances) => [
    `W1 ${figure(distances.wasserstein1)}, energy ${figure(distances.energy)}, Kolmogorov-Smirnov ${figure(distances.kolmogorovSmirnov)}`,
  ]);
}
