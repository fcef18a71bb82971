import { mixedNormality, RandomStream } from 'tfjs-flows';
import { type Figure, mixingPlot } from 'tfjs-flows/notebook';
import { page, SIZE } from '../attributes/plots';

const SUBCLASSES = 2000;
const PER_SUBCLASS = 100;
/** Numbers of subclasses to mix: up to one sample of each of a hundred. */
const COUNTS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100];

/**
 * Two populations of 2,000 subclasses of 100 samples each, skewed alike within.
 * In the first their means are normally distributed, in the second they fall into two groups.
 */
export async function mixingCurves(): Promise<string> {
  return page([
    await plotOf((random) => 3 * random.normalNumber()),
    await plotOf((random, subclass) => (subclass % 2 === 0 ? -3 : 3) + 0.5 * random.normalNumber()),
  ]);
}

function plotOf(meanOf: (random: RandomStream, subclass: number) => number): Promise<Figure> {
  const random = new RandomStream(1);
  const subclass = Array.from({ length: SUBCLASSES * PER_SUBCLASS }, (_, i) => Math.floor(i / PER_SUBCLASS));
  const means = Array.from({ length: SUBCLASSES }, (_, i) => meanOf(random, i));
  // An exponential variable less its mean: skewness 2, variance 1.
  const z = subclass.map((label) => means[label] - Math.log(random.uniformNumber()) - 1);
  return mixingPlot(mixedNormality({ z, subclass }, { counts: COUNTS, seed: 1 }), SIZE);
}
