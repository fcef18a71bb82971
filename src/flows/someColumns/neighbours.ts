import { Matrix, solve } from '../../linalg';
import { meanOf, type Points } from './points';

/** What a category that differs counts as, in squared deviations of a number. */
const OTHER_CATEGORY = 25;

/**
 * The points nearest to a given one, by deviations of each number; categories that differ are far.
 *
 * @param given what is known of every point
 * @param at the point that is given, a single one
 */
export function nearest(given: Points, at: Points, wanted: number): Int32Array {
  const [c, m] = [at.line.length, at.categories.length];
  const variances = variancesOf(given);
  const distances = new Float64Array(given.count);
  for (let i = 0; i < given.count; i++) {
    for (let j = 0; j < c; j++) {
      distances[i] += (given.line[i * c + j] - at.line[j]) ** 2 / (variances[j] || 1);
    }
    for (let j = 0; j < m; j++) {
      if (given.categories[i * m + j] !== at.categories[j]) distances[i] += OTHER_CATEGORY;
    }
  }
  const order = Int32Array.from({ length: given.count }, (_, i) => i);
  return order.sort((a, b) => distances[a] - distances[b]).slice(0, wanted);
}

/** Variances of the lines. */
export function variancesOf({ count, line }: Points): Float64Array {
  const c = line.length / count;
  const result = new Float64Array(c);
  for (let j = 0; j < c; j++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += line[i * c + j] / count;
    for (let i = 0; i < count; i++) result[j] += (line[i * c + j] - mean) ** 2 / count;
  }
  return result;
}

/**
 * Points moved to where they would be if what is given of them were `at`, by a linear regression on it.
 *
 * @see Beaumont et al., "Approximate Bayesian Computation in Population Genetics" (2002), section "Regression adjustment"
 */
export function adjusted(points: Points, given: Points, at: Points): Points {
  const [p, c] = [at.line.length, points.line.length / points.count];
  if (p === 0 || c === 0) return points;
  const { count } = points;
  const even = new Float64Array(count).fill(1);
  const means = [meanOf(given, even), meanOf(points, even)];
  const normal = Matrix.zeros(p, p);
  const products = Matrix.zeros(p, c);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < p; j++) {
      const x = given.line[i * p + j] - means[0][j];
      for (let k = 0; k < p; k++) normal.data[j * p + k] += x * (given.line[i * p + k] - means[0][k]);
      for (let k = 0; k < c; k++) products.data[j * c + k] += x * (points.line[i * c + k] - means[1][k]);
    }
  }
  for (let j = 0; j < p; j++) normal.data[j * p + j] = 1.001 * normal.data[j * p + j] + 1e-12;
  const slopes = solve(normal, products);
  const line = points.line.map((value, at0) => {
    const [i, k] = [Math.floor(at0 / c), at0 % c];
    let moved = value;
    for (let j = 0; j < p; j++) moved += (at.line[j] - given.line[i * p + j]) * slopes.data[j * c + k];
    return moved;
  });
  return { ...points, line };
}
