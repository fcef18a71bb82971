import { DataError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { printable } from '../../core/printable';
import type { Seed } from '../../core/random';
import { type AttributeName, attributeOf } from '../attributeColumns';
import type { DeltaMode } from '../contrast';
import { type Labeled, toLabeled } from '../labeled';
import type { LatentLevel } from '../layout';
import { type MixedNormalityReport, mixedNormality } from '../mixing';
import { fitPrior, type Prior } from '../prior';
import { type AttributeDirection, zDelta } from '../zDelta';
import { type KnownAttribute, knownLines } from './known';

/** Options of `learnAttribute`. */
export interface LearnAttributeOptions {
  /** Which attribute: its column, or its name where they have names. Default: 0. */
  attribute?: AttributeName;
  /** Its direction, where it was learned on other samples. Default: that of these, by `zDelta`. */
  direction?: AttributeDirection;
  /** The prior, where it was fitted before. Default: that of these samples, by `fitPrior`. */
  prior?: Prior;
  /** How its values become a contrast, as in `zDelta`. Default: 'binary' for two distinct values, else 'slope'. */
  mode?: DeltaMode;
  /** Levels of a multi-scale flow, as in `fitPrior`. Default: none. */
  layout?: readonly LatentLevel[];
  /** Whether these are latents of the very data that the flow was trained on, which support nothing. Default: false. */
  trainingLatents?: boolean;
  /** Seed of all draws. Default: 0. */
  seed?: Seed;
}

export const learnOptions: OptionNames<LearnAttributeOptions> = {
  attribute: true,
  direction: true,
  prior: true,
  mode: true,
  layout: true,
  trainingLatents: 'boolean',
  seed: true,
};

/** What several subclasses tell of an attribute: all that `meetSubclass` carries to another one. */
export interface LearnedAttribute extends KnownAttribute {
  direction: AttributeDirection;
  mixing: MixedNormalityReport | null;
  /** Why `mixing` is null: too few samples to say anything. */
  mixingReason: string | null;
  samples: Labeled;
}

/**
 * Learns from several subclasses what `meetSubclass` carries to others: the direction of an attribute, whether its positions mix to a normal,
 * and the prior.
 *
 * The same as `zDelta`, `mixedNormality` along that direction and `fitPrior`; once for any number of subclasses to be met.
 *
 * @param base labelled samples with attributes, of at least two subclasses
 * @throws DataError, ShapeError, ConfigError as `zDelta` and `fitPrior` do
 * @example
 * const learned = learnAttribute(labeled, { attribute: 0 });
 * const met = await meetSubclass(learned, few);
 */
export function learnAttribute(base: Labeled, options: LearnAttributeOptions = {}): LearnedAttribute {
  checkOptions('learnAttribute', options, learnOptions);
  return learn('learnAttribute', base, options);
}

/** The same for options that were checked. */
export function learn(where: string, base: Labeled, options: LearnAttributeOptions): LearnedAttribute {
  const { attribute = 0, layout, trainingLatents, seed } = options;
  const direction =
    options.direction ?? zDelta(base, { attribute, mode: options.mode ?? usualMode(where, base, attribute) });
  const prior = options.prior ?? fitPrior(base, { layout, seed });
  return printable(
    { direction, ...mixingAlong(base, direction, trainingLatents, seed), prior, samples: base },
    knownLines,
  );
}

function mixingAlong(
  base: Labeled,
  direction: AttributeDirection,
  trainingLatents: boolean | undefined,
  seed: Seed | undefined,
): Pick<LearnedAttribute, 'mixing' | 'mixingReason'> {
  try {
    const mixing = mixedNormality(base, { along: direction, trainingLatents, seed });
    return { mixing, mixingReason: null };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { mixing: null, mixingReason: error.message };
  }
}

/** 'binary' for the two values of yes and no. */
function usualMode(where: string, base: Labeled, attribute: AttributeName): DeltaMode {
  const { values } = attributeOf(where, toLabeled(where, base).attributes, attribute);
  return new Set(values).size === 2 ? 'binary' : 'slope';
}
