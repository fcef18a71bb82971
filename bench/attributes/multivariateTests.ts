import { Matrix, RandomStream } from 'tfjs-flows';
import { multivariateNormality } from 'tfjs-flows/attributes';
import { type BarFigure, below, between } from './bar';

export const name =
  'Tests of multivariate normality: false positives at nominal .05, and the time of 5,000 rows';

/** Share of normal samples that each test rejects at .05. */
export async function rejectionRates(
  n: number,
  p: number,
  samples: number,
  replicates?: number,
): Promise<Record<string, number>> {
  const random = new RandomStream(`${n} x ${p}`);
  const rejected: Record<string, number> = {};
  for (let r = 0; r < samples; r++) {
    const z = new Matrix(random.normalArray(n * p), n, p);
    const report = await multivariateNormality(z, { replicates });
    const found = {
      'Mardia skewness': report.mardia.skewnessP,
      'Mardia kurtosis': report.mardia.kurtosisP,
      'Henze-Zirkler': report.henzeZirkler.p,
      energy: report.energy.p,
      'Royston H': report.royston.p,
    };
    for (const [test, value] of Object.entries(found)) {
      rejected[test] = (rejected[test] ?? 0) + Number(value !== null && value < 0.05);
    }
  }
  return Object.fromEntries(Object.entries(rejected).map(([test, count]) => [test, count / samples]));
}

export async function run(): Promise<BarFigure[]> {
  const figures: BarFigure[] = [];
  const cells = [2, 8, 16].flatMap((p) => [20, 60, 200].map((n) => [n, p, 4000]));
  // Beyond 200 rows the table is carried on.
  for (const [n, p, samples] of [...cells, [500, 2, 2000], [500, 16, 2000], [2000, 8, 200]]) {
    const rates = await rejectionRates(n, p, samples);
    for (const [test, rate] of Object.entries(rates)) {
      // A table that is carried on has the errors of its moments too.
      const slack = n > 200 ? 0.02 : 0.015;
      figures.push(between(`${test}, n ${n}, p ${p}`, rate, 0.05 - slack, 0.05 + slack));
    }
  }
  const rows = new Matrix(new RandomStream(1).normalArray(5000 * 8), 5000, 8);
  const start = performance.now();
  await multivariateNormality(rows);
  figures.push(below('seconds for 5,000 rows of 8 values', (performance.now() - start) / 1000, 10));
  return figures;
}
