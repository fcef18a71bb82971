import { ConfigError, complaint, DataError } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { figure, printable } from '../core/printable';
import { checkChoice } from '../core/shapes';
import { type AttributeName, attributeOf } from './attributeColumns';
import { type DirectionConsistency, directionConsistency } from './consistency';
import { contrastOf, type DeltaMode } from './contrast';
import { type Labeled, type SubclassName, toLabeled } from './labeled';
import { deviationInSteps, slopeOf, standardError, weightedMean } from './slopes';

/** Options of `zDelta`. */
export interface ZDeltaOptions {
  /** Which of `attributes`: its name, or its column. Default: 0, the first. */
  attribute?: AttributeName;
  /**
   * 'binary': samples with attribute > 0 against the rest. 'tercile': upper against lower third of a real-valued attribute.
   * 'slope': shift of the latent per unit of the attribute. Default: 'binary'.
   */
  mode?: DeltaMode;
  /** Whether samples are compared within their subclass only. Default: true. */
  stratify?: boolean;
  /** Factor on the result; openai/glow's published manipulation vectors use 1.6 (with stratify: false). Default: 1. */
  scale?: number;
}

const OPTIONS: OptionNames<ZDeltaOptions> = {
  attribute: true,
  mode: true,
  stratify: 'boolean',
  scale: true,
};

/** Direction of an attribute within one subclass. */
export interface SubclassDelta {
  subclass: SubclassName;
  /** [d] */
  delta: Float64Array;
  /** Samples with the attribute (mode 'slope': above the subclass mean). */
  positiveCount: number;
  /** Samples without it (mode 'slope': at or below the subclass mean). */
  negativeCount: number;
  /** Share in the common direction; the shares sum to 1. */
  weight: number;
}

/** Direction of an attribute in latent space. */
export interface AttributeDirection extends DirectionConsistency {
  /** Which attribute: its name where it has one, else its column. */
  attribute: AttributeName;
  /** Latent shift from without to with the attribute, or per unit of it in mode 'slope', [d]. */
  delta: Float64Array;
  /** Standard error of every coordinate, [d]; null where no residual degrees of freedom are left. */
  standardError: Float64Array | null;
  /** One entry per subclass that has samples on both sides. */
  perSubclass: SubclassDelta[];
  /** Subclasses without samples on both sides: they say nothing about the direction. */
  skipped: SubclassName[];
  positiveCount: number;
  negativeCount: number;
  /** Standard deviation of the attribute within subclasses, in units of strength: moving by this much times delta is one deviation. */
  attributeDeviation: number;
}

/**
 * Direction of an attribute: mean latent with it minus mean latent without it, subclass by subclass.
 *
 *     delta = sum_c w_c (mean of c's positives - mean of c's negatives),   w_c ~ n_pos n_neg / (n_pos + n_neg)
 *
 * Without `stratify` the plain z_pos - z_neg of openai/glow, which mixes differences between subclasses in. In mode 'slope'
 * delta = sum e_z e_a / sum e_a^2 over deviations from the subclass means.
 *
 * Shapes: z [n, d], attributes [n, a] -> delta [d].
 *
 * Source: Kingma and Dhariwal, "Glow" (2018), section 5, arXiv:1807.03039, and demo/get_manipulators.py of openai/glow; here as the
 * fixed-effects estimate that controls for the subclass.
 *
 * @throws DataError for an empty group, a constant attribute or values that are not finite; ConfigError, ShapeError
 * @example
 * const { delta, consistency } = zDelta({ z, subclass: people, attributes: sunglasses });
 */
