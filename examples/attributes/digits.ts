/**
 * Ink carried from nine digits to the tenth, of which five images are known: a direction that does transfer, and how one sees that it does.
 *
 *     npm run example:digits
 *
 * Takes about a minute; pictures and plots go to output/digits.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { decodeLatents, encodeLatents, type Matrix, RandomStream, readNpz, realNvp } from 'tfjs-flows';
import { meetSubclass, positionsAlong } from 'tfjs-flows/attributes';
import { mixingPlot, quantilePlot, rangePlot } from 'tfjs-flows/notebook';
import { prepareWasm } from 'tfjs-flows/wasm';
import { page, SIZE } from './plots';
import { drawTransfer, writeText } from './transfer';

const FOLDER = 'output/digits';
const PIXELS = 64;
const NOVEL = 3;
const FEW = 5;
/** Distance that the logit keeps from 0 and 1. */
const MARGIN = 0.02;

mkdirSync(FOLDER, { recursive: true });
await prepareWasm();

const { images, label } = readNpz(readFileSync(new URL('../data/digits_8x8.npz', import.meta.url)));
const levels = Float32Array.from(images.data, Number);
const digits = Int32Array.from(label.data, Number);
const random = new RandomStream(1);

// The flow sees one half of the images of all digits, without labels; everything below uses the other half.
const order = random.permutation(digits.length);
const training = order.slice(0, digits.length / 2);
const held = order.slice(digits.length / 2);
const flow = realNvp({
  dimensions: PIXELS,
  hiddenUnits: [96, 96],
  permutation: 'shuffle',
  scale: 'sigmoid',
  seed: 1,
});
const input = tf.tensor2d(spread(training), [training.length, PIXELS]);
await flow.fit(input, {
  steps: 1500,
  stepsPerEpoch: 25,
  batchSize: 64,
  learningRate: 1e-3,
  schedule: { kind: 'cosine', steps: 1500, warmupSteps: 50 },
  clipNorm: 50,
  validationSplit: 0.1,
  earlyStopping: { patience: 6 },
  seed: 1,
});
input.dispose();

const known = held.filter((row) => digits[row] !== NOVEL);
const base = {
  z: await encodeLatents(flow, { data: spread(known), shape: [known.length, PIXELS] }),
  subclass: known.map((row) => digits[row]),
  attributes: inkOf(pixelsOf(known)),
};
const few = held.filter((row) => digits[row] === NOVEL).slice(0, FEW);
const z = await encodeLatents(flow, { data: spread(few), shape: [FEW, PIXELS] });
// Strengths count deviations of ink as it is measured on the pictures that the flow makes.
const met = await meetSubclass(base, z, { decode, calibrate: inkOf, seed: 1 });
console.log(`\nink carried to the digit ${NOVEL}\n${met}`);

// Nine digits rarely settle whether their mixture is near normal. Whoever takes it for that says so.
const onYourWord = await meetSubclass(met, z, { assumeNearNormal: true });
console.log(`\nthe same, taking the mixture for near normal\n${onYourWord}\n`);

const photographs = { data: pixelsOf(few), shape: [FEW, 8, 8, 1] };
const strengths = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
const ranges = await drawTransfer(
  met,
  { photographs, decode, nBits: 4 },
  strengths,
  join(FOLDER, `digit-${NOVEL}.png`),
);
const along = positionsAlong(base.z, met.direction);
const zeros = along.filter((_, i) => base.subclass[i] === 0);
const plots = await Promise.all([
  quantilePlot(
    { 'one digit': zeros, 'nine digits': along },
    { ...SIZE, title: 'Normal quantiles of the position along the direction' },
  ),
  mixingPlot(met.mixing!, SIZE),
  rangePlot(ranges, { ...SIZE, title: 'Learnable strengths of the five samples' }),
]);
writeText(FOLDER, 'plots.svg', page(plots));
flow.dispose();

/** Grey levels 0 .. 15 of the given rows. */
function pixelsOf(rows: Int32Array): Float32Array {
  const result = new Float32Array(rows.length * PIXELS);
  rows.forEach((row, i) => {
    for (let j = 0; j < PIXELS; j++) result[i * PIXELS + j] = Math.min(15, levels[row * PIXELS + j]);
  });
  return result;
}

/** Dequantized and spread over the real line. */
function spread(rows: Int32Array): Float32Array {
  return Float32Array.from({ length: rows.length * PIXELS }, (_, i) => {
    const level = levels[rows[Math.floor(i / PIXELS)] * PIXELS + (i % PIXELS)];
    const inside = MARGIN + ((1 - 2 * MARGIN) * (level + random.uniformNumber())) / 17;
    return Math.log(inside / (1 - inside));
  });
}

/** Pictures of latents, as grey levels 0 .. 15. */
async function decode(z: Matrix): Promise<Float32Array> {
  const values = await decodeLatents(flow, z);
  const result = Float32Array.from(await values.data(), (value) => {
    const inside = (1 / (1 + Math.exp(-value)) - MARGIN) / (1 - 2 * MARGIN);
    return Math.min(15, Math.max(0, 17 * inside - 0.5));
  });
  values.dispose();
  return result;
}

/** Mean grey level of every image. */
function inkOf(images: Float32Array): number[] {
  return Array.from({ length: images.length / PIXELS }, (_, i) => {
    const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
    return image.reduce((sum, level) => sum + level, 0) / PIXELS;
  });
}
