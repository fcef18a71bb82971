import { RandomStream } from '../../core/random';
import { bendFor, bentMoments } from './departures';
import { deviationsOf, equalWeights, type MixtureDesign } from './design';
import { energyDistance } from './energy';

/** Energy distances that samples of one design have by chance, each list ascending. */
export interface SimulatedDistances {
  /** Where the population is normal. */
  normal: Float64Array;
  /** For every distance of the population, where it is a normal one bent as a whole. */
  bent: readonly Float64Array[];
  /** The same where the means of the subclasses alone are bent; null where no bend of theirs goes so far, or only an extreme one. */
  bentMeans: readonly (Float64Array | null)[];
}

const REPLICATES = 400;
const LARGEST_CACHE = 200;
/** Subclass means are taken to be no more skewed than an exponential distribution: others would leave nothing to be said of few. */
const LARGEST_MEAN_BEND = 0.55;

const tables = new Map<string, SimulatedDistances>();

/**
 * What the energy distance of a sample is, by simulation, where that of the population is known.
 *
 * Subclass means and samples around them are normal, x = between a_c + within b_ci; departures are put
 * in by a monotone bend, of x or of a_c. Skewness is the departure that chance hides best once mean and deviation are fitted. All
 * is affine-invariant and seeded by the design, so that one table serves all samples of it.
 *
 * @param distances roots of the energy distance, in the population, up to 0.4
 */
export function simulateDistances(design: MixtureDesign, distances: readonly number[]): SimulatedDistances {
  const key = JSON.stringify([design, distances]);
  let table = tables.get(key);
  if (table === undefined) {
    table = simulate(design, distances);
    // The oldest goes.
    if (tables.size === LARGEST_CACHE) tables.delete(tables.keys().next().value as string);
    tables.set(key, table);
  }
  return table;
}

function simulate(design: MixtureDesign, distances: readonly number[]): SimulatedDistances {
  const { sizes } = design;
  const { between, within } = deviationsOf(design);
  const random = new RandomStream(`distances of mixtures ${JSON.stringify(design)}`);
  const bends = distances.map((distance) => bendFor(distance, 1) as number);
  const meanBends = distances.map((distance) => {
    const bend = bendFor(distance, between ** 2);
    return bend !== null && bend > LARGEST_MEAN_BEND ? null : bend;
  });
  const made = () => new Float64Array(REPLICATES);
  const normal = made();
  const bent = bends.map(made);
  const bentMeans = meanBends.map((bend) => (bend === null ? null : made()));

  const weights = equalWeights(sizes);
  const subclass = Int32Array.from(sizes.flatMap((size, c) => new Array<number>(size).fill(c)));
  const noise = new Float64Array(subclass.length);
  const values = new Float64Array(subclass.length);
  const bentValues = new Float64Array(subclass.length);
  const fill = (means: Float64Array) => {
    for (let i = 0; i < values.length; i++) values[i] = noise[i] + between * means[subclass[i]];
  };
  for (let b = 0; b < REPLICATES; b++) {
    const means = random.normalArray(sizes.length);
    for (let i = 0; i < noise.length; i++) noise[i] = within * random.normalNumber();
    fill(means);
    normal[b] = energyDistance(values, weights);
    bends.forEach((g, k) => {
      for (let i = 0; i < values.length; i++) bentValues[i] = Math.exp(g * values[i]);
      bent[k][b] = energyDistance(bentValues, weights);
    });
    meanBends.forEach((g, k) => {
      if (g === null) return;
      const { mean, deviation } = bentMoments(g);
      fill(means.map((value) => (Math.exp(g * value) - mean) / deviation));
      (bentMeans[k] as Float64Array)[b] = energyDistance(values, weights);
    });
  }
  for (const list of [normal, ...bent, ...bentMeans]) list?.sort();
  return { normal, bent, bentMeans };
}
