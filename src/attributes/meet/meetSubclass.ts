import { ConfigError, complaint, NotLearnableError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { printable } from '../../core/printable';
import { Matrix } from '../../linalg';
import { type LatentsInput, toLatents } from '../../statistics/inputs';
import { type CalibrateDirectionOptions, calibrateDirection } from '../calibrate';
import type { Labeled } from '../labeled';
import type { LearnableRange, LearnableRangeOptions } from '../range';
import { type TransferDeltaOptions, type TransferredDelta, transferDelta } from '../transfer';
import type { AttributeDirection } from '../zDelta';
import type { KnownAttribute } from './known';
import { type LearnAttributeOptions, type LearnedAttribute, learn, learnOptions } from './learnAttribute';
import { type MetSubclass, meetingLines } from './meeting';

/** Options of `meetSubclass`; those of `learnAttribute` apply where the base is labelled samples. */
export interface MeetSubclassOptions<Images = unknown> extends LearnAttributeOptions {
  /** Images of latents, needed for `calibrate`: `(z) => decodeLatents(flow, z)`. A tensor is disposed. */
  decode?: CalibrateDirectionOptions<Images>['decode'];
  /** The attribute as measured on images, [n]: strengths then count deviations of what is measured. Default: none. */
  calibrate?: CalibrateDirectionOptions<Images>['measure'];
  /** Latents of the subclass that are to be moved, [k, d]. Default: the few. */
  z?: LatentsInput;
  /** Whether the direction is coloured for the subclass, as in `transferDelta`. Default: 'none'. */
  match?: TransferDeltaOptions['match'];
  /**
   * Takes the mixture for near normal on your word where the report leaves that undecided; one that refutes it stands. Few subclasses
   * leave it undecided mostly. Default: false.
   */
  assumeNearNormal?: boolean;
  /** Probability of the region that the range is taken from. Default: 0.95. */
  level?: LearnableRangeOptions['level'];
}

const OPTIONS: OptionNames<MeetSubclassOptions> = {
  ...learnOptions,
  decode: true,
  calibrate: true,
  z: true,
  match: true,
  assumeNearNormal: 'boolean',
  level: true,
};

/** Options that say what is learned, not how a subclass is met. */
const LEARNING = ['attribute', 'direction', 'prior', 'mode', 'layout', 'trainingLatents'] as const;

/**
 * Meets a subclass of which few samples are known, and carries an attribute to it that others taught, as far as that is learnable.
 *
 * The whole road: direction (`zDelta`), whether its positions mix to a normal (`mixedNormality`), prior (`fitPrior`), posterior of
 * the few, calibration by decoded images (`calibrateDirection`), and for every sample its range (`learnableRange`) and the strength that
 * it can be moved by (`transferDelta`). `String(met)` says all of it in a few lines.
 *
 * @param base labelled samples of at least two other subclasses with attributes, or what `learnAttribute` or an earlier meeting found
 * @param few samples of the new subclass, [n, d]
 * @throws DataError, ShapeError, ConfigError; a refused transfer is no error, see `refusal`
 * @example
 * const met = await meetSubclass(labeled, few, { attribute: 0 });
 * console.log(String(met));
 * met.refusal ?? met.transfers; // why not, or the step of every sample
 */
export async function meetSubclass<Images = unknown>(
  base: Labeled | LearnedAttribute,
  few: LatentsInput,
  options?: MeetSubclassOptions<Images>,
): Promise<MetSubclass>;
export async function meetSubclass<Known extends KnownAttribute, Images = unknown>(
  base: Known,
  few: LatentsInput,
  options?: MeetSubclassOptions<Images>,
): Promise<MetSubclass<Known>>;
export async function meetSubclass<Images>(
  base: Labeled | KnownAttribute,
  few: LatentsInput,
  options: MeetSubclassOptions<Images> = {},
): Promise<MetSubclass<KnownAttribute>> {
  const where = 'meetSubclass';
  checkOptions(where, options, OPTIONS as OptionNames<MeetSubclassOptions<Images>>);
  if (options.calibrate !== undefined && options.decode === undefined) {
    throw new ConfigError(complaint(where, 'decode, which makes the images, with calibrate', 'none'));
  }
  const samples = toLatents(`${where} (few)`, few);
  const learned = knownFrom(where, base, options);
  const posterior = learned.prior.posterior(samples);
  const notes: string[] = [];
  const { direction, calibration } = await calibrated(where, learned, samples, options, notes);

  const { match, level, assumeNearNormal = false } = options;
  const mixing = learned.mixing ?? undefined;
  const onYourWord = assumeNearNormal && (mixing === undefined || mixing.nearNormal === 'undecided');
  const shared = { match, level, ...(onYourWord ? { assumeNearNormal } : { mixing }) };
  const z = options.z === undefined ? samples : toLatents(`${where} (z)`, options.z);
  const rows = Array.from({ length: z.rows }, (_, i) => z.row(i));
  const looks = rows.map((row) =>
    transferDelta(direction, posterior, { ...shared, z: row, strength: 0, allowOutside: true }),
  );
  const ranges = looks.map(({ range }) => range as LearnableRange);
  const transfers = rows.map((row) =>
    learnableStep(() => transferDelta(direction, posterior, { ...shared, z: row })),
  );
  if (onYourWord) notes.push('That the mixture is near normal is your word, not a finding.');
  if (posterior.usesSampleMean) notes.push('Its mean lies so far out that the prior has no say in it.');
  const met: MetSubclass<KnownAttribute> = {
    ...learned,
    direction,
    calibration,
    posterior,
    coloured: looks[0].direction,
    ranges,
    refusal: ranges[0].refusal,
    transfers,
    moved: Matrix.fromRows(
      rows.map((row, i) => row.map((value, j) => value + (transfers[i]?.delta[j] ?? 0))),
    ),
    notes,
  };
  return printable(met, meetingLines);
}

/** What was learned before, or is now. */
function knownFrom(
  where: string,
  base: Labeled | KnownAttribute,
  options: LearnAttributeOptions,
): KnownAttribute {
  if (typeof base !== 'object' || base === null || !('prior' in base)) return learn(where, base, options);
  const given = LEARNING.find((name) => options[name] !== undefined);
  if (given === undefined) return base;
  const expected = 'options of the meeting only, as the attribute is learned already';
  throw new ConfigError(complaint(where, expected, given));
}

/** The direction by what images show of it, where that is measured. */
async function calibrated<Images>(
  where: string,
  { direction, samples }: KnownAttribute,
  moved: Matrix,
  { decode, calibrate, seed }: MeetSubclassOptions<Images>,
  notes: string[],
): Promise<Pick<MetSubclass<KnownAttribute>, 'direction' | 'calibration'>> {
  if (calibrate === undefined) return { direction, calibration: null };
  if (samples === undefined || !('perSubclass' in direction)) {
    const expected = 'what learnAttribute found, with calibrate: samples and a direction of zDelta';
    throw new ConfigError(complaint(where, expected, 'no samples or another direction'));
  }
  try {
    const found = await calibrateDirection(direction as AttributeDirection, samples, {
      decode: decode!,
      measure: calibrate,
      moved,
      seed,
    });
    return { direction: found, calibration: found.calibration };
  } catch (error) {
    if (!(error instanceof NotLearnableError)) throw error;
    notes.push(`Not calibrated. ${error.message}`);
    return { direction, calibration: null };
  }
}

function learnableStep(step: () => TransferredDelta): TransferredDelta | null {
  try {
    return step();
  } catch (error) {
    if (error instanceof NotLearnableError) return null;
    throw error;
  }
}
