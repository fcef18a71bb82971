import type { RandomStream } from '../../core/random';
import { ColumnPoints, repeatedRow } from './columnPoints';
import { type KernelGroup, KernelMixture, narrowed } from './kernelMixture';
import { adjusted, nearest, variancesOf } from './neighbours';
import type { PointDensity } from './pointDensity';
import {
  atMean,
  covarianceOf,
  effectiveSize,
  normalized,
  type Points,
  pick,
  resample,
  spread,
} from './points';

/** Points of the flow that a first guess is made of. */
const PILOT = 2048;
/** Of them, so many that are nearest to what is given. */
const NEIGHBOURS = 256;
/**
 * Kernels of three sorts: narrow ones around points of the guess, which follow any shape; wide ones around its mean, which serve many
 * columns; and some around samples of the whole flow, so that no mode is missed. The tails of all are wider than those of most
 * densities: weights stay bounded.
 */
const KERNELS = {
  narrow: { count: 128, share: 0.45, freedom: 5 },
  wide: { count: 16, share: 0.4, freedom: 20 },
  everywhere: { count: 64, share: 0.15, freedom: 5 },
} as const;
/** Looks that the kernels are moved by before the last one counts, and points of each. */
const ROUNDS = 2;
const LOOK = 512;
/** Weights are evened out where fewer would set where the kernels go. */
const LEAST_WEIGHTS = 48;

/** Weighted rows of all columns, for what is given. */
export interface WeightedRows {
  /** [n, d], row-major, with the noise of whole numbers and categories in them. */
  rows: Float64Array;
  /** They sum to 1. */
  weights: Float64Array;
  /** Log-density of what is given: log of the mean of p / q, in nats. */
  logMass: number;
  /** How many independent rows say as much. */
  effectiveSampleSize: number;
}

/**
 * Importance sampling of some columns of a flow, the others given.
 *
 *     p(a) = E_q[p(a, B) / q(B)],   weights p(a, b_i) / q(b_i)
 *
 * q is a mixture of Student-t kernels, at first around samples of the flow that are near to a and moved there by regression, then twice
 * around those that weigh most. Only the last look counts, so nothing is used twice.
 *
 * @see Cappe et al., "Population Monte Carlo" (2004); Owen and Zhou, "Safe and Effective Importance Sampling" (2000)
 */
export class Importance {
  /** What is added to variances of lines, so that kernels of points that agree have a width. */
  private readonly room: Float64Array;
  /** The kernels around the whole flow, which all proposals share. */
  private readonly everywhere: KernelGroup;

  private constructor(
    private readonly density: PointDensity,
    private readonly given: ColumnPoints,
    private readonly free: ColumnPoints,
    private readonly pilot: { given: Points; free: Points },
    private readonly frequencies: readonly Float64Array[],
  ) {
    const variances = variancesOf(pilot.free);
    this.room = variances.map((variance) => 1e-6 * variance + 1e-12);
    const even = new Float64Array(pilot.free.count).fill(1);
    const { everywhere } = KERNELS;
    this.everywhere = {
      ...everywhere,
      centres: pick(pilot.free, spread(pilot.free.count, everywhere.count)),
      scale: narrowed(covarianceOf(pilot.free, even, this.room), everywhere.count),
    };
  }

  /** @param places columns that will be given */
  static async prepare(
    density: PointDensity,
    places: readonly number[],
    random: RandomStream,
  ): Promise<Importance> {
    const { columns } = density;
    const rows = await density.draw(PILOT, random);
    const others = columns.map((_, place) => place).filter((place) => !places.includes(place));
    const given = new ColumnPoints(columns, places, rows);
    const free = new ColumnPoints(columns, others, rows);
    const usable = finiteOnly({ given: given.of(rows), free: free.of(rows) });
    const m = free.ofCategories.length;
    const frequencies = free.ofCategories.map((place, j) => {
      const { support } = columns[place];
      const counts = new Float64Array(support.kind === 'categorical' ? support.categories : 0).fill(1);
      for (let i = 0; i < usable.free.count; i++) counts[usable.free.categories[i * m + j]]++;
      const total = counts.reduce((sum, count) => sum + count, 0);
      return counts.map((count) => count / total);
    });
    return new Importance(density, given, free, usable, frequencies);
  }

