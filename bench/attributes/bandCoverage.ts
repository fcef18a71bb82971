import { Matrix, RandomStream } from 'tfjs-flows';
import { type MixingPoint, mixedNormality } from 'tfjs-flows/attributes';
import { type BarFigure, between } from './bar';

export const name = 'mixedNormality: coverage of the class-level 95 % bands';

const COUNTS = [1, 3, 10];
const SIZE = 60;

/** Ten classes of exponential samples around normal means, drawn afresh with their classes. */
function population(random: RandomStream): { z: Matrix; subclass: number[] } {
  const classes = COUNTS[COUNTS.length - 1];
  const subclass = Array.from({ length: classes * SIZE }, (_, i) => Math.floor(i / SIZE));
  const means = random.normalArray(classes);
  const z = Float64Array.from(subclass, (c) => 1.5 * means[c] - Math.log(1 - random.uniformNumber()));
  return { z: new Matrix(z, z.length, 1), subclass };
}

/** For every K the share of populations whose band holds the mean excess over all of them. */
export function coverage(populations: number, replicates: number): number[] {
  const random = new RandomStream(5);
  const curves = Array.from({ length: populations }, (_, seed) => {
    const options = { counts: COUNTS, n: 40, replicates, seed };
    return mixedNormality(population(random), options).curve;
  });
  return COUNTS.map((_, k) => {
    const points = curves.map((curve): MixingPoint => curve[k]);
    // Energies have the unbiased mean, not their roots.
    const energy = points.reduce((sum, { excess }) => sum + Math.sign(excess) * excess ** 2, 0) / populations;
    const truth = Math.sign(energy) * Math.sqrt(Math.abs(energy));
    return points.filter(({ low, high }) => low <= truth && truth <= high).length / populations;
  });
}

export async function run(populations = 200): Promise<BarFigure[]> {
  return coverage(populations, 200).map((share, k) => between(`mixtures of ${COUNTS[k]}`, share, 0.9, 0.99));
}
