import { RandomStream } from 'tfjs-flows';
import { dagostinoK2, kolmogorovSmirnov, type NormalityTestName, normality } from 'tfjs-flows/attributes';
import { kolmogorovDistance, normalProbabilities } from '../../src/statistics/normality/empirical';
import { kolmogorovSf } from '../../src/statistics/normality/kolmogorovDistribution';
import { toSample } from '../../src/statistics/normality/sample';
import { atLeast, type BarFigure, below, between } from './bar';

export const name = 'Tests of normality: false positives at nominal .05';

const CALIBRATED: NormalityTestName[] = [
  'shapiroWilk',
  'lilliefors',
  'andersonDarling',
  'cramerVonMises',
  'dagostinoK2',
];

/** Share of normal samples of size n that each test rejects at .05, and that fitted Kolmogorov-Smirnov would. */
export function rejectionRates(n: number, repeats: number): Record<string, number> {
  const random = new RandomStream(n);
  const rejected: Record<string, number> = { fittedKolmogorovSmirnov: 0, refused: 0 };
  for (let r = 0; r < repeats; r++) {
    const x = random.normalArray(n);
    const { tests, mean, standardDeviation } = normality(x);
    for (const [test, result] of Object.entries(tests)) {
      rejected[test] = (rejected[test] ?? 0) + ((result.p as number) < 0.05 ? 1 : 0);
    }
    const distance = kolmogorovDistance(normalProbabilities(toSample('bench', x).standardized));
    if (kolmogorovSf(distance, n) < 0.05) rejected.fittedKolmogorovSmirnov++;
    try {
      kolmogorovSmirnov(x, { mean, standardDeviation });
    } catch {
      rejected.refused++;
    }
  }
  return Object.fromEntries(Object.entries(rejected).map(([test, count]) => [test, count / repeats]));
}

/** Share of normal samples of size n whose K^2 has a p-value below the level. */
export function dagostinoTail(n: number, level: number, repeats: number): number {
  const random = new RandomStream(n);
  let below = 0;
  for (let r = 0; r < repeats; r++) below += Number((dagostinoK2(random.normalArray(n)).p as number) < level);
  return below / repeats;
}

export async function run(repeats = 4000): Promise<BarFigure[]> {
  const tail = [20, 100, 500].flatMap((n) =>
    [0.01, 0.001].map((level) =>
      atLeast(
        `dagostinoK2 at ${level}, n ${n}: too often, as documented`,
        dagostinoTail(n, level, 60_000),
        level,
      ),
    ),
  );
  const all = [8, 20, 100].flatMap((n) => {
    const rates = rejectionRates(n, repeats);
    return [
      ...CALIBRATED.map((test) => between(`${test}, n ${n}`, rates[test], 0.035, 0.065)),
      below(`jarqueBera, n ${n}: its asymptotic p is too large, as documented`, rates.jarqueBera, 0.05),
      below(`Kolmogorov-Smirnov, n ${n}, if fitted moments were let in`, rates.fittedKolmogorovSmirnov, 0.01),
      atLeast(`share of those calls that kolmogorovSmirnov refuses, n ${n}`, rates.refused, 1),
    ];
  });
  return [...all, ...tail];
}
