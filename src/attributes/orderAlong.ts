import { checkOptions, type OptionNames } from '../core/options';
import { normalSf } from '../statistics/special';
import { type AttributeName, attributeOf } from './attributeColumns';
import { type Labeled, toLabeled } from './labeled';
import { type DirectionInput, toDirection } from './manipulate';
import { projections } from './positionsAlong';

/** Options of `orderAlong`. */
export interface OrderAlongOptions {
  /** Which of `attributes`: its name, or its column. Default: 0, the first. */
  attribute?: AttributeName;
  /** Whether samples are compared within their subclass only. Default: true. */
  stratify?: boolean;
}

const OPTIONS: OptionNames<OrderAlongOptions> = { attribute: true, stratify: 'boolean' };

/** Whether a direction puts samples in the order of their attribute. */
export interface OrderAlong {
  /** Pairs of samples whose attributes differ. */
  pairs: number;
  /** Those of them that lie along the direction as the attribute says. */
  ordered: number;
  /** ordered / pairs; null without pairs. Chance is 0.5. */
  share: number | null;
  /** Probability of at least so many ordered pairs where attribute and position have nothing to do with each other; 1 without pairs. */
  p: number;
}

/** Pairs up to which the law of their order is computed; beyond, a normal law with its moments serves. */
const EXACT_PAIRS = 3000;

/**
 * Whether a direction puts samples that it was not learned on in the order of their attribute.
 *
 *     share = #{(i, j): a_i > a_j and p_i > p_j} / #{(i, j): a_i > a_j},   p_i = delta^T z_i
 *
 * The p-value is exact: within every subclass all orders are equally likely, so that the ordered pairs are distributed as the q-multinomial
 * coefficients of its attribute's tie sizes (Mann-Whitney's law for two values, Kendall's for distinct ones). Pairs share samples,
 * hence twenty of them say far less than twenty independent ones. Above 3,000 pairs a normal law with the same moments serves.
 *
 * Shapes: z [n, d], delta [d].
 *
 * Source: Kendall and Gibbons, Rank Correlation Methods (1990), chapters 4 and 5; Mann and Whitney (1947), doi:10.1214/aoms/1177730491.
 *
 * @param labeled samples that the direction was not learned on, with attributes
 * @throws DataError, ShapeError, ConfigError
 * @example
 * const { share, p } = orderAlong(labeled, zDelta(labeled)); // better: of other samples than those
 */
export function orderAlong(
  labeled: Labeled,
  direction: DirectionInput,
  options: OrderAlongOptions = {},
): OrderAlong {
  const where = 'orderAlong';
  checkOptions(where, options, OPTIONS);
  const data = toLabeled(where, labeled);
  const { values } = attributeOf(where, data.attributes, options.attribute ?? 0);
  const along = projections(data.z, toDirection(where, direction, data.z.cols));
  const everyone = Int32Array.from(values.keys());
  const strata = (options.stratify ?? true) ? data.groups : [everyone];
  let [pairs, ordered] = [0, 0];
  for (const rows of strata) {
    for (const i of rows) {
      for (const j of rows) {
        if (!(values[i] > values[j])) continue;
        pairs++;
        if (along[i] > along[j]) ordered++;
      }
    }
  }
  const ties = strata.map((rows) => tieSizes(Array.from(rows, (i) => values[i])));
  const p = pairs === 0 ? 1 : pairs <= EXACT_PAIRS ? exactTail(ties, ordered) : normalTail(ties, ordered);
  return { pairs, ordered, share: pairs === 0 ? null : ordered / pairs, p };
}

/** How often every distinct value occurs. */
function tieSizes(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}

/** P(at least `ordered` pairs in order), every stratum on its own and all orders within it equally likely. */
function exactTail(strata: readonly number[][], ordered: number): number {
  let law: Float64Array = Float64Array.of(1);
  for (const ties of strata) {
    let placed = 0;
    for (const size of ties) {
      law = convolve(law, mannWhitney(size, placed));
      placed += size;
    }
  }
  // From the far end, so that small terms are not lost.
  let tail = 0;
  for (let count = law.length - 1; count >= ordered; count--) tail += law[count];
  return Math.min(1, tail);
}

/** Law of the pairs in order between a and b samples, 0 .. a b: P(u; a, b) = a / (a + b) P(u - b; a - 1, b) + b / (a + b) P(u; a, b - 1). */
function mannWhitney(a: number, b: number): Float64Array {
  let shorter: Float64Array[] = Array.from({ length: b + 1 }, () => Float64Array.of(1));
  for (let i = 1; i <= a; i++) {
    const laws: Float64Array[] = [Float64Array.of(1)];
    for (let j = 1; j <= b; j++) {
      const law = new Float64Array(i * j + 1);
      shorter[j].forEach((value, u) => {
        law[u + j] += (i / (i + j)) * value;
      });
      laws[j - 1].forEach((value, u) => {
        law[u] += (j / (i + j)) * value;
      });
      laws.push(law);
    }
    shorter = laws;
  }
  return shorter[b];
}

function convolve(left: Float64Array, right: Float64Array): Float64Array {
  const result = new Float64Array(left.length + right.length - 1);
  left.forEach((value, i) => {
    if (value > 0) for (let j = 0; j < right.length; j++) result[i + j] += value * right[j];
  });
  return result;
}

/** The same by a normal law: mean of half the pairs, variance (n (n - 1) (2 n + 5) - sum over ties of the same) / 72 a stratum. */
function normalTail(strata: readonly number[][], ordered: number): number {
  const moment = (n: number) => n * (n - 1) * (2 * n + 5);
  let [mean, variance] = [0, 0];
  for (const ties of strata) {
    const n = ties.reduce((sum, size) => sum + size, 0);
    mean += (n * n - ties.reduce((sum, size) => sum + size * size, 0)) / 4;
    variance += (moment(n) - ties.reduce((sum, size) => sum + moment(size), 0)) / 72;
  }
  return normalSf((ordered - 0.5 - mean) / Math.sqrt(variance));
}
