import { DataError } from '../../core/errors';
import type { Matrix } from '../../linalg';
import { henzeZirklerP } from '../../statistics/multivariate/henzeZirklerTest';
import { selectRows } from '../../statistics/rows';
import { principalScores } from './views';

/** Share of mixtures that Henze-Zirkler rejects at 0.05 on up to 8 principal components. */
export interface JointNormality {
  /** K, the number of subclasses mixed. */
  subclasses: number;
  dimension: number;
  rejected: number;
}

const LARGEST_DIMENSION = 8;

/** Whether the leading components are normal together, for the mixtures of every K. */
export function jointNormality(
  z: Matrix,
  counts: readonly number[],
  observed: readonly Int32Array[][],
): JointNormality[] {
  const n = observed[0][0].length;
  const scores = principalScores(z, Math.min(LARGEST_DIMENSION, Math.floor(n / 4)));
  return counts.map((subclasses, k) => {
    const rejected = observed[k].filter((rows) => isRejected(selectRows(scores, rows)));
    return { subclasses, dimension: scores.cols, rejected: rejected.length / observed[k].length };
  });
}

function isRejected(rows: Matrix): boolean {
  try {
    return henzeZirklerP('mixedNormality', rows) < 0.05;
  } catch (error) {
    // No spread in some direction that the pooled subclasses do have: not normal there.
    if (error instanceof DataError) return true;
    throw error;
  }
}
