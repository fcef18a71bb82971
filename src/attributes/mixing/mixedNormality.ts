import { figure, printable, someOf } from '../../core/printable';
import { Matrix } from '../../linalg';
import { type Labeled, toLabeled } from '../labeled';
import { assess, type Evidence, type MixingReport } from './assess';
import { permutedSlopes, resampleTables } from './bands';
import { type CumulantDecomposition, decomposeCumulants } from './cumulants';
import { type JointNormality, jointNormality } from './jointNormality';
import { controlRow, type MixtureMeans, mixtureMeans, subclassMoments } from './mixingCurve';
import { drawMixtures } from './mixtures';
import { originNotes } from './notes';
import { type MixedNormalityOptions, protocolFor } from './protocol';
import { wholeMixture } from './wholeMixture';

/** Hypothesis 1 for one view. */
export interface ViewReport extends MixingReport {
  name: string;
  cumulants: CumulantDecomposition;
}

/** What `mixedNormality` found: verdicts, and all that they rest on. */
export interface MixedNormalityReport extends MixingReport {
  /** Samples per mixture of the curve. */
  n: number;
  subclasses: number;
  /** Unit vector of the direction that positions were taken along, [d]; null for columns as given. */
  along: Float64Array | null;
  epsilon: number;
  views: ViewReport[];
  /** Share of mixtures that Henze-Zirkler rejects at 0.05 on up to 8 principal components, per K. */
  henzeZirkler: JointNormality[];
  /** What was chosen inside and what limits the verdicts, in sentences. */
  notes: string[];
}

/**
 * Hypothesis 1: is a mixture of many subclasses near normal, and nearer than single subclasses are?
 *
 *     distance = sqrt(2 int (F - Phi)^2),   F the standardized mixture of all subclasses
 *
 * `nearNormal` judges it with all samples against `epsilon`, by limits that hold at any number of samples and subclasses: supported only
 * where the upper limit is below (equivalence: a test that fails to reject is no evidence). `mixingHelps` needs more: the distance
 * falls with the number K of mixed subclasses (label permutations, mixtures of the same total n), and the mixture of all is
 * closer than single ones (bands by resampling subclasses, then samples). Mixing is not summing; no limit theorem makes it true.
 * `cumulants` shows why it holds or fails. Use held-out data.
 *
 * Of several columns all must be near normal. Curves of the report itself are means over them (of absolute values for skewness); `views`
 * has each apart, without those that are constant.
 *
 * @param labeled z [n, d] and subclasses, three samples of each or fewer: what they allow is chosen, and told in `notes`
 * @returns distances in standard deviations, negentropy in nats; prints itself
 * @throws DataError for fewer than 2 subclasses, fewer than 8 samples in equal parts, columns that are all constant, non-finite
 *     values; ConfigError
 * Sources: energy distance as in `normality`; two one-sided tests: Schuirmann (1987), doi:10.1007/BF01068419.
 * @example
 * const report = mixedNormality(labeled, { along: zDelta(labeled), seed: 1 });
 * report.nearNormal; // 'supported' | 'not supported' | 'undecided'
 * report.statements.nearNormal.because; // "distance of all subclasses mixed 0.016 [0, 0.027], epsilon 0.03"
 */
export function mixedNormality(labeled: Labeled, options: MixedNormalityOptions = {}): MixedNormalityReport {
  const data = toLabeled('mixedNormality', labeled, 2);
  const { plan, along, epsilon, level, replicates, trainingLatents, random, notes } = protocolFor(
    data,
    options,
  );
  const { views, counts, n, mixtures } = plan;
  const columns = along === null ? data.z : new Matrix(views[0].values, data.z.rows, 1);
  const moments = subclassMoments(views, data.groups, data.subclass);

  const observed = counts.map((count) => drawMixtures(data.groups, count, n, mixtures, random));
  const measured = views.map((view) => observed.map((drawn) => mixtureMeans(view, drawn, n)));
  const controls = counts.map((count) => controlRow(plan, data.groups, count, moments, random));
  const resampled = resampleTables(plan, data.groups, moments, replicates, random);
  const slopes = counts.length < 2 ? [] : permutedSlopes(plan, data.groups, replicates, random);
  const whole = wholeMixture(views, data.groups, epsilon, level, random);

  const evidence: Evidence = { counts, controls, resampled, slopes, epsilon, level, trainingLatents };
  const reports = views.map(({ name, values }, v) => {
    const points = measured[v].map(({ means }) => means);
    return {
      name,
      ...assess(evidence, points, [whole.views[v]], v),
      cumulants: decomposeCumulants(values, data.groups),
    };
  });
  const overall = assess(
    evidence,
    counts.map((_, k) => averageOver(measured.map((points) => points[k].means))),
    whole.views,
    views.length,
  );
  const constant = measured.flat().reduce((sum, entry) => sum + entry.constant, 0);
  const report: MixedNormalityReport = {
    ...overall,
    n,
    subclasses: data.groups.length,
    along,
    epsilon,
    views: reports,
    henzeZirkler: jointNormality(columns, counts, observed),
    notes: [
      ...notes,
      ...whole.notes,
      ...(constant > 0
        ? [`${constant} mixtures had no spread in some view and count as single points.`]
        : []),
      ...originNotes(columns, overall.curve[0].excess, trainingLatents),
    ],
  };
  return printable(report, linesOf);
}

function averageOver(points: MixtureMeans[]): MixtureMeans {
  const average = (f: (point: MixtureMeans) => number) =>
    points.reduce((sum, point) => sum + f(point), 0) / points.length;
  return {
    energyExcess: average((point) => point.energyExcess),
    w1Excess: average((point) => point.w1Excess),
    negentropy: average((point) => point.negentropy),
    skewness: average((point) => Math.abs(point.skewness)),
    excessKurtosis: average((point) => Math.abs(point.excessKurtosis)),
  };
}

function linesOf(report: MixedNormalityReport): string[] {
  const { nearNormal, mixingHelps, statements, curve, views, along, subclasses, n, notes } = report;
  const what = along === null ? someOf(views.map(({ name }) => name)) : 'positions along a direction';
  const points = curve.map((point) => `${figure(point.excess)} (${point.subclasses})`);
  return [
    `Mixture of ${subclasses} subclasses, ${what}: near normal ${nearNormal}, mixing helps ${mixingHelps}`,
    `  near normal: ${statements.nearNormal.because}`,
    `  trend: ${statements.trend.verdict}; ${statements.trend.because}`,
    `  gain: ${statements.gain.verdict}; ${statements.gain.because}`,
    `  excess of mixtures of ${n} (subclasses mixed): ${points.join(', ')}`,
    ...notes.map((note) => `  ${note}`),
  ];
}
