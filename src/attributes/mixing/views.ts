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
  return { name: 'position along the direction', values: projections(z, direction) };
}

/** Rows in the directions of their `rank` largest variances, [n, <= rank]. */
export function principalScores(z: Matrix, rank: number): Matrix {
  const centered = subtractFromRows(z, meanOfRows('principalScores', z));
  const { directions } = principalComponents(centered, rank);
  return centered.multiply(directions.transpose());
}

/** The views with any spread, and the names of those without. */
export function splitViews(views: readonly View[]): { varying: View[]; constant: string[] } {
  const isConstant = ({ values }: View) => values.every((value) => value === values[0]);
  const varying = views.filter((view) => !isConstant(view));
  if (varying.length > 0) return { varying, constant: views.filter(isConstant).map(({ name }) => name) };
  const received = views.length === 1 ? `constant ${views[0].name}` : `${views.length} constant columns`;
  throw new DataError(complaint('mixedNormality', 'values that vary', received));
}

function named(kind: string, scores: Matrix): View[] {
  return Array.from({ length: scores.cols }, (_, j) => ({ name: `${kind} ${j}`, values: scores.column(j) }));
}
