import { complaint, DataError } from '../../core/errors';
import { toVector, type VectorInput } from '../inputs';

/**
 * Holm's adjusted p-values: controls the chance of any false rejection, whatever the dependence.
 *
 *     adjusted_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))
 *
 * @param p probabilities, in any order; the result keeps it
 * @throws DataError for a value outside [0, 1]
 * Source: Holm, "A simple sequentially rejective multiple test procedure" (1979).
 * @example
 * holm([0.01, 0.04, 0.03]); // [0.03, 0.06, 0.06]
 */
export function holm(p: VectorInput): Float64Array {
  const { values, order } = ranked('holm', p);
  const adjusted = new Float64Array(values.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * values[index]));
    adjusted[index] = largest;
  });
  return adjusted;
}

/**
 * Benjamini-Hochberg adjusted p-values: controls the expected share of false rejections (independence or positive dependence).
 *
 *     adjusted_(i) = min_{j >= i} min(1, m p_(j) / j)
 *
 * @param p probabilities, in any order; the result keeps it
 * @throws DataError for a value outside [0, 1]
 * Source: Benjamini and Hochberg, "Controlling the false discovery rate" (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.
 * @example
 * benjaminiHochberg([0.01, 0.04, 0.03]); // [0.03, 0.04, 0.04]
 */
export function benjaminiHochberg(p: VectorInput): Float64Array {
  return stepUp('benjaminiHochberg', p, () => 1);
}

/**
 * Benjamini-Yekutieli adjusted p-values: the same control under any dependence, at a factor sum_{k <= m} 1/k.
 *
 * @param p probabilities, in any order; the result keeps it
 * @throws DataError for a value outside [0, 1]
 * Source: Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under dependency" (2001),
 * doi:10.1214/aos/1013699998.
 * @example
 * benjaminiYekutieli([0.01, 0.04, 0.03]); // [0.055, 0.0733, 0.0733]
 */
export function benjaminiYekutieli(p: VectorInput): Float64Array {
  return stepUp('benjaminiYekutieli', p, (m) => {
    let harmonic = 0;
    for (let k = 1; k <= m; k++) harmonic += 1 / k;
    return harmonic;
  });
}

function stepUp(where: string, p: VectorInput, penalty: (m: number) => number): Float64Array {
  const { values, order } = ranked(where, p);
  const m = values.length;
  const factor = penalty(m);
  const adjusted = new Float64Array(m);
  let smallest = 1;
  for (let rank = m - 1; rank >= 0; rank--) {
    smallest = Math.min(smallest, (factor * m * values[order[rank]]) / (rank + 1));
    adjusted[order[rank]] = smallest;
  }
  return adjusted;
}

function ranked(where: string, p: VectorInput): { values: Float64Array; order: number[] } {
  const values = toVector(where, p);
  const outside = values.findIndex((value) => !(value >= 0 && value <= 1));
  if (outside >= 0) {
    throw new DataError(
      complaint(where, 'probabilities in [0, 1]', `${values[outside]} at index ${outside}`),
    );
  }
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  return { values, order };
}
