import { mkdirSync, writeFileSync } from 'node:fs';
import { Matrix, RandomStream } from 'tfjs-flows';
import { biasReport, normality } from 'tfjs-flows/attributes';
import { type BarFigure, between } from './bar';
import { ATTRIBUTES, loadDigits } from './digits';
import { mean } from './episodes';
import { loadMnist, loadOmniglot, MNIST_FOLDER } from './mnist';
import { drawSizes } from './sizesPicture';

export const name = 'sizes: excess and complementarity against the number of samples per class';

const SIZES = [10, 20, 50, 100, 200, 500];
const SHOWN = ['slant', 'thickness', 'ink'] as const;
const PICTURE = 'docs/pictures/sizes.svg';
/** Classes whose small samples are compared with larger ones of the same classes. */
const COMPARED = 10;
/** Reference samples per class, at most. */
const REFERENCE = 500;

/** A figure over random subsamples: its mean, and where 95 % of them lie. */
export interface Banded {
  mean: number;
  low: number;
  high: number;
}

/** What samples of one size say. */
export interface SizePoint {
  size: number;
  /** Root of the energy excess of the mixture of all classes, and of single classes (mean), per attribute. */
  mixture: Record<string, Banded>;
  single: Record<string, Banded>;
  /** Ratio of complementarity over the attributes together; null where too few samples are left to compare with. */
  ratio: Banded | null;
}

export interface SizedData {
  name: string;
  classes: number;
  points: SizePoint[];
}

interface Source {
  name: string;
  /** [n, attributes], in the order of `SHOWN`. */
  values: Matrix;
  groups: Int32Array[];
}

/** Every size of one data set that its classes have. */
export function overSizes(
  source: Source,
  sizes: readonly number[],
  repeats: number,
  seed: number,
): SizedData {
  const random = new RandomStream(seed);
  const smallest = Math.min(...source.groups.map(({ length }) => length));
  const points = sizes
    .filter((size) => size <= smallest)
    .map((size): SizePoint => {
      const mixtures: Record<string, number[]> = {};
      const singles: Record<string, number[]> = {};
      const ratios: number[] = [];
      for (let r = 0; r < repeats; r++) {
        const shuffled = source.groups.map((rows) => random.permutation(rows.length).map((k) => rows[k]));
        const drawn = shuffled.map((rows) => rows.slice(0, size));
        SHOWN.forEach((attribute, k) => {
          const valuesOf = (rows: readonly number[]) => rows.map((row) => source.values.at(row, k));
          mixtures[attribute] = [
            ...(mixtures[attribute] ?? []),
            excessOf(valuesOf(drawn.flatMap((rows) => [...rows]))),
          ];
          const own = mean(drawn.map((rows) => excessOf(valuesOf([...rows]))));
          singles[attribute] = [...(singles[attribute] ?? []), own];
        });
        // As many samples to compare with as there are small ones, at least.
        if (2 * size <= smallest) ratios.push(ratioOf(source, shuffled, size, random));
      }
      const rooted = (values: Record<string, number[]>) =>
        Object.fromEntries(Object.entries(values).map(([key, list]) => [key, banded(list, signedRoot)]));
      return {
        size,
        mixture: rooted(mixtures),
        single: rooted(singles),
        ratio: ratios.length === 0 ? null : banded(ratios),
      };
    });
  return { name: source.name, classes: source.groups.length, points };
}

function excessOf(values: readonly number[]): number {
  return normality([...values], { tests: [] }).effects.energy.excess;
}

function ratioOf(
  source: Source,
  shuffled: readonly Int32Array[],
  size: number,
  random: RandomStream,
): number {
  const chosen = Array.from(random.permutation(shuffled.length).subarray(0, COMPARED), (c) => shuffled[c]);
  const labeled = (parts: readonly Int32Array[]) => ({
    z: Matrix.fromRows(parts.flatMap((rows) => Array.from(rows, (row) => source.values.row(row)))),
    subclass: parts.flatMap((rows, c) => Array.from(rows, () => c)),
  });
  const few = labeled(chosen.map((rows) => rows.slice(0, size)));
  const reference = labeled(chosen.map((rows) => rows.slice(size, size + REFERENCE)));
  return biasReport(few, reference, { seed: random.childSeed(), replicates: 19 }).complementarity.ratio;
}

/** Root that keeps the sign: by chance an excess lies below 0. */
function signedRoot(value: number): number {
  return Math.sign(value) * Math.sqrt(Math.abs(value));
}

function banded(values: readonly number[], shown = (value: number) => value): Banded {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => shown(sorted[Math.round(share * (sorted.length - 1))]);
  return { mean: shown(mean(values)), low: at(0.025), high: at(0.975) };
}

/** Rows of every class, and the attributes that are shown. */
function sourceOf(name: string, { attributes, label }: { attributes: Matrix; label: Int32Array }): Source {
  const columns = SHOWN.map((attribute) => ATTRIBUTES.indexOf(attribute));
  const values = Matrix.fromRows(
    Array.from({ length: attributes.rows }, (_, i) => columns.map((k) => attributes.at(i, k))),
  );
  const rowsByClass = new Map<number, number[]>();
  label.forEach((c, i) => {
    rowsByClass.set(c, [...(rowsByClass.get(c) ?? []), i]);
  });
  return { name, values, groups: [...rowsByClass.values()].map((rows) => Int32Array.from(rows)) };
}

function printed({ name, classes, points }: SizedData): string {
  const cell = ({ mean: value, low, high }: Banded) =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const heading = [
    'size',
    ...SHOWN.flatMap((attribute) => [`${attribute}, all`, `${attribute}, one`]),
    'ratio',
  ];
  const rows = points.map(({ size, mixture, single, ratio }) => [
    `${size}`,
    ...SHOWN.flatMap((attribute) => [cell(mixture[attribute]), cell(single[attribute])]),
    ratio === null ? '' : cell(ratio),
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `\n${name}, ${classes} classes`,
    line(heading),
    line(heading.map(() => '---')),
    ...rows.map(line),
  ].join('\n');
}

export async function run(repeats = 40): Promise<BarFigure[]> {
  const mnist = loadMnist('train', 20_000);
  if (mnist === undefined)
    console.log(`MNIST is left out: ${MNIST_FOLDER} has no files. Give their folder as MNIST=...`);
  const sources = [
    sourceOf('Digits', loadDigits()),
    ...(mnist === undefined ? [] : [sourceOf('MNIST', mnist)]),
    sourceOf('Omniglot', loadOmniglot()),
  ];
  const data = sources.map((source) => overSizes(source, SIZES, repeats, 1));
  for (const entry of data) console.log(printed(entry));
  mkdirSync('docs/pictures', { recursive: true });
  writeFileSync(PICTURE, await drawSizes(data, SHOWN));
  console.log(`\n${PICTURE}`);
  return data.flatMap(({ name: of, points }) => {
    const [first, last] = [points[0], points[points.length - 1]];
    return SHOWN.map((attribute) => {
      const { mean: start, low, high } = first.mixture[attribute];
      const change = last.mixture[attribute].mean - start;
      const figure = `${of}, ${attribute}: root excess of all classes, change from ${first.size} to ${last.size} samples`;
      // Within what chance makes of the smallest samples.
      return between(figure, change, round(low - start), round(high - start));
    });
  });
}

function round(value: number): number {
  return Math.round(1000 * value) / 1000;
}
