import type { RandomStream } from '../../core/random';
import { gram, Matrix } from '../../linalg';
import { componentsOf, inverseProduct, inverseTrace, type MeanSpread, meanSpread } from './meanSpread';

/** Up to this many subclasses are left out one by one and in pairs, at most MAXIMUM_PAIRS; of more, random parts until ENOUGH are out. */
const PAIRS_LIMIT = 64;
const MAXIMUM_PAIRS = 60;
const PARTS = 32;
const ENOUGH = 64;
/** Residuals of every subclass that stand for the noise of a mean. */
const NOISE_ROWS = 2;
/** Fewest subclasses that can be left out in pairs, so that two or more remain. */
export const FEWEST_SUBCLASSES = 4;

/** What subclasses that were left out of the prior look like; the null law of `Posterior.novelty` and of the inflation. */
export interface NoveltyCalibration {
  /** Number of subclasses. */
  subclasses: number;
  /** The scatter of few samples over what W says: mean, relative variance between subclasses, independent directions of a residual. */
  scatter: { mean: number; variance: number; directions: number; freedom: number };
  /** The squared distance of a mean from M: mean and degrees of freedom where a mean has the error u W, at several u. */
  distance: { error: number[]; mean: number[]; freedom: number[] };
}

/** Errors 1 / n at which the law of distances is worked out; between them it is interpolated. */
const ERRORS = [0, 0.02, 0.05, 0.1, 1 / 8, 1 / 6, 0.2, 0.25, 1 / 3, 0.5, 1, 2, 5, 20];

/**
 * Leaves base subclasses out and looks at them as the prior would look at a new one.
 *
 * Everything is in units of the within-class deviations, and of inner products, so the cost is one pass over the residuals.
 *
 * @param deviations class means minus their mean, [C, d]
 * @param residuals samples minus their class means, [N, d]
 * @returns null for fewer than 4 subclasses
 */
export function calibrate(
  deviations: Matrix,
  residuals: Matrix,
  groups: readonly Int32Array[],
  random: RandomStream,
): NoveltyCalibration | null {
  const classes = groups.length;
  if (classes < FEWEST_SUBCLASSES) return null;
  const noise = noiseRows(residuals, groups, random);
  const products = gram(stack(deviations, noise.rows));
  const scatter = calibrateScatter(residuals, groups, directionsOf(products, classes, noise.owner));
  const distance = calibrateDistance(
    products,
    noise.owner,
    groups.map((rows) => 1 / rows.length),
    residuals.cols,
    scatter.mean,
    random,
  );
  return { subclasses: classes, scatter, distance };
}

/** A few residuals of every subclass, as long as independent samples would be. */
function noiseRows(
  residuals: Matrix,
  groups: readonly Int32Array[],
  random: RandomStream,
): { rows: Matrix; owner: number[] } {
  const owner: number[] = [];
  const rows: Float64Array[] = [];
  groups.forEach((group, c) => {
    const n = group.length;
    if (n < 2) return;
    const length = Math.sqrt(n / (n - 1));
    for (const i of random.permutation(n).subarray(0, NOISE_ROWS)) {
      rows.push(residuals.row(group[i]).map((value) => length * value));
      owner.push(c);
    }
  });
  return { rows: Matrix.fromRows(rows), owner };
}

/** (tr W)^2 / tr(W^2) in units of the deviations: in how many directions of equal weight a sample scatters. */
function directionsOf(products: Matrix, classes: number, owner: readonly number[]): number {
  let lengths = 0;
  let overlaps = 0;
  owner.forEach((a, i) => {
    for (let j = 0; j < i; j++) {
      if (owner[j] === a) continue;
      const [p, q] = [classes + i, classes + j];
      lengths += products.at(p, p) * products.at(q, q);
      overlaps += products.at(p, q) ** 2;
    }
  });
  return overlaps > 0 ? Math.max(1, lengths / overlaps) : 1;
}

