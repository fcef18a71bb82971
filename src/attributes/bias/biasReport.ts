import { ConfigError, complaint, DataError, ShapeError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { type Matrix, principalComponents } from '../../linalg';
import { meanOfRows } from '../../statistics/rows';
import { type AttributeName, attributesOf } from '../attributeColumns';
import type { DirectionConsistency } from '../consistency';
import { type Labeled, type LabeledLatents, type SubclassName, toLabeled } from '../labeled';
import { fitPrior, type Prior } from '../prior';
import { zDelta } from '../zDelta';
import { type Complementarity, complementarityOf } from './complementarity';
import {
  intraclassCorrelations,
  pairProducts,
  permutationTest,
  type SubclassDifferences,
} from './differences';
import { notesOn } from './notes';
import { classResiduals, recursiveResiduals, scaleColumns } from './residuals';
import { type SubclassShape, shapeOf } from './shapes';
import { type Transferability, transferabilityOf } from './transferability';

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

/** One subclass: how its few samples deviate from it, and how it deviates from the general class. */
export interface SubclassBias extends SubclassShape {
  subclass: SubclassName;
  /** Few samples, and reference samples. */
  count: number;
  referenceCount: number;
  /** b_c = mean of the few - mean of the reference, [d]. */
  bias: Float64Array;
  /** sqrt(b^T W^-1 b / d): in within-class deviations per dimension. */
  biasNorm: number;
  /** What independent sampling alone gives for `biasNorm`: sqrt(1 / count + 1 / referenceCount). */
  expectedBiasNorm: number;
  /** d_c = mean of the reference - general mean, [d]. */
  offset: Float64Array;
  /** sqrt(d^T W^-1 d / d), in within-class deviations per dimension. */
  offsetNorm: number;
}

/** Whether an attribute has one direction in all subclasses. */
export interface AttributeConsistency extends DirectionConsistency {
  /** Its name where it has one, else its column. */
  attribute: AttributeName;
}

/** What `biasReport` found; `notes` says it in sentences. */
export interface BiasReport {
  perSubclass: SubclassBias[];
  /** H2a: whether the few samples of different subclasses differ. */
  differ: SubclassDifferences;
  /** H2b: whether deviations of small samples cancel over subclasses beyond what independence does. */
  complementarity: Complementarity;
  /** H2c: whether other subclasses' deviations are a better model than a subclass's own few samples; null where nothing can be scored. */
  transfer: Transferability | null;
  /** H2d: consistency of every attribute's direction over subclasses; empty without attributes in the reference. */
  directions: AttributeConsistency[];
  /** The findings in sentences. */
  notes: string[];
}

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
  const random = new RandomStream(seed);
  // nu0 has no part in M, W and T; giving it saves the search.
  const prior = fitPrior(reference, { withinWeight: 1 });

  const residuals = classResiduals(large);
  const perSubclass = describeClasses(small, large, partners, prior, residuals, components, random);
  const complementarity = complementarityOf(
    perSubclass.map(({ bias }) => bias),
    prior.within,
    residuals,
    partners.map((target) => large.groups[target]),
    small.groups.map((rows) => rows.length),
    replicates,
    level,
    random,
  );
  const differ = differencesOf(small, large, prior, residuals, replicates, random);
  const transfer = transferabilityOf(small, large, partners, random);
  const attributes = large.attributes === undefined ? [] : attributesOf(large.attributes);
  const directions = attributes.map(({ name }) => consistencyOf(reference, name));
  return {
    perSubclass,
    differ,
    complementarity,
    transfer,
    directions,
    notes: notesOn(differ, complementarity, transfer),
  };
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

function describeClasses(
  few: LabeledLatents,
  reference: LabeledLatents,
  partners: readonly number[],
  prior: Prior,
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
    const offset = truth.map((value, j) => value - prior.mean[j]);
    const count = few.groups[c].length;
    return {
      subclass,
      count,
      referenceCount: rows.length,
      bias,
      biasNorm: Math.sqrt(prior.within.mahalanobis(bias) / d),
      expectedBiasNorm: Math.sqrt(1 / count + 1 / rows.length),
      offset,
      offsetNorm: Math.sqrt(prior.within.mahalanobis(offset) / d),
      ...shapeOf(scores, rows, random),
    };
  });
}

function differencesOf(
  few: LabeledLatents,
  reference: LabeledLatents,
  prior: Prior,
  residuals: Matrix,
  replicates: number,
  random: RandomStream,
): SubclassDifferences {
  const deviations = prior.within.diagonal().map(Math.sqrt);
  const own = recursiveResiduals(few);
  const absolute = scaleColumns(own.rows, deviations);
  for (let i = 0; i < absolute.data.length; i++) absolute.data[i] = Math.abs(absolute.data[i]);
  const { directions, variances } = principalComponents(residuals, SHAPE_TEST_COMPONENTS);
  const scores = scaleColumns(own.rows.multiply(directions.transpose()), variances.map(Math.sqrt));
  return {
    location: permutationTest(scaleColumns(few.z, deviations), few.groups, replicates, random),
    spread: permutationTest(absolute, own.groups, replicates, random),
    shape: permutationTest(pairProducts(scores), own.groups, replicates, random),
    intraclassCorrelation: intraclassCorrelations(reference.z, reference.groups),
  };
}
