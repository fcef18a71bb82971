import { ConfigError, complaint, DataError, ShapeError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { printable } from '../../core/printable';
import { RandomStream, type Seed } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import { Matrix } from '../../linalg';
import { type LatentsInput, toLatents } from '../../statistics/inputs';
import { meanOfRows } from '../../statistics/rows';
import { type Labeled, type SubclassName, toLabeled } from '../labeled';
import { type ChannelMaskOptions, channelMaskOptions, channelMasks } from './channelMask';

/** Options of `transferPairs`. */
export interface TransferPairsOptions extends ChannelMaskOptions {
  /** Number of samples to make. Default: one per sample. */
  count?: number;
  /** Factor p on the difference. Default: 0.6, as published. */
  strength?: number;
  /**
   * Whether the sample is pulled towards the mean of its subclass first, so that the spread stays what it was; needs p < 1 / sqrt(2).
   * Default: false.
   */
  variancePreserving?: boolean;
  /** Seed of pairs, signs and masks. Default: 0. */
  seed?: Seed;
}

const OPTIONS: OptionNames<TransferPairsOptions> = {
  ...channelMaskOptions,
  count: true,
  strength: true,
  variancePreserving: 'boolean',
  seed: true,
};

/** Samples moved by differences of pairs. */
export interface PairedSamples {
  /** [count, d] */
  z: Matrix;
  /** Row of the few samples that every result came from. */
  source: Int32Array;
  /** Subclass of the pair behind every result. */
  donor: SubclassName[];
}

/**
 * Samples of a subclass moved by what tells two samples of another subclass apart.
 *
 *     z' = z_i + p s M * (z_a - z_b),   s = +1 or -1, M a random channel mask, a and b of one donor subclass
 *
 * This adds 2 p^2 W to the covariance. With `variancePreserving`, z' = m + sqrt(1 - 2 p^2) (z_i - m) + p s (z_a - z_b) on the masked
 * channels, which keeps it.
 *
 * Shapes: few [n, d], donors.z [k, d] -> [count, d].
 *
 * Source: the notebooks of github.com/andrewhuman/few_shot_learning_with_glow (2020), with p = 0.6 and 20 of 64 channels.
 *
 * @throws DataError where no donor subclass has 2 samples; ConfigError, ShapeError
 * @example
 * const { z } = transferPairs(few, base, { count: 50, activeShare: 20 / 64, channels: 64, seed: 1 });
 */
export function transferPairs(
  few: LatentsInput,
  donors: Labeled,
  options: TransferPairsOptions = {},
): PairedSamples {
  checkOptions('transferPairs', options, OPTIONS);
  return pairsOf('transferPairs', few, donors, options);
}

/** The same on behalf of `where`, whose options may be more. */
export function pairsOf(
  where: string,
  few: LatentsInput,
  donors: Labeled,
  options: TransferPairsOptions,
): PairedSamples {
  const samples = toLatents(where, few);
  const { count = samples.rows, strength = 0.6, variancePreserving = false, seed = 0 } = options;
  checkInteger(where, 'count', count);
  const limit = variancePreserving ? Math.SQRT1_2 : Number.POSITIVE_INFINITY;
  if (!(Number.isFinite(strength) && strength > 0 && strength < limit)) {
    const expected = variancePreserving ? 'a strength in (0, 1 / sqrt(2))' : 'a positive strength';
    throw new ConfigError(complaint(where, expected, strength));
  }
  const { z, groups, names } = toLabeled(where, donors);
  if (z.cols !== samples.cols) {
    throw new ShapeError(complaint(where, `donors of ${samples.cols} values`, z.cols));
  }
  const usable = Array.from(groups.keys()).filter((c) => groups[c].length >= 2);
  if (usable.length === 0) {
    throw new DataError(complaint(where, 'a donor subclass with 2 samples', 'single samples only'));
  }
  const random = new RandomStream(seed);
  const nextMask = channelMasks(where, options, samples.cols);
  const center = meanOfRows(where, samples);
  const keep = variancePreserving ? Math.sqrt(1 - 2 * strength * strength) : 1;
  const result = Matrix.zeros(count, samples.cols);
  const source = new Int32Array(count);
  const donor: SubclassName[] = [];
  for (let k = 0; k < count; k++) {
    const i = count === samples.rows ? k : random.integer(samples.rows);
    const c = usable[random.integer(usable.length)];
    const group = groups[c];
    const first = random.integer(group.length);
    const second = (first + 1 + random.integer(group.length - 1)) % group.length;
    const [a, b] = [z.row(group[first]), z.row(group[second])];
    const mask = nextMask(random);
    const origin = samples.row(i);
    const target = result.row(k);
    for (let j = 0; j < target.length; j++) {
      // a and b are drawn in either order, which is the random sign.
      const moved = center[j] + keep * (origin[j] - center[j]) + strength * (a[j] - b[j]);
      target[j] = mask[j] === 0 ? origin[j] : moved;
    }
    source[k] = i;
    donor.push(names[c]);
  }
  return printable({ z: result, source, donor }, (made) => {
    const donors = new Set(made.donor).size;
    return [`${made.z.rows} samples of ${made.z.cols} values, moved by pairs of ${donors} subclasses`];
  });
}