/** Every subclass's mean variance in units of what the others' residuals say. */
function calibrateScatter(
  residuals: Matrix,
  groups: readonly Int32Array[],
  directions: number,
): NoveltyCalibration['scatter'] {
  const d = residuals.cols;
  const used = groups.filter((rows) => rows.length > 1);
  const squares = used.map((rows) => {
    const sums = new Float64Array(d);
    for (const i of rows) {
      const row = residuals.row(i);
      for (let j = 0; j < d; j++) sums[j] += row[j] * row[j];
    }
    return sums;
  });
  const total = new Float64Array(d);
  for (const sums of squares) for (let j = 0; j < d; j++) total[j] += sums[j];
  const freedom = used.reduce((sum, rows) => sum + rows.length - 1, 0);
  const ratios = squares.map((sums, c) => {
    const own = used[c].length - 1;
    let sum = 0;
    let counted = 0;
    for (let j = 0; j < d; j++) {
      // Where only this subclass varies, the others say nothing.
      const others = total[j] - sums[j];
      if (!(others > 1e-6 * total[j])) continue;
      sum += (sums[j] / own) * ((freedom - own) / others);
      counted++;
    }
    return counted === 0 ? 1 : sum / counted;
  });
  const mean = average(ratios);
  const spread = ratios.reduce((sum, ratio) => sum + (ratio / mean - 1) ** 2, 0) / (ratios.length - 1);
  const chance = average(used.map((rows) => 2 / ((rows.length - 1) * directions)));
  return {
    mean,
    variance: Math.max(0, spread - chance),
    directions,
    freedom: (2 * ratios.length) / Math.max(spread, chance),
  };
}

/**
 * The law of x^T (T + u I)^-1 x / d of means that were left out: its mean, and twice its squared mean over its variance.
 *
 * The degrees of freedom come from products of means that were left out together, so that one dimension gives one. The mean is carried
 * on from one class fewer and two fewer to none fewer: in many dimensions a class more moves it by more than its spread.
 */
function calibrateDistance(
  products: Matrix,
  owner: readonly number[],
  ownErrors: readonly number[],
  d: number,
  noise: number,
  random: RandomStream,
): NoveltyCalibration['distance'] {
  const classes = ownErrors.length;
  let size = 0;
  for (let c = 0; c < classes; c++) size += products.at(c, c) / ((classes - 1) * d);
  const setting = { products, owner, ownErrors, d, noise, size };
  const single = classes <= PAIRS_LIMIT ? ownErrors.map((_, c) => lookAt([c], setting)) : null;
  const sets = leftOutSets(classes, random);
  const looks = sets.map((left) => lookAt(left, setting));
  const pairs = sets.reduce((sum, left) => sum + (left.length * (left.length - 1)) / 2, 0);
  return {
    error: [...ERRORS],
    mean: ERRORS.map((_, e) => {
      const together = average(looks.flatMap(({ distances }) => distances[e]));
      const alone = single?.map(({ distances }) => distances[e][0]);
      const least = average(looks.map(({ noises }) => 0.5 * noises[e]));
      if (alone === undefined) return Math.max(together, least, Number.MIN_VALUE);
      const same = average(sets.flatMap((left) => left.map((c) => alone[c])));
      return Math.max(average(alone) + same - together, least, Number.MIN_VALUE);
    }),
    freedom: ERRORS.map((_, e) => {
      const product = looks.reduce((sum, look) => sum + look.product[e], 0) / pairs;
      const square = looks.reduce((sum, look) => sum + look.square[e], 0) / pairs;
      return product > square && square > 0 ? Math.min(d, product / square) : 1;
    }),
  };
}

/** Random pairs, or random parts until enough are left out. */
function leftOutSets(classes: number, random: RandomStream): number[][] {
  if (classes <= PAIRS_LIMIT) {
    const pairs = Array.from({ length: classes }, (_, c) => c).flatMap((c) =>
      Array.from({ length: c }, (_, other) => [other, c]),
    );
    return Array.from(random.permutation(pairs.length).subarray(0, MAXIMUM_PAIRS), (i) => pairs[i]);
  }
  const order = Array.from(random.permutation(classes));
  const size = Math.ceil(classes / PARTS);
  const count = Math.ceil(ENOUGH / size);
  return Array.from({ length: count }, (_, part) => order.slice(part * size, (part + 1) * size)).filter(
    (set) => set.length > 1,
  );
}

/** What is needed to leave subclasses out. */
interface LeaveOutSetting {
  /** Inner products of the deviations of the C means and of the noise rows. */
  products: Matrix;
  /** Subclass of every noise row. */
  owner: readonly number[];
  /** 1 / n_c */
  ownErrors: readonly number[];
  d: number;
  /** Mean square of a noise component. */
  noise: number;
  /** Mean square of a component of the deviations. */
  size: number;
}

