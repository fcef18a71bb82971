import * as tf from '@tensorflow/tfjs-core';
import { Matrix, RandomStream, realNvp } from 'tfjs-flows';
import { type MixedNormalityOptions, mixedNormality, type Verdict } from 'tfjs-flows/attributes';
import { prepareWasm } from 'tfjs-flows/wasm';
import { atLeast, type BarFigure, below } from './bar';
import { ATTRIBUTES, type Digits, loadDigits, rowsOf, splitHalves } from './digits';

export const name = 'mixedNormality: attributes of digits, and training latents of a flow';

const N = 80;

/** Excess of one digit and of all ten for every attribute, and the verdicts, on the half that is held out. */
export function attributeVerdicts(digits: Digits, seed: number, options: MixedNormalityOptions = {}) {
  const [, held] = splitHalves(digits.label, new RandomStream(seed));
  const subclass = held.map((i) => digits.label[i]);
  const report = mixedNormality({ z: rowsOf(digits.attributes, held), subclass }, { n: N, seed, ...options });
  return Object.fromEntries(
    report.views.map(({ curve, mixingHelps }, j) => [
      ATTRIBUTES[j],
      { single: curve[0].excess, all: curve[curve.length - 1].excess, verdict: mixingHelps },
    ]),
  ) as Record<(typeof ATTRIBUTES)[number], { single: number; all: number; verdict: Verdict }>;
}

/** Grey levels dequantized and spread over the real line; the margin keeps the logit finite. */
export function spreadPixels({ pixels }: Digits, random: RandomStream): Matrix {
  const data = pixels.data.map((level) => {
    const inside = 0.02 + (0.96 * (16 * level + random.uniformNumber())) / 17;
    return Math.log(inside / (1 - inside));
  });
  return new Matrix(data, pixels.rows, pixels.cols);
}

/** Latents that a Real NVP gives to the very rows it was trained on, [n, d]. */
export async function trainingLatents(
  { rows, cols, data }: Matrix,
  size: { layers: number; hiddenUnits: number[]; steps: number },
): Promise<Matrix> {
  const { layers, hiddenUnits, steps } = size;
  const x = tf.tensor2d(Float32Array.from(data), [rows, cols]);
  const flow = realNvp({ dimensions: cols, layers, permutation: 'shuffle', hiddenUnits, seed: 1 });
  await flow.fit(x, { steps, batchSize: 64, learningRate: 1e-3, clipNorm: 50, progress: 'none', seed: 1 });
  const latents = tf.tidy(() => flow.encode(x));
  const z = new Matrix(Float64Array.from(await latents.data()), rows, cols);
  tf.dispose([x, latents]);
  flow.dispose();
  return z;
}

export async function run(splits = 6): Promise<BarFigure[]> {
  const digits = loadDigits();
  const verdicts = Array.from({ length: splits }, (_, seed) => attributeVerdicts(digits, seed + 1));
  const mean = (f: (outcome: (typeof verdicts)[number]) => number) =>
    verdicts.reduce((sum, outcome) => sum + f(outcome), 0) / splits;
  const rise = (attribute: (typeof ATTRIBUTES)[number]) =>
    mean((outcome) => outcome[attribute].all - outcome[attribute].single);
  await prepareWasm();
  const [trained] = splitHalves(digits.label, new RandomStream(1));
  const x = rowsOf(spreadPixels(digits, new RandomStream(1)), trained);
  const latents = {
    z: await trainingLatents(x, { layers: 8, hiddenUnits: [96, 96], steps: 600 }),
    subclass: trained.map((i) => digits.label[i]),
  };
  const options = { n: N, seed: 1, projections: 16 };
  const told = mixedNormality(latents, { ...options, trainingLatents: true });
  const untold = mixedNormality(latents, options);
  const share = (attribute: (typeof ATTRIBUTES)[number], verdict: Verdict) =>
    mean((outcome) => (outcome[attribute].verdict === verdict ? 1 : 0));
  return [
    atLeast('thickness: rise of the distance from 1 to 10 digits', rise('thickness'), 0.05),
    below('slant: rise of the distance from 1 to 10 digits', rise('slant'), 0),
    atLeast("thickness: share of splits 'not supported'", share('thickness', 'not supported'), 1),
    below("slant: share of splits 'not supported'", share('slant', 'not supported'), 0.5),
    below("training latents: near normal 'supported'", Number(told.nearNormal === 'supported'), 1),
    below("training latents: mixing helps 'supported'", Number(told.mixingHelps === 'supported'), 1),
    below(
      "training latents that nobody declared: mixing helps 'supported'",
      Number(untold.mixingHelps === 'supported'),
      1,
    ),
    atLeast('training latents that nobody declared: notes', untold.notes.length, 1),
    below('training latents: distance of one digit', untold.curve[0].excess, 0.03),
  ];
}
