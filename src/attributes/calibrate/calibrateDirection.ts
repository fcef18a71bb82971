import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError, NotLearnableError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, printable } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import type { Matrix } from '../../linalg';
import { type LatentsInput, toLatents, toVector, type VectorInput } from '../../statistics/inputs';
import { selectRows } from '../../statistics/rows';
import { type Labeled, type LabeledLatents, toLabeled } from '../labeled';
import { manipulate } from '../manipulate';
import { type AttributeDirection, scaledDirection } from '../zDelta';

/** Options of `calibrateDirection`. */
export interface CalibrateDirectionOptions<Images> {
  /** Images of latents [n, d], such as `(z) => decodeLatents(flow, z)`. A tensor is disposed once it is measured. */
  decode: (z: Matrix) => Images | Promise<Images>;
  /** The attribute of every image, [n]: numbers or a tensor, which is disposed. */
  measure: (images: Images) => VectorInput | Promise<VectorInput>;
  /** Latents whose images are moved, [n, d], such as the few of a new subclass. Default: those that the deviation is measured on. */
  moved?: LatentsInput;
  /** Latents that are decoded at most, spread over the subclasses. Default: 200. */
  samples?: number;
  /** Seed of which ones. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<CalibrateDirectionOptions<unknown>> = {
  decode: true,
  measure: true,
  moved: true,
  samples: true,
  seed: true,
};

/** What was measured on decoded images that were moved along a direction. */
export interface Calibration {
  /** Factor on the direction that was given. */
  factor: number;
  /** Standard deviation of the measured attribute within subclasses, in its own unit. */
  deviation: number;
  /** Mean shift of the measured attribute, in deviations, for every strength that was asked for. */
  response: { asked: number; moved: number; standardError: number }[];
  /** Images that were moved. */
  samples: number;
}

/** A direction whose strength 1 moves the measured attribute by one deviation within subclasses. */
export interface CalibratedDirection extends AttributeDirection {
  calibration: Calibration;
}

/** Strengths that are tried at the end, in deviations. */
const ASKED = [-2, -1, 1, 2];
/** Distance from 1 deviation at which the search for the factor ends. */
const CLOSE = 0.03;
const MOST_ROUNDS = 8;
/** A direction that must be made so much longer than the regression says does not carry the attribute. */
const LONGEST = 10;

/**
 * A direction scaled by what it does: strength 1 moves the attribute, measured on decoded images, by one standard deviation within
 * subclasses.
 *
 *     delta' = c delta,   mean of (a(decode(z + delta')) - a(decode(z - delta'))) / 2 = s,   s^2 = pooled variance of a(decode(z)) within subclasses
 *
 * Regression says how latents differ where the attribute does, which is not what the decoder makes of a latent moved that way: on
 * digits it moves less than was asked for. `calibration.response` says how straight the measured response is.
 *
 * The response differs between subclasses: for a new one, give its few latents as `moved`.
 *
 * Shapes: z [n, d], moved [k, d] -> delta [d].
 *
 * @throws NotLearnableError where the measured attribute does not follow the direction; DataError for measurements that are not finite, or
 *   do not vary; ConfigError, ShapeError
 * @example
 * const ink = (images: Float64Array[]) => images.map((image) => image[0] + image[1]);
 * const decode = (z: Matrix) => Array.from({ length: z.rows }, (_, i) => z.row(i).map((value) => 1 / (1 + Math.exp(-value))));
 * const calibrated = await calibrateDirection(zDelta(labeled), labeled, { decode, measure: ink });
 * calibrated.calibration.response; // asked for -2, -1, 1, 2 deviations: moved by ...
 */
export async function calibrateDirection<Images>(
  direction: AttributeDirection,
  labeled: Labeled,
  options: CalibrateDirectionOptions<Images>,
): Promise<CalibratedDirection> {
  const where = 'calibrateDirection';
  checkOptions(where, options, OPTIONS);
  const { decode, measure, samples = 200, seed = 0 } = options;
  for (const [name, given] of Object.entries({ decode, measure })) {
    if (typeof given !== 'function')
      throw new ConfigError(complaint(where, `${name}, a function`, typeof given));
  }
  checkInteger(where, 'samples', samples, 2);
  const data = toLabeled(where, labeled);
  const { rows, groups } = spread(data, samples, new RandomStream(seed));
  const known = selectRows(data.z, rows);
  const valuesOf = async (z: Matrix): Promise<Float64Array> => {
    const images = await decode(z);
    const given = await measure(images);
    const values = toVector(`${where} (measure)`, given, z.rows).slice();
    for (const made of [images, given]) if (made instanceof tf.Tensor) made.dispose();
    return values;
  };
  const measured = await valuesOf(known);
  const deviation = withinDeviation(where, measured, groups);
  const z = options.moved === undefined ? known : toLatents(`${where} (moved)`, options.moved);
  const still = options.moved === undefined ? measured : await valuesOf(z);
  const shiftAt = async (strength: number): Promise<Float64Array> =>
    (await valuesOf(manipulate(z, direction, strength).z)).map((value, i) => (value - still[i]) / deviation);

  let factor = direction.attributeDeviation;
  for (let round = 0; ; round++) {
    const up = await shiftAt(factor);
    const down = await shiftAt(-factor);
    const { mean: moved, error } = meanOf(up.map((value, i) => (value - down[i]) / 2));
    const follows = moved > 2 * error;
    if (follows && Math.abs(moved - 1) < CLOSE) break;
    // The response is no straight line: steps are bounded, and so is the search.
    const next = factor * Math.min(3, Math.max(1 / 3, 1 / moved));
    if (!follows || round === MOST_ROUNDS || next > LONGEST * direction.attributeDeviation) {
      const received = `${figure(moved)} (standard error ${figure(error)}) at strength ${figure(factor)}`;
      const hint = 'What is measured does not follow this direction.';
      throw new NotLearnableError(complaint(where, 'images to move by 1 deviation', received, hint));
    }
    factor = next;
  }
  const response: Calibration['response'] = [];
  for (const asked of ASKED) {
    const { mean, error } = meanOf(await shiftAt(asked * factor));
    response.push({ asked, moved: mean, standardError: error });
  }
  const calibration = { factor, deviation, response, samples: z.rows };
  return printable({ ...scaledDirection(direction, factor), attributeDeviation: 1, calibration }, linesOf);
}

function linesOf({ calibration }: CalibratedDirection): string[] {
  const { factor, deviation, response, samples } = calibration;
  const moved = response.map((step) => `${step.asked}: ${figure(step.moved)}`).join(', ');
  return [
    `Direction whose strength 1 moves the measured attribute by one deviation, ${figure(deviation)}`,
    `  asked for and moved, in deviations: ${moved}`,
    `  ${figure(factor)} times the direction that was given, by the images of ${samples} latents`,
  ];
}

/** At most `count` rows, as many of every subclass as can be, and where the rows of every subclass stand among them. */
function spread(
  { groups }: LabeledLatents,
  count: number,
  random: RandomStream,
): { rows: number[]; groups: number[][] } {
  const shuffled = groups.map((group) => Array.from(random.permutation(group.length), (k) => group[k]));
  const taken: number[] = groups.map(() => 0);
  const wanted = Math.min(
    count,
    groups.reduce((sum, group) => sum + group.length, 0),
  );
  for (let total = 0; total < wanted; ) {
    for (let c = 0; c < groups.length && total < wanted; c++) {
      if (taken[c] === groups[c].length) continue;
      taken[c]++;
      total++;
    }
  }
  const rows: number[] = [];
  const places = shuffled.map((group, c) =>
    group.slice(0, taken[c]).map((row) => {
      rows.push(row);
      return rows.length - 1;
    }),
  );
  return { rows, groups: places };
}

/** Pooled over the subclasses. */
function withinDeviation(where: string, values: Float64Array, groups: readonly number[][]): number {
  const freedom = groups.reduce((sum, group) => sum + Math.max(0, group.length - 1), 0);
  let squares = 0;
  for (const group of groups) {
    const mean = group.reduce((sum, i) => sum + values[i], 0) / group.length;
    for (const i of group) squares += (values[i] - mean) ** 2;
  }
  const deviation = Math.sqrt(squares / freedom);
  if (freedom > 0 && deviation > 0) return deviation;
  const received = freedom > 0 ? 'the same value for all' : 'one sample of each';
  throw new DataError(complaint(where, 'measured values that vary within a subclass', received));
}

function meanOf(values: Float64Array): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}