/** Some subclasses as they look from the others, at every error of a mean. */
interface Look {
  /** Squared distances over d, [errors][left out]. */
  distances: number[][];
  /** What the error alone adds to them. */
  noises: number[];
  /** Sum over pairs of the product of their distances, and of their squared inner product over d. */
  product: number[];
  square: number[];
}

function lookAt(left: readonly number[], setting: LeaveOutSetting): Look {
  const { ownErrors, d, noise } = setting;
  const classes = ownErrors.length;
  const { spread, means, noises, inner } = viewWithout(left, setting);
  // Left-out means lie off the mean of the remaining ones, a new one off the mean of all.
  const remaining = classes - left.length;
  const widening = (1 + 1 / classes) / (1 + 1 / remaining);
  const look: Look = { distances: [], noises: [], product: [], square: [] };
  for (const error of ERRORS) {
    const form = (a: Vector, b: Vector) => inverseProduct(spread, error, inner(a, b), a.scores, b.scores) / d;
    const cross = (from: Vector[], to: Vector[]) =>
      from.length * to.length === 0 ? 0 : average(from.flatMap((a) => to.map((b) => form(a, b) ** 2)));
    const trace = (noise * inverseTrace(spread, error)) / d;
    const more = left.map((c) => error - ownErrors[c]);
    const own = means.map((mean) => form(mean, mean));
    const distances = own.map((value, i) => widening * value + more[i] * trace);
    let product = 0;
    let square = 0;
    for (let i = 0; i < left.length; i++) {
      for (let k = 0; k < i; k++) {
        product += distances[i] * distances[k];
        // Both lie off the same mean of the remaining ones, whose error they share.
        const shared = (own[i] + own[k]) / (2 * (remaining + 1));
        square +=
          (widening * (form(means[i], means[k]) - shared)) ** 2 +
          widening * noise * more[i] * cross(noises[i], [means[k]]) +
          widening * noise * more[k] * cross([means[i]], noises[k]) +
          more[i] * more[k] * noise * noise * cross(noises[i], noises[k]);
      }
    }
    look.distances.push(distances);
    look.noises.push(error * trace);
    look.product.push(product);
    look.square.push(square);
  }
  return look;
}

/** A vector by its place among the products, whether it is a mean, and its components along the spread of the remaining means. */
interface Vector {
  at: number;
  isMean: boolean;
  scores: Float64Array;
}

/** The spread of the remaining means, and what was left out as it looks from there. */
function viewWithout(
  left: readonly number[],
  { products, owner, ownErrors, d, size }: LeaveOutSetting,
): { spread: MeanSpread; means: Vector[]; noises: Vector[][]; inner: (a: Vector, b: Vector) => number } {
  const classes = ownErrors.length;
  const rest = Array.from({ length: classes }, (_, c) => c).filter((c) => !left.includes(c));
  const count = rest.length;
  // Products with the mean of the remaining means, and its square.
  const toCentre = Float64Array.from({ length: products.rows }, (_, v) =>
    rest.reduce((sum, c) => sum + products.at(c, v) / count, 0),
  );
  const square = rest.reduce((sum, c) => sum + toCentre[c] / count, 0);
  const innerOf = (a: number, aIsMean: boolean, b: number, bIsMean: boolean) =>
    products.at(a, b) -
    (bIsMean ? toCentre[a] : 0) -
    (aIsMean ? toCentre[b] : 0) +
    (aIsMean && bIsMean ? square : 0);
  const centred = Matrix.zeros(count, count);
  rest.forEach((a, i) => {
    rest.forEach((b, j) => {
      centred.data[i * count + j] = innerOf(a, true, b, true);
    });
  });
  const spread = meanSpread(centred, d, average(ownErrors), size);
  const vector = (at: number, isMean: boolean): Vector => ({
    at,
    isMean,
    scores: componentsOf(
      spread,
      Float64Array.from(rest, (c) => innerOf(c, true, at, isMean)),
    ),
  });
  return {
    spread,
    means: left.map((c) => vector(c, true)),
    noises: left.map((c) => owner.flatMap((of, i) => (of === c ? [vector(classes + i, false)] : []))),
    inner: (a, b) => innerOf(a.at, a.isMean, b.at, b.isMean),
  };
}

function stack(upper: Matrix, lower: Matrix): Matrix {
  const result = Matrix.zeros(upper.rows + lower.rows, upper.cols);
  result.data.set(upper.data);
  result.data.set(lower.data, upper.data.length);
  return result;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