export function zDelta(labeled: Labeled, options: ZDeltaOptions = {}): AttributeDirection {
  const where = 'zDelta';
  checkOptions(where, options, OPTIONS);
  const { attribute = 0, mode = 'binary', stratify = true, scale = 1 } = options;
  checkChoice(where, 'mode', mode, ['binary', 'slope', 'tercile']);
  if (!(Number.isFinite(scale) && scale !== 0)) {
    throw new ConfigError(complaint(where, 'a finite scale other than 0', scale));
  }
  const data = toLabeled(where, labeled);
  const { name, values } = attributeOf(where, data.attributes, attribute);
  const everyone = Int32Array.from(values.keys());
  const contrast = contrastOf(mode, values, stratify ? data.groups : [everyone]);
  const strata = stratify ? data.groups : [everyone];
  const parts = strata.map((rows) => slopeOf(data.z, contrast, rows));
  const used = parts.filter((part) => part.weight > 0);
  if (used.length === 0) throw emptyGroup(where, mode, values, stratify && data.names.length > 1);

  const delta = weightedMean(used);
  for (let j = 0; j < delta.length; j++) delta[j] *= scale;
  const subclassParts = stratify ? parts : data.groups.map((rows) => slopeOf(data.z, contrast, rows));
  const perSubclass: SubclassDelta[] = [];
  const skipped: SubclassName[] = [];
  const total = subclassParts.reduce((sum, part) => sum + part.weight, 0);
  subclassParts.forEach((part, c) => {
    if (part.weight === 0) skipped.push(data.names[c]);
    else {
      perSubclass.push({
        subclass: data.names[c],
        delta: part.delta.map((value) => scale * value),
        positiveCount: part.positiveCount,
        negativeCount: part.negativeCount,
        weight: part.weight / total,
      });
    }
  });
  const direction = {
    attribute: name,
    delta,
    standardError: standardError(data.z, contrast, used, scale),
    perSubclass,
    skipped,
    ...directionConsistency(
      data.z,
      contrast,
      subclassParts.filter((part) => part.weight > 0),
    ),
    positiveCount: used.reduce((sum, part) => sum + part.positiveCount, 0),
    negativeCount: used.reduce((sum, part) => sum + part.negativeCount, 0),
    attributeDeviation: deviationInSteps(values, contrast, used) / Math.abs(scale),
  };
  return printable(direction, linesOf);
}

function linesOf(direction: AttributeDirection): string[] {
  const { attribute, delta, positiveCount, negativeCount, perSubclass } = direction;
  const { consistency, consistencyError, consistencyReason, attributeDeviation } = direction;
  const length = figure(Math.sqrt(delta.reduce((sum, value) => sum + value * value, 0)));
  const shared =
    consistency === null
      ? `consistency unknown: ${consistencyReason}`
      : `consistency ${figure(consistency)}, standard error ${consistencyError === null ? 'unknown' : figure(consistencyError)}`;
  return [
    `direction of attribute ${attribute}: length ${length} in ${delta.length} dimensions, one deviation of the attribute is ${figure(attributeDeviation)} of it`,
    `${positiveCount} samples with and ${negativeCount} without it, ${perSubclass.length} subclasses`,
    shared,
  ];
}

/** The same direction with `factor` times as long a step. */
export function scaledDirection(direction: AttributeDirection, factor: number): AttributeDirection {
  const times = (values: Float64Array) => values.map((value) => factor * value);
  const scaled = {
    ...direction,
    delta: times(direction.delta),
    standardError: direction.standardError && times(direction.standardError),
    perSubclass: direction.perSubclass.map((part) => ({ ...part, delta: times(part.delta) })),
    attributeDeviation: direction.attributeDeviation / factor,
  };
  return printable(scaled, linesOf);
}

function emptyGroup(where: string, mode: DeltaMode, values: Float64Array, stratified: boolean): DataError {
  if (mode !== 'binary') {
    return new DataError(complaint(where, 'an attribute that varies within a subclass', 'a constant one'));
  }
  const positive = values.filter((value) => value > 0).length;
  const counts = `${positive} with and ${values.length - positive} without`;
  const hint =
    positive === values.length
      ? "For a real-valued attribute use mode 'slope' or 'tercile'."
      : stratified && positive > 0
        ? 'Attribute and subclass coincide; stratify: false would measure the difference of the subclasses.'
        : '';
  const expected = `samples with and without the attribute${stratified ? ' in one subclass' : ''}`;
  return new DataError(complaint(where, expected, counts, hint));
}
