import { DataError } from '../../core/errors';
import type { Matrix } from '../../linalg';
import { henzeZirklerP } from '../../statistics/multivariate/henzeZirklerTest';
import { selectRows } from '../../statistics/rows';
import { type Labeled, toLabeled } from '../labeled';
import { assess, type Evidence, type MixingReport } from './assess';
import { permutedSlopes, resampleTables } from './bands';
import { type CumulantDecomposition, decomposeCumulants } from './cumulants';
import { classMoments, controlRow, type MixtureMeans, mixtureMeans } from './mixingCurve';
import { drawMixtures } from './mixtures';
import { constantColumns, originNotes } from './notes';
import { type MixedNormalityOptions, protocolFor } from './protocol';
import { principalScores } from './views';

/** Hypothesis 1 for one view. */
export interface ViewReport extends MixingReport {
  name: string;
  cumulants: CumulantDecomposition;
}

/** What `mixedNormality` found: a verdict, and all that it rests on. */
export interface MixedNormalityReport extends MixingReport {
  /** Samples per mixture. */
  n: number;
  subclasses: number;
  /** Unit vector of the direction that positions were taken along, [d]; null for columns as given. */
  along: Float64Array | null;
  epsilon: number;
  views: ViewReport[];
  /** Share of mixtures that Henze-Zirkler rejects at 0.05 on up to 8 principal components, per K. */
  henzeZirkler: { subclasses: number; dimension: number; rejected: number }[];
  /** What limits the verdict, in sentences. */
  notes: string[];
}

const HENZE_ZIRKLER_DIMENSION = 8;
/**
 * Hypothesis 1: does a mixture of many subclasses come closer to a normal distribution than single subclasses are?
 *
 * For every K the W1 distance of equal mixtures of K subclasses from the fitted normal is measured at the same total n, its
 * expectation under normality subtracted, and banded by resampling subclasses, then samples. `mixingHelps` needs three things at
 * once: the distance falls with K (label permutations), the mixture of all is closer than single ones, and its whole band
 * lies below `epsilon` (`nearNormal`: a test that fails to reject is no evidence). Mixing is not summing; no limit theorem
 * makes it true. `cumulants` shows why it holds or fails. Use held-out data.
 *
 * Figures of the report itself are means over the views (of absolute values for skewness); `views` has each apart.
 *
 * @param labeled z [n, d] and subclasses; the smallest subclass sets n
 * @returns W1 in standard deviations, negentropy in nats
 * @throws DataError for fewer than 2 subclasses, subclasses too small for n, constant columns, non-finite values; ConfigError
 * Sources: wasserstein distance as in `normality`; two one-sided tests: Schuirmann (1987), doi:10.1007/BF01068419.
 * @example
 * const report = mixedNormality({ z: attribute, subclass: digit }, { epsilon: 0.05, seed: 1 });
 * report.nearNormal; // 'supported' | 'not supported' | 'undecided'
 * report.statements.nearNormal.because; // "excess of all subclasses 0.131 [0.092, 0.170], epsilon 0.05"
 */
export function mixedNormality(labeled: Labeled, options: MixedNormalityOptions = {}): MixedNormalityReport {
  const data = toLabeled('mixedNormality', labeled, 2);
  const { plan, along, epsilon, level, replicates, trainingLatents, random } = protocolFor(data, options);
  const { views, counts, n, mixtures } = plan;
  const moments = classMoments(views, data.groups, data.subclass);

  const observed = counts.map((count) => drawMixtures(data.groups, count, n, mixtures, random));
  const measured = views.map((view) => observed.map((mixtures) => mixtureMeans(view, mixtures, n)));
  const controls = counts.map((count) => controlRow(plan, data.groups, count, moments, random));
  const resampled = resampleTables(plan, data.groups, moments, replicates, random);
  const slopes = counts.length < 2 ? [] : permutedSlopes(plan, data.groups, replicates, random);

  const evidence: Evidence = { counts, controls, resampled, slopes, epsilon, level, trainingLatents };

  const reports = views.map(({ name, values }, v) => ({
    name,
    ...assess(
      evidence,
      measured[v].map(({ means }) => means),
      v,
    ),
    cumulants: decomposeCumulants(values, data.groups),
  }));
  const overall = assess(
    evidence,
    counts.map((_, k) => averageOver(measured.map((points) => points[k].means))),
    views.length,
  );
  const notes = [
    ...originNotes(data.z, overall.curve[0].excess <= epsilon, trainingLatents),
    ...constantColumns(data.z),
  ];
  const constant = measured.flat().reduce((sum, entry) => sum + entry.constant, 0);
  if (constant > 0) notes.push(`${constant} mixtures had no spread in some view and count as single points.`);
  return {
    ...overall,
    n,
    subclasses: data.groups.length,
    along,
    epsilon,
    views: reports,
    henzeZirkler: henzeZirklerShares(data.z, counts, observed),
    notes,
  };
}

function averageOver(points: MixtureMeans[]): MixtureMeans {
  const average = (f: (point: MixtureMeans) => number) =>
    points.reduce((sum, point) => sum + f(point), 0) / points.length;
  return {
    excess: average((point) => point.excess),
    negentropy: average((point) => point.negentropy),
    skewness: average((point) => Math.abs(point.skewness)),
    excessKurtosis: average((point) => Math.abs(point.excessKurtosis)),
  };
}

function henzeZirklerShares(
  z: Matrix,
  counts: readonly number[],
  observed: readonly Int32Array[][],
): MixedNormalityReport['henzeZirkler'] {
  const n = observed[0][0].length;
  const scores = principalScores(z, Math.min(HENZE_ZIRKLER_DIMENSION, Math.floor(n / 4)));
  return counts.map((subclasses, k) => {
    const rejected = observed[k].filter((rows) => henzeZirklerRejects(selectRows(scores, rows)));
    return { subclasses, dimension: scores.cols, rejected: rejected.length / observed[k].length };
  });
}

function henzeZirklerRejects(rows: Matrix): boolean {
  try {
    return henzeZirklerP('mixedNormality', rows) < 0.05;
  } catch (error) {
    // No spread in some direction that the pooled classes do have: not normal there.
    if (error instanceof DataError) return true;
    throw error;
  }
}
