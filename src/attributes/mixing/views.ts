import { complaint, DataError } from '../../core/errors';
import type { RandomStream } from '../../core/random';
import { Matrix, principalComponents } from '../../linalg';
import { meanOfRows, subtractFromRows } from '../../statistics/rows';
import { projections } from '../positionsAlong';

/** One number per sample: a coordinate, a projection or a principal component. */
export interface View {
  name: string;
  /** [n] */
  values: Float64Array;
}

const COMPONENTS = 8;

/**
 * The views of the rows that are looked at one by one: every coordinate, the leading principal components, or random
 * directions on the sphere (a law is normal exactly if all its projections are; Cramer and Wold). Constant columns are left out.
 */
export function viewsOf(z: Matrix, kind: 'axes' | 'pca' | number, random: RandomStream): View[] {
  if (kind === 'pca') return named('component', principalScores(z, COMPONENTS));
  if (kind === 'axes') return named('coordinate', z);
  const directions = Matrix.zeros(z.cols, kind);
  for (let k = 0; k < kind; k++) {
    const direction = random.normalArray(z.cols);
    const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < z.cols; j++) directions.data[j * kind + k] = direction[j] / length;
  }
  return named('projection', z.multiply(directions));
}

/** Positions along a direction of length 1, as the one view. */
export function viewAlong(z: Matrix, direction: Float64Array): View {
  const values = projections(z, direction);
  return named('position', new Matrix(values, values.length, 1))[0];
}

/** Rows in the directions of their `rank` largest variances, [n, <= rank]. */
export function principalScores(z: Matrix, rank: number): Matrix {
  const centered = subtractFromRows(z, meanOfRows('principalScores', z));
  const { directions } = principalComponents(centered, rank);
  return centered.multiply(directions.transpose());
}

/** One view per column; a column that does not vary has no shape to look at. */
function named(kind: string, scores: Matrix): View[] {
  const all = Array.from({ length: scores.cols }, (_, j) => ({
    name: `${kind} ${j}`,
    values: scores.column(j),
  }));
  const varying = all.filter(({ values }) => values.some((value) => value !== values[0]));
  if (varying.length > 0) return varying;
  throw new DataError(complaint('mixedNormality', 'a column that varies', 'constant columns alone'));
}
