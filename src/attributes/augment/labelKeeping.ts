import type { Matrix } from '../../linalg';
import { dot } from '../../statistics/covariance';
import { meanOfRows } from '../../statistics/rows';
import { type Labeled, type SubclassName, toLabeled } from '../labeled';
import type { Posterior, Prior } from '../prior';

/** Says of every row of [k, d] whether it still is of the subclass. */
export type LabelFilter = (z: Matrix) => ArrayLike<boolean>;

/** Means of the subclasses that a sample could be mistaken for: those of the prior and of `others`, without its own. */
export function rivalMeans(
  where: string,
  prior: Prior,
  others: Labeled | undefined,
  subclass: SubclassName | undefined,
): Float64Array[] {
  const rivals = prior.subclasses.filter((entry) => entry.subclass !== subclass).map((entry) => entry.mean);
  if (others === undefined) return rivals;
  const { z, groups, names } = toLabeled(where, others);
  names.forEach((name, c) => {
    if (name !== subclass) rivals.push(meanOfRows(where, z, groups[c]));
  });
  return rivals;
}

/**
 * Keeps what is nearer to its own subclass mean than to any other, in the metric of W: the linear discriminant
 * mu^T W^-1 z - mu^T W^-1 mu / 2.
 */
export function nearestClassFilter(posterior: Posterior, rivals: readonly Float64Array[]): LabelFilter {
  const weights = [posterior.mean, ...rivals].map((mean) => {
    const weight = posterior.priorCovariance.solve(mean);
    return { weight, constant: 0.5 * dot(weight, mean) };
  });
  return (z) =>
    Array.from({ length: z.rows }, (_, i) => {
      const [own, ...others] = weights.map(({ weight, constant }) => dot(weight, z.row(i)) - constant);
      return others.every((score) => score < own);
    });
}
