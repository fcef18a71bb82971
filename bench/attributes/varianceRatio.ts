import { Matrix, RandomStream } from 'tfjs-flows';
import { fitPrior, learnableRange } from 'tfjs-flows/attributes';
import { type BarFigure, between } from './bar';

export const name =
  'varianceRatio: rejections at a nominal .05 of subclasses like the others, through fitPrior; its p assumes normal samples and equal spreads';

/** Share rejected; `spread` is the deviation between subclasses of the logarithm of their own deviation. */
export function rejectedShare(
  subclasses: number,
  n: number,
  few: number,
  d: number,
  spread: number,
  runs: number,
): number {
  const random = new RandomStream(100 * subclasses + d);
  let rejected = 0;
  for (let run = 0; run < runs; run++) {
    const draw = (count: number) => {
      const scale = Math.exp(spread * random.normalNumber());
      const mean = random.normalArray(d);
      return Array.from({ length: count }, () => mean.map((m) => m + scale * random.normalNumber()));
    };
    const base = Array.from({ length: subclasses }, () => draw(n));
    const prior = fitPrior({
      z: Matrix.fromRows(base.flat()),
      subclass: base.flatMap((rows, c) => rows.map(() => c)),
    });
    const posterior = prior.posterior(draw(few));
    const range = learnableRange(posterior, posterior.samples.row(0), random.normalArray(d));
    if ((range.varianceRatio?.p ?? 1) <= 0.05) rejected++;
  }
  return rejected / runs;
}

export async function run(runs = 400): Promise<BarFigure[]> {
  return [1, 4, 16].flatMap((d) =>
    [0, 0.3].map((spread) =>
      between(
        `10 subclasses of 30, 5 few, d ${d}, ${spread === 0 ? 'equal spreads' : `spreads that differ by ${spread} in their logarithm`}`,
        rejectedShare(10, 30, 5, d, spread, runs),
        0,
        // Where subclasses differ in spread by themselves, one more that does is called different too often.
        spread === 0 ? 0.083 : 0.2,
      ),
    ),
  );
}
