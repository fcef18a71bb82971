import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError, NotLearnableError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, printable } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import {
  type LatentsInput,
  toLatents,
  toMeasured,
  toVector,
  type VectorInput,
} from '../../statistics/inputs';
import { selectRows } from '../../statistics/rows';
import { type Labeled, type LabeledLatents, toLabeled } from '../labeled';
import { manipulate } from '../manipulate';
import { type AttributeDirection, scaledDirection } from '../zDelta';
import { answerOf } from './answer';

/** Options of `calibrateDirection`. */
export interface CalibrateDirectionOptions<Images> {
  /** Images of latents [n, d], such as `(z) => decodeLatents(flow, z)`. A tensor is disposed once it is measured. */
  decode: (z: Matrix) => Images | Promise<Images>;
  /** The attribute of every image, [n]: numbers or a tensor, which is disposed. */
  measure: (images: Images) => VectorInput | Promise<VectorInput>;
  /** Latents of the subclass that is to be moved, [k, d], where it is a new one. Default: those that the deviation is measured on. */
  moved?: LatentsInput;
  /** Latents that are decoded at most, spread over the subclasses. Default: 500. */
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
  /** Images that were moved, of the new subclass where `moved` names one. */
  samples: number;
  /** Weight of their own response at 1 deviation, the rest is that of the known subclasses; 1 without `moved`. */
  ownWeight: number;
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
 * The response differs between subclasses: for a new one, give its few latents as `moved`. As few images tell a mean response badly, as
 * many of every known subclass are moved too, and the mean is drawn to theirs as far as chance explains the difference:
 *
 *     w own + (1 - w) all,   w = t^2 / (t^2 + s^2 / k),   t^2 between subclasses, s^2 within them
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
  const { decode, measure, samples = 500, seed = 0 } = options;
  for (const [name, given] of Object.entries({ decode, measure })) {
    if (typeof given !== 'function')
      throw new ConfigError(complaint(where, `${name}, a function`, typeof given));
  }
  checkInteger(where, 'samples', samples, 2);
  const data = toLabeled(where, labeled);
  const { rows, groups } = spread(data, samples, new RandomStream(seed));
  const known = selectRows(data.z, rows);
  // A shift may leave an image of a known subclass blank: rows before `strictFrom` need not be finite.
  const valuesOf = async (z: Matrix, strictFrom = 0): Promise<Float64Array> => {
    const images = await decode(z);
    const given = await measure(images);
    const values = toMeasured(`${where} (measure)`, given, z.rows).slice();
    toVector(`${where} (measure)`, values.subarray(strictFrom));
    for (const made of [images, given]) if (made instanceof tf.Tensor) made.dispose();
    return values;
  };
  const measured = await valuesOf(known);
  const deviation = withinDeviation(where, measured, groups);
  const { z, parts } = whoAnswers(where, known, groups, options.moved);
  const [from, to] = parts[parts.length - 1];
  const still = options.moved === undefined ? measured : await valuesOf(z);
  const shiftAt = async (strength: number): Promise<Float64Array> =>
    (await valuesOf(manipulate(z, direction, strength).z, from)).map(
      (value, i) => (value - still[i]) / deviation,
    );
  const answer = (shifts: Float64Array) =>
    answerOf(
      parts
        .map(([start, end]) => shifts.subarray(start, end).filter(Number.isFinite))
        .filter(({ length }) => length > 0),
    );

  let factor = direction.attributeDeviation;
  let ownWeight: number;
  for (let round = 0; ; round++) {
    const up = await shiftAt(factor);
    const down = await shiftAt(-factor);
    const { mean: moved, standardError: error, weight } = answer(up.map((value, i) => (value - down[i]) / 2));
    ownWeight = weight;
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
    const { mean, standardError } = answer(await shiftAt(asked * factor));
    response.push({ asked, moved: mean, standardError });
  }
  const calibration = { factor, deviation, response, samples: to - from, ownWeight };
  return printable({ ...scaledDirection(direction, factor), attributeDeviation: 1, calibration }, linesOf);
}

function linesOf({ calibration }: CalibratedDirection): string[] {
  const { factor, deviation, response, samples, ownWeight } = calibration;
  const moved = response.map((step) => `${step.asked}: ${figure(step.moved)}`).join(', ');
  return [
    `Direction whose strength 1 moves the measured attribute by one deviation, ${figure(deviation)}`,
    `  asked for and moved, in deviations: ${moved}`,
    `  ${figure(factor)} times the direction that was given, by the images of ${samples} latents${ownWeight < 1 ? ` (weight ${figure(ownWeight)}) and of the known subclasses` : ''}`,
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

/** Latents that are moved, and where those of every subclass begin and end: all as one, or a new subclass last, after as many of each known one. */
function whoAnswers(
  where: string,
  known: Matrix,
  groups: readonly number[][],
  moved: LatentsInput | undefined,
): { z: Matrix; parts: [number, number][] } {
  if (moved === undefined) return { z: known, parts: [[0, known.rows]] };
  const own = toLatents(`${where} (moved)`, moved);
  const each = Math.max(2, own.rows);
  const others = groups.map((group) => group.slice(0, each)).filter((group) => group.length > 0);
  const parts: [number, number][] = [];
  let end = 0;
  for (const length of [...others.map((group) => group.length), own.rows]) {
    parts.push([end, end + length]);
    end += length;
  }
  const rows = [
    ...others.flat().map((row) => known.row(row)),
    ...Array.from({ length: own.rows }, (_, i) => own.row(i)),
  ];
  return { z: Matrix.fromRows(rows), parts };
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
