import { fitPrior } from 'tfjs-flows/attributes';
import { atLeast, type BarFigure, between } from './bar';
import { Population } from './population';

export const name = 'posterior.novelty: ordinary subclasses called novel, planted ones found';

/** One setting of the simulation. */
export interface NoveltySetting {
  dimensions: number;
  factors: number;
  classes: number;
  /** Samples of every base subclass. Default: 20. */
  perClass?: number;
  few: number;
  /** Variance between subclasses over that within. Default: 4. */
  ratio?: number;
}

/** Shares of new subclasses. */
export interface NoveltyShares {
  /** Ordinary ones that were called novel. */
  ordinary: number;
  /** Ordinary ones whose W was widened. */
  widened: number;
  /** Ones three between-class deviations off that were called novel. */
  planted: number;
}

/** Meets `newcomers` ordinary and as many planted subclasses per base, over `bases` bases. */
export function measureNovelty(
  { dimensions, factors, classes, perClass = 20, few, ratio = 4 }: NoveltySetting,
  bases: number,
  newcomers: number,
  seed: number,
): NoveltyShares {
  const found = { ordinary: 0, widened: 0, planted: 0 };
  for (let base = 0; base < bases; base++) {
    const population = new Population({ dimensions, factors, ratio, units: 30, seed: 1000 * seed + base });
    const prior = fitPrior(population.base(classes, perClass), { withinWeight: 20 });
    for (let i = 0; i < newcomers; i++) {
      const { novelty, inflation } = prior.posterior(population.samples(population.ordinary(), few));
      if (novelty.novel) found.ordinary++;
      if (inflation.lambda > 1) found.widened++;
      if (prior.posterior(population.samples(population.planted(3), few)).novelty.novel) found.planted++;
    }
  }
  const count = bases * newcomers;
  return { ordinary: found.ordinary / count, widened: found.widened / count, planted: found.planted / count };
}

/** The settings of the bar; more subclasses at the middle number of samples alone, as a base in a thousand dimensions takes seconds. */
export function settings(): NoveltySetting[] {
  return [1, 4, 16, 64, 300, 1000].flatMap((dimensions) =>
    (dimensions === 1 ? [0] : [0, 3]).flatMap((factors) =>
      [10, 20].flatMap((classes) =>
        (classes === 10 ? [3, 5, 10] : [5]).map((few) => ({ dimensions, factors, classes, few })),
      ),
    ),
  );
}

export async function run(): Promise<BarFigure[]> {
  return settings().flatMap((setting, i) => {
    const { dimensions, factors, classes, few } = setting;
    const small = dimensions <= 64;
    const { ordinary, planted } = measureNovelty(setting, small ? 100 : 20, small ? 20 : 50, i);
    const label = `d ${dimensions}, ${factors} factors, ${classes} subclasses, ${few} samples`;
    return [
      between(`ordinary called novel: ${label}`, ordinary, 0.01, 0.07),
      atLeast(`planted found: ${label}`, planted, 0.9),
    ];
  });
}
