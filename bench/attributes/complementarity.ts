import { Matrix, RandomStream } from 'tfjs-flows';
import { biasReport } from 'tfjs-flows/attributes';
import { principalComponents } from '../../src/linalg';
import { atLeast, type BarFigure, below, between } from './bar';
import { type Digits, loadDigits, rowsOf } from './digits';

export const name = 'biasReport: complementarity of small samples of digits';

export interface Outcome {
  ratio: number;
  cosine: number;
  pShared: number;
  pComplementary: number;
}

/** What is done to the small samples: nothing, one vector added to all of them, or most of their common deviation removed. */
export type Planted = 'nothing' | 'shared' | 'cancelling';

const CLASSES = 5;

/** One random split: n samples of each of 5 random digits against all other samples of these digits. */
export function split(
  z: Matrix,
  label: Int32Array,
  n: number,
  planted: Planted,
  seed: number,
  replicates: number,
): Outcome {
  const random = new RandomStream(seed);
  const few: number[] = [];
  const rest: number[] = [];
  for (const digit of random.permutation(10).subarray(0, CLASSES)) {
    const rows = Int32Array.from(label.keys()).filter((i) => label[i] === digit);
    random.permutation(rows.length).forEach((at, k) => {
      (k < n ? few : rest).push(rows[at]);
    });
  }
  const sample = rowsOf(z, few);
  if (planted === 'shared') {
    for (let i = 0; i < sample.data.length; i++) sample.data[i] += 0.3;
  }
  if (planted === 'cancelling') removeCommon(sample, few, z, label, rest);
  const { complementarity } = biasReport(
    { z: sample, subclass: few.map((i) => label[i]) },
    { z: rowsOf(z, rest), subclass: rest.map((i) => label[i]) },
    { seed, replicates },
  );
  return complementarity;
}

/** Takes 70 % of the mean deviation of the small samples from their class means off every one of them. */
function removeCommon(sample: Matrix, few: number[], z: Matrix, label: Int32Array, rest: number[]): void {
  const common = new Float64Array(z.cols);
  few.forEach((row, i) => {
    const others = rest.filter((other) => label[other] === label[row]);
    for (let j = 0; j < z.cols; j++) {
      const mean = others.reduce((sum, other) => sum + z.at(other, j), 0) / others.length;
      common[j] += (sample.at(i, j) - mean) / few.length;
    }
  });
  for (let i = 0; i < sample.rows; i++) {
    for (let j = 0; j < z.cols; j++) sample.row(i)[j] -= 0.7 * common[j];
  }
}

/** Means over splits, the standard error of that of the ratio, and the largest p-values against what was planted. */
export function summarize(outcomes: readonly Outcome[]): Outcome & { ratioError: number } {
  const mean = (f: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + f(outcome), 0) / outcomes.length;
  const average = mean(({ ratio }) => ratio);
  return {
    ratio: average,
    ratioError: Math.sqrt(mean(({ ratio }) => (ratio - average) ** 2) / (outcomes.length - 1)),
    cosine: mean(({ cosine }) => cosine),
    pShared: Math.max(...outcomes.map(({ pShared }) => pShared)),
    pComplementary: Math.max(...outcomes.map(({ pComplementary }) => pComplementary)),
  };
}

/** The leading within-digit directions, scaled to deviation 1: 16 of them, as for the planted figures of the reference. */
export function components({ pixels, label }: Digits, count = 16): Matrix {
  const residuals = Matrix.zeros(pixels.rows, pixels.cols);
  for (let digit = 0; digit < 10; digit++) {
    const rows = [...label.keys()].filter((i) => label[i] === digit);
    for (let j = 0; j < pixels.cols; j++) {
      const mean = rows.reduce((sum, i) => sum + pixels.at(i, j), 0) / rows.length;
      for (const i of rows) residuals.row(i)[j] = pixels.at(i, j) - mean;
    }
  }
  const { directions, variances } = principalComponents(residuals, count);
  const scores = pixels.multiply(directions.transpose());
  for (let i = 0; i < scores.rows; i++) {
    for (let j = 0; j < count; j++) scores.row(i)[j] /= Math.sqrt(variances[j]);
  }
  return scores;
}

export async function run(splits = 60): Promise<BarFigure[]> {
  const digits = loadDigits();
  const z = components(digits);
  const random = new RandomStream(1);
  const over = (n: number, planted: Planted, count: number) =>
    summarize(
      Array.from({ length: count }, () => split(z, digits.label, n, planted, random.childSeed(), 499)),
    );
  const figures = [5, 10].flatMap((n) => {
    const { ratio, ratioError, cosine } = over(n, 'nothing', splits);
    const error = ratioError.toFixed(3);
    return [
      between(`ratio under independent sampling, n ${n} (standard error ${error})`, ratio, 0.9, 1.1),
      between(`cosine, n ${n}`, cosine, -0.03, 0.03),
    ];
  });
  const few = Math.ceil(splits / 6);
  const shared = over(5, 'shared', few);
  const cancelling = over(5, 'cancelling', few);
  return [
    ...figures,
    atLeast('ratio with .3 deviations added to every coordinate', shared.ratio, 1.5),
    below('its largest p', shared.pShared, 0.01),
    below('ratio with 70 % of the common deviation removed', cancelling.ratio, 0.5),
    below('its largest p', cancelling.pComplementary, 0.01),
  ];
}
