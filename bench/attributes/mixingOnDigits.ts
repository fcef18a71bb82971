import { Matrix, RandomStream } from 'tfjs-flows';
import { type MixingReport, mixedNormality } from 'tfjs-flows/attributes';
import { atLeast, type BarFigure } from './bar';
import { ATTRIBUTES, type Digits, loadDigits, rowsOf, splitHalves } from './digits';

export const name = 'mixedNormality: the table of the guide, attributes of digits on held-out halves';

const N = 80;

/** The attributes as columns, thickness also in two other measures. */
function columnsOf({ attributes }: Digits): { names: string[]; z: Matrix } {
  const thickness = attributes.column(ATTRIBUTES.indexOf('thickness'));
  const rows = Array.from(thickness, (value, i) => [...attributes.row(i), Math.log(value), 1 / value]);
  return { names: [...ATTRIBUTES, 'log thickness', '1 / thickness'], z: Matrix.fromRows(rows) };
}

export async function run(splits = 6): Promise<BarFigure[]> {
  const digits = loadDigits();
  const { names, z } = columnsOf(digits);
  const rows = new Map<string, MixingReport[]>();
  const add = (label: string, report: MixingReport) => rows.set(label, [...(rows.get(label) ?? []), report]);
  const skewness = { total: 0, within: 0, meanVariance: 0, means: 0 };
  for (let seed = 1; seed <= splits; seed++) {
    const [, held] = splitHalves(digits.label, new RandomStream(seed));
    const subclass = held.map((i) => digits.label[i]);
    mixedNormality({ z: rowsOf(z, held), subclass }, { n: N, seed }).views.forEach((view, j) => {
      add(names[j], view);
      if (names[j] !== 'thickness') return;
      for (const part of Object.keys(skewness) as (keyof typeof skewness)[]) {
        skewness[part] += view.cumulants.skewness[part] / splits;
      }
    });
    const pixels = mixedNormality(
      { z: rowsOf(digits.pixels, held), subclass },
      { n: N, seed, projections: 'pca' },
    );
    add('8 principal components', pixels);
  }
  const figures = [...rows].map(([label, reports]) => {
    const mean = (f: (report: MixingReport) => number) =>
      reports.reduce((sum, report) => sum + f(report), 0) / reports.length;
    const { length } = reports[0].curve;
    const excesses = reports[0].curve.map((_, k) => mean(({ curve }) => curve[k].excess).toFixed(3));
    const control = mean(({ curve }) => curve[length - 1].control).toFixed(3);
    const w1 = mean(({ curve }) => curve[length - 1].w1Excess).toFixed(3);
    const distances = [
      mean((r) => r.distance.value),
      mean((r) => r.distance.low),
      mean((r) => r.distance.high),
    ];
    const told = (of: (report: MixingReport) => string) =>
      ['supported', 'undecided', 'not supported']
        .map((verdict) => [reports.filter((report) => of(report) === verdict).length, verdict] as const)
        .filter(([count]) => count > 0)
        .map(([count, verdict]) => `${count} ${verdict}`)
        .join(', ');
    const row = [
      `excess ${excesses.join(' ')}, control ${control}, W1 ${w1}`,
      `distance ${distances.map((value) => value.toFixed(3)).join(' ')}`,
      `near normal ${told((report) => report.nearNormal)}; mixing helps ${told((report) => report.mixingHelps)}`,
    ];
    return atLeast(`${label}: ${row.join('; ')}`, distances[0], 0);
  });
  const parts = Object.entries(skewness).map(([part, value]) => `${part} ${value.toFixed(2)}`);
  return [...figures, atLeast(`skewness of thickness: ${parts.join(', ')}`, skewness.total, 1)];
}
