import { ConfigError, complaint, DataError, ShapeError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, printable } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { Matrix, principalComponents } from '../../linalg';
import { meanOfRows } from '../../statistics/rows';
import { type AttributeName, attributesOf } from '../attributeColumns';
import { type Labeled, type LabeledLatents, toLabeled } from '../labeled';
import { type MeanAndWithin, meanAndWithin } from '../prior/moments';
import { zDelta } from '../zDelta';
import { type Complementarity, complementarityOf } from './complementarity';
import { intraclassCorrelations, pairProducts, type SubclassDifferences } from './differences';
import { notesOn } from './notes';
import { deviationTest, permutationTest } from './permutation';
import type { AttributeConsistency, BiasReport, SubclassBias } from './report';
import { classResiduals, scaleColumns } from './residuals';
import { shapeOf } from './shapes';
import { checkIndependent } from './sharedRows';
import { transferabilityOf } from './transferability';

/** Options of `biasReport`. */
export interface BiasReportOptions {
  /** Label permutations of each difference test, and draws of independent small samples that complementarity is compared with. Default: 499. */
  replicates?: number;
  /** Level of the range that independent draws leave. Default: 0.95. */
  level?: number;
  /** Leading within-class components in which shapes are compared. Default: 8, at most as many as there are. */
  components?: number;
  /** Seed of all draws. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<BiasReportOptions> = {
  replicates: ['permutations', 'draws'],
  level: true,
  components: true,
  seed: true,
};

const SHAPE_TEST_COMPONENTS = 4;

/**
 * Hypothesis 2: do small samples of subclasses deviate each in its own way, do the deviations complement each other, and do other
 * subclasses tell more about a subclass than its own few samples?
 *
 *     b_c = mean of few - mean of reference,   ratio = K |mean_c b_c|^2_W / mean_c |b_c|^2_W
 *
 * Differences are tested by permuting labels. A ratio of 1 is what independent samples give: pooling K of them gains the ordinary
 * 1/K, and only a ratio below 1 would be genuine complementarity. Transfer is a held-out log-likelihood, every subclass left out in turn.
 *
 * @param few small samples [n, d] of at least 2 subclasses
 * @param reference other, larger samples of the same subclasses and any more, independent of `few`
 * @throws DataError for a subclass that the reference lacks, fewer than 2 subclasses, non-finite values; ShapeError, ConfigError
 * Sources: Anderson (2001), doi:10.1111/j.1442-9993.2001.01070.pp.x, for the tests; `fitPrior` for the hierarchical model.
 * @example
 * const report = biasReport({ z: fewLatents, subclass: fewLabels }, { z: latents, subclass: labels }, { seed: 1 });
 * report.complementarity.ratio; // near 1
 * report.transfer?.gapClosed; // share of the way from own few samples to a large sample
 */
export function biasReport(few: Labeled, reference: Labeled, options: BiasReportOptions = {}): BiasReport {
  checkOptions('biasReport', options, OPTIONS);
  const { replicates = 499, level = 0.95, components = 8, seed = 0 } = options;
  checkInteger('biasReport', 'replicates', replicates, 19);
  checkInteger('biasReport', 'components', components);
  if (!(Number.isFinite(level) && level > 0 && level < 1))
    throw new ConfigError(complaint('biasReport', 'level between 0 and 1', level));
  const small = toLabeled('biasReport (few)', few, 2);
  const large = toLabeled('biasReport (reference)', reference, 2);
  const partners = matchClasses(small, large);
  checkIndependent('biasReport', small.z, large.z);
  const random = new RandomStream(seed);
  const general = meanAndWithin('biasReport (reference)', large);

  const residuals = classResiduals(large);
  const perSubclass = describeClasses(small, large, partners, general, residuals, components, random);
  const complementarity = complementarityBetween(small, large, partners, replicates, level, random);
  const differ = differencesOf(small, large, general, residuals, replicates, random);
  const transfer = transferabilityOf(small, large, partners, random);
  const attributes = large.attributes === undefined ? [] : attributesOf(large.attributes);
  const directions = attributes.map(({ name }) => consistencyOf(reference, name));
  const figures = { perSubclass, differ, complementarity, transfer, directions };
  return printable({ ...figures, notes: notesOn(figures) }, linesOf);
}

function linesOf({ perSubclass, notes }: BiasReport): string[] {
  const rootMeanSquare = (norm: (one: SubclassBias) => number) =>
    figure(Math.sqrt(perSubclass.reduce((sum, one) => sum + norm(one) ** 2, 0) / perSubclass.length));
  const found = rootMeanSquare(({ biasNorm }) => biasNorm);
  const expected = rootMeanSquare(({ expectedBiasNorm }) => expectedBiasNorm);
  const counts = [...new Set(perSubclass.map(({ count }) => count))].sort((a, b) => a - b);
  return [
    `bias report on ${counts.join(', ')} samples each of ${perSubclass.length} subclasses`,
    `deviation of their means ${found} within-subclass deviations per dimension, ${expected} by independent sampling`,
    ...notes,
  ];
}

/** One attribute that varies nowhere must not take the rest of the report with it. */
function consistencyOf(reference: Labeled, attribute: AttributeName): AttributeConsistency {
  try {
    const { consistency, consistencyError, consistencyReason } = zDelta(reference, {
      attribute,
      mode: 'slope',
    });
    return { attribute, consistency, consistencyError, consistencyReason };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { attribute, consistency: null, consistencyError: null, consistencyReason: error.message };
  }
}

/** Position in the reference of every class of the few. */
function matchClasses(few: LabeledLatents, reference: LabeledLatents): number[] {
  if (few.z.cols !== reference.z.cols) {
    throw new ShapeError(complaint('biasReport', `reference rows of ${few.z.cols} values`, reference.z.cols));
  }
  return few.names.map((name) => {
    const target = reference.names.indexOf(name);
    if (target < 0 || reference.groups[target].length < 2) {
      throw new DataError(
        complaint(
          'biasReport',
          `at least 2 reference samples of subclass ${name}`,
          target < 0 ? 'none' : '1',
          'Its true mean is not known without them.',
        ),
      );
    }
    return target;
  });
}

/** `complementarityOf` in the metric of W of few and reference together. */
function complementarityBetween(
  few: LabeledLatents,
  reference: LabeledLatents,
  partners: readonly number[],
  replicates: number,
  level: number,
  random: RandomStream,
): Complementarity {
  const z = Matrix.zeros(few.z.rows + reference.z.rows, few.z.cols);
  z.data.set(few.z.data);
  z.data.set(reference.z.data, few.z.data.length);
  const subclass = Int32Array.from([...few.subclass.map((c) => partners[c]), ...reference.subclass]);
  const { within } = meanAndWithin('biasReport', toLabeled('biasReport', { z, subclass }));
  const dealt = partners.map((target, c) => ({
    few: few.groups[c],
    reference: reference.groups[target].map((row) => row + few.z.rows),
  }));
  return complementarityOf(z, dealt, within, replicates, level, random);
}

function describeClasses(
  few: LabeledLatents,
  reference: LabeledLatents,
  partners: readonly number[],
  general: MeanAndWithin,
  residuals: Matrix,
  components: number,
  random: RandomStream,
): SubclassBias[] {
  const d = few.z.cols;
  const { directions } = principalComponents(residuals, components);
  const scores = residuals.multiply(directions.transpose());
  return few.names.map((subclass, c) => {
    const rows = reference.groups[partners[c]];
    const truth = meanOfRows('biasReport', reference.z, rows);
    const bias = meanOfRows('biasReport', few.z, few.groups[c]).map((value, j) => value - truth[j]);
    const offset = truth.map((value, j) => value - general.mean[j]);
    const count = few.groups[c].length;
    return {
      subclass,
      count,
      referenceCount: rows.length,
      bias,
      biasNorm: Math.sqrt(general.within.mahalanobis(bias) / d),
      expectedBiasNorm: Math.sqrt(1 / count + 1 / rows.length),
      offset,
      offsetNorm: Math.sqrt(general.within.mahalanobis(offset) / d),
      ...shapeOf(scores, rows, random),
    };
  });
}

function differencesOf(
  few: LabeledLatents,
  reference: LabeledLatents,
  general: MeanAndWithin,
  residuals: Matrix,
  replicates: number,
  random: RandomStream,
): SubclassDifferences {
  const deviations = general.within.diagonal().map(Math.sqrt);
  const scaled = scaleColumns(few.z, deviations);
  const { directions, variances } = principalComponents(residuals, SHAPE_TEST_COMPONENTS);
  const scores = scaleColumns(few.z.multiply(directions.transpose()), variances.map(Math.sqrt));
  return {
    location: permutationTest(scaled, few.groups, replicates, random),
    spread: deviationTest(scaled, few.groups, absolute, replicates, random),
    shape: deviationTest(scores, few.groups, pairProducts, replicates, random),
    intraclassCorrelation: intraclassCorrelations(reference.z, reference.groups),
  };
}

function absolute({ data, rows, cols }: Matrix): Matrix {
  return new Matrix(data.map(Math.abs), rows, cols);
}
