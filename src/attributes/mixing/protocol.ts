import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { someOf } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { dot } from '../../statistics/covariance';
import type { LabeledLatents } from '../labeled';
import { type DirectionInput, toDirection } from '../manipulate';
import type { MixingPlan } from './mixingCurve';
import { chooseSizes } from './sizes';
import { splitViews, viewAlong, viewsOf } from './views';

/** Options of `mixedNormality`. */
export interface MixedNormalityOptions {
  /** Numbers of subclasses K to mix. Default: 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100 as far as
   * their samples reach and there are subclasses, and all. */
  counts?: readonly number[];
  /** Samples per mixture, the same for every K. Default: the most that the smallest subclass allows, at most 200. */
  n?: number;
  /** Mixtures drawn per K. Default: 10. */
  mixtures?: number;
  /** Direction to take positions along, [d] or what `zDelta` found; the report remembers it. Default: the columns of z as they are. */
  along?: DirectionInput;
  /** What to look at: coordinates, 8 principal components, or that many random directions. Default: 'axes' up to 16 dimensions, else 16. */
  projections?: 'axes' | 'pca' | number;
  /** Largest distance that counts as near normal (root of the energy distance); choose it before looking. Default: 0.03, what a skewness of 0.3 causes. */
  epsilon?: number;
  /** Level of the bands; 1 - level is the size of the tests. Default: 0.95. */
  level?: number;
  /** Random replicates: of the two-level bootstrap behind the bands, and of the label permutations behind the trend. Default: 199. */
  replicates?: number;
  /** Whether these are latents of the very data that the flow was trained on. They can support nothing. Default: false. */
  trainingLatents?: boolean;
  /** Seed of all draws. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<MixedNormalityOptions> = {
  counts: true,
  n: true,
  mixtures: true,
  along: true,
  projections: true,
  epsilon: true,
  level: true,
  replicates: true,
  trainingLatents: 'boolean',
  seed: true,
};

/** Farther from normal than an exponential distribution nothing is near. */
const LARGEST_EPSILON = 0.2;

/** Options with their defaults, checked against the data, and the stream that all draws come from. */
export interface Protocol {
  plan: MixingPlan;
  /** Unit vector, [d]; null without a direction. */
  along: Float64Array | null;
  epsilon: number;
  level: number;
  replicates: number;
  trainingLatents: boolean;
  random: RandomStream;
  /** What was chosen inside, in sentences. */
  notes: string[];
}

export function protocolFor(data: LabeledLatents, options: MixedNormalityOptions): Protocol {
  checkOptions('mixedNormality', options, OPTIONS);
  const {
    along,
    mixtures = 10,
    projections = data.z.cols <= 16 ? 'axes' : 16,
    epsilon = 0.03,
    level = 0.95,
    replicates = 199,
    trainingLatents = false,
    seed = 0,
  } = options;
  checkInteger('mixedNormality', 'mixtures', mixtures);
  checkInteger('mixedNormality', 'replicates', replicates, 19);
  if (projections !== 'axes' && projections !== 'pca') {
    checkInteger('mixedNormality', "projections ('axes', 'pca' or a number)", projections);
  }
  if (!(Number.isFinite(epsilon) && epsilon > 0 && epsilon <= LARGEST_EPSILON)) {
    throw new ConfigError(complaint('mixedNormality', `epsilon in (0, ${LARGEST_EPSILON}]`, epsilon));
  }
  if (!(Number.isFinite(level) && level > 0.5 && level < 1)) {
    throw new ConfigError(complaint('mixedNormality', 'level between 0.5 and 1', level));
  }
  const { counts, n, notes } = chooseSizes(data, options);
  const random = new RandomStream(seed);
  const direction = along === undefined ? null : toUnitVector(along, data.z.cols);
  const views = direction === null ? viewsOf(data.z, projections, random) : [viewAlong(data.z, direction)];
  const { varying, constant } = splitViews(views);
  if (constant.length > 0) {
    const are = constant.length === 1 ? 'is constant and was' : 'are constant and were';
    notes.push(`${someOf(constant)} ${are} left out.`);
  }
  return {
    plan: { views: varying, counts, n, mixtures },
    along: direction,
    epsilon,
    level,
    replicates,
    trainingLatents,
    random,
    notes,
  };
}

function toUnitVector(along: DirectionInput, dimension: number): Float64Array {
  const direction = toDirection('mixedNormality', along, dimension);
  const largest = direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // Scaled first: squares of float32's smallest numbers are 0.
  const scaled = direction.map((value) => value / largest);
  const length = Math.sqrt(dot(scaled, scaled));
  return scaled.map((value) => value / length);
}
