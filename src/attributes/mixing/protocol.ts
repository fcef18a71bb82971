import { ConfigError, complaint, DataError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { dot } from '../../statistics/covariance';
import type { LabeledLatents, SubclassName } from '../labeled';
import { type DirectionInput, toDirection } from '../manipulate';
import type { MixingPlan } from './mixingCurve';
import { viewAlong, viewsOf } from './views';

/** Options of `mixedNormality`. */
export interface MixedNormalityOptions {
  /** Numbers of subclasses K to mix. Default: 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100 as far as there are subclasses, and all. */
  counts?: readonly number[];
  /** Samples per mixture, the same for every K. Default: the most that the smallest subclass allows, at most 200. */
  n?: number;
  /** Mixtures drawn per K. Default: 10. */
  mixtures?: number;
  /** Direction to take positions along, [d] or what `zDelta` found; the report remembers it. Default: the columns of z as they are. */
  along?: DirectionInput;
  /** What to look at: coordinates, 8 principal components, or that many random directions. Default: 'axes' up to 16 dimensions, else 16. */
  projections?: 'axes' | 'pca' | number;
  /** Largest W1 excess that counts as normal, in standard deviations; choose it before looking. Default: 0.05, about what a skewness of 0.3 causes. */
  epsilon?: number;
  /** Level of the bands; 1 - level is the size of the trend test. Default: 0.95. */
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

const USUAL_COUNTS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100];
const SMALLEST_N = 8;
const LARGEST_DEFAULT_N = 200;

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
}

export function protocolFor(data: LabeledLatents, options: MixedNormalityOptions): Protocol {
  checkOptions('mixedNormality', options, OPTIONS);
  const {
    along,
    mixtures = 10,
    projections = data.z.cols <= 16 ? 'axes' : 16,
    epsilon = 0.05,
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
  if (!(Number.isFinite(epsilon) && epsilon > 0))
    throw new ConfigError(complaint('mixedNormality', 'epsilon > 0', epsilon));
  if (!(Number.isFinite(level) && level > 0.5 && level < 1)) {
    throw new ConfigError(complaint('mixedNormality', 'level between 0.5 and 1', level));
  }
  const sizes = planSizes(data, options);
  const random = new RandomStream(seed);
  const direction =
    along === undefined ? null : unitVector(toDirection('mixedNormality', along, data.z.cols));
  const views = direction === null ? viewsOf(data.z, projections, random) : [viewAlong(data.z, direction)];
  const plan = { views, ...sizes, mixtures };
  return { plan, along: direction, epsilon, level, replicates, trainingLatents, random };
}

/** K values and the common n, checked against the sizes of the classes. */
function planSizes(data: LabeledLatents, options: MixedNormalityOptions): { counts: number[]; n: number } {
  const classes = data.groups.length;
  const usual = [...USUAL_COUNTS.filter((count) => count < classes), classes];
  if (options.counts !== undefined && !Array.isArray(options.counts)) {
    throw new ConfigError(
      complaint('mixedNormality', 'counts to be a list of numbers of classes', options.counts),
    );
  }
  const counts = [...new Set(options.counts ?? usual)].sort((a, b) => a - b);
  if (counts.length === 0) throw new ConfigError(complaint('mixedNormality', 'at least one count', 'none'));
  for (const count of counts) {
    checkInteger('mixedNormality', 'counts', count);
    if (count > classes) {
      throw new ConfigError(complaint('mixedNormality', `counts up to the ${classes} classes`, count));
    }
  }
  const sizes = data.groups.map((rows) => rows.length);
  const smallest = Math.min(...sizes);
  const smallestName = data.names[sizes.indexOf(smallest)];
  if (options.n === undefined && smallest * counts[0] < SMALLEST_N) {
    throw tooSmall(smallestName, smallest, counts[0], classes);
  }
  const n = options.n ?? Math.min(LARGEST_DEFAULT_N, smallest * counts[0]);
  checkInteger('mixedNormality', 'n', n, SMALLEST_N);
  const needed = Math.ceil(n / counts[0]);
  if (needed > smallest) {
    throw new DataError(
      complaint(
        'mixedNormality',
        `${needed} samples of every class to mix ${counts[0]} at n = ${n}`,
        `${smallest} of class ${smallestName}`,
        'Lower n, raise the smallest count, or leave that class out.',
      ),
    );
  }
  const largest = counts[counts.length - 1];
  if (largest > n) {
    throw new ConfigError(
      complaint('mixedNormality', `counts up to n = ${n}`, largest, 'Mix fewer classes.'),
    );
  }
  return { counts, n };
}

/** What to do where the smallest class does not fill a mixture of the smallest n. */
function tooSmall(name: SubclassName, size: number, count: number, classes: number): DataError {
  const others = Math.ceil(SMALLEST_N / size);
  const mix = others <= classes ? `, or mix more classes at once (counts from ${others} on)` : '';
  return new DataError(
    complaint(
      'mixedNormality',
      `at least ${Math.ceil(SMALLEST_N / count)} samples of every class`,
      `${size} of class ${name}`,
      `Take more samples of it, leave it out${mix}.`,
    ),
  );
}

function unitVector(direction: Float64Array): Float64Array {
  const largest = direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // Scaled first: squares of float32's smallest numbers are 0.
  const scaled = direction.map((value) => value / largest);
  const length = Math.sqrt(dot(scaled, scaled));
  return scaled.map((value) => value / length);
}
