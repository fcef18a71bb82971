import { atOnce } from '../../core/longWork';
import type { Matrix } from '../../linalg';
import { bandwidthOf } from './henzeZirkler';
import { invariantsOf } from './invariants';
import { nullTable, shareAbove } from './nullTable';
import { whiten } from './whitening';

/** Normal samples behind the p-value; they are drawn once per n and p. */
const REPLICATES = 499;

/**
 * p-value of the Henze-Zirkler test of rows [n, p], without a pause: for many samples of one size.
 *
 * @throws DataError for too few samples, linearly dependent or constant columns
 */
export function henzeZirklerP(where: string, rows: Matrix): number {
  const { rows: n, cols: p } = rows;
  const { henzeZirkler } = atOnce(invariantsOf(whiten(where, rows), bandwidthOf(n, p)));
  return shareAbove(atOnce(nullTable(n, p, REPLICATES, where)).henzeZirkler, henzeZirkler);
}