  /**
   * @param given values by column place, whole numbers and categories without noise
   * @param samples points of the look that counts
   */
  async at(given: ReadonlyMap<number, number>, samples: number, random: RandomStream): Promise<Look> {
    let proposal = this.firstGuess(given, random);
    for (let round = 0; round < ROUNDS; round++) {
      const look = await this.look(given, proposal, LOOK, random);
      proposal = this.moved(look, random);
    }
    return this.look(given, proposal, samples, random);
  }

  private firstGuess(given: ReadonlyMap<number, number>, random: RandomStream): KernelMixture {
    const at = this.given.of(repeatedRow(this.density.columns, given, 1, random));
    const near = nearest(this.pilot.given, at, NEIGHBOURS);
    const guess = adjusted(pick(this.pilot.free, near), pick(this.pilot.given, near), at);
    return this.mixture(guess, new Float64Array(guess.count).fill(1));
  }

  private moved(look: Look, random: RandomStream): KernelMixture {
    let { weights } = look;
    const positive = weights.reduce((count, weight) => count + Number(weight > 0), 0);
    if (positive === 0) return look.proposal;
    const least = Math.min(LEAST_WEIGHTS, positive / 2);
    while (effectiveSize(weights) < least) weights = evened(weights);
    const chosen = resample(weights, KERNELS.narrow.count, random.uniformNumber());
    return this.mixture(look.points, weights, chosen);
  }

  /** Kernels around chosen points, or around points at even distances, and around the whole flow. */
  private mixture(points: Points, weights: Float64Array, chosen?: Int32Array): KernelMixture {
    const covariance = covarianceOf(points, weights, this.room);
    const { narrow, wide } = KERNELS;
    const centres = pick(points, chosen ?? spread(points.count, narrow.count));
    return new KernelMixture(
      [
        { ...narrow, centres, scale: narrowed(covariance, centres.count) },
        {
          ...wide,
          centres: atMean(pick(centres, spread(centres.count, wide.count)), points, weights),
          scale: covariance,
        },
        this.everywhere,
      ],
      this.free.onLine.length,
      this.frequencies,
    );
  }

  /** Weighted points of a proposal. */
  async look(
    given: ReadonlyMap<number, number>,
    proposal: KernelMixture,
    n: number,
    random: RandomStream,
  ): Promise<Look> {
    const points = proposal.sample(n, random);
    const rows = repeatedRow(this.density.columns, given, n, random);
    this.free.write(points, rows);
    const logDensity = await this.density.logDensity(rows);
    const logProposal = proposal.logDensity(points);
    const slopes = this.free.logSlopes(points);
    const logWeights = logDensity.map((value, i) => value - logProposal[i] - slopes[i]);
    const { weights, logSum } = normalized(logWeights);
    return {
      rows,
      weights,
      logMass: logSum - Math.log(n),
      effectiveSampleSize: effectiveSize(weights),
      points,
      proposal,
    };
  }
}

/** One look, and where it came from: another one may be drawn from there. */
export interface Look extends WeightedRows {
  points: Points;
  proposal: KernelMixture;
}

function evened(weights: Float64Array): Float64Array {
  const roots = weights.map(Math.sqrt);
  const sum = roots.reduce((a, b) => a + b, 0);
  return roots.map((root) => root / sum);
}

/** Samples on an end by rounding have no place on a line. */
function finiteOnly(pilot: { given: Points; free: Points }): { given: Points; free: Points } {
  const onLine = ({ line, count }: Points, i: number) => {
    const c = line.length / count;
    return line.subarray(i * c, (i + 1) * c).every(Number.isFinite);
  };
  const kept = Int32Array.from({ length: pilot.free.count }, (_, i) => i).filter(
    (i) => onLine(pilot.given, i) && onLine(pilot.free, i),
  );
  return { given: pick(pilot.given, kept), free: pick(pilot.free, kept) };
}
