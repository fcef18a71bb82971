/**
 * Trains a Glow on 1,800 Fashion-MNIST images, reports held-out bits per dimension beside two baselines, and draws
 * samples, reconstructions, interpolations and an attribute sweep.
 *
 *     npm run demo
 *
 * Ctrl-C ends the training early; the pictures are then drawn from what was learned so far.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Glow, manipulate, zDelta } from 'tfjs-flows';
import { abortOnInterrupt } from 'tfjs-flows/node';
import { prepareWasm } from 'tfjs-flows/wasm';
import { histogramBitsPerDim } from './baselines';
import { garments, type LabelledImages, loadGarments } from './data';
import { PictureFolder } from './pictures';

const N_BITS = 5;
const STEPS = 1000;
const SECONDS = 210;
const COLUMNS = 10;

const report = await prepareWasm();
const arithmetic = report.fusedMultiplyAdd ? 'SIMD with fused multiply-add' : 'SIMD';
console.log(`wasm backend: ${report.threads} threads, ${arithmetic}`);

const { training, held } = loadGarments(N_BITS);
const glow = new Glow({
  imageShape: [28, 28, 1],
  levels: 2,
  stepsPerLevel: 8,
  hiddenChannels: 64,
  nBits: N_BITS,
  // One mean per class and position: samples of a class then have its outline.
  learnTop: 'spatial',
  classes: garments.length,
  seed: 1,
});
console.log(`Glow with ${glow.parameterCount.toLocaleString('en-US')} parameters\n`);

const tensorOf = ({ images }: LabelledImages) => tf.tensor(images.data, images.shape);
const first = ({ images, labels }: LabelledImages, n: number) => ({
  images: tf.tidy(() => tf.slice(tensorOf({ images, labels }), 0, n)),
  labels: labels.subarray(0, n),
});

// A slower machine trains for fewer steps rather than longer.
const timeIsUp = AbortSignal.timeout(SECONDS * 1000);
const history = await glow.fit(
  { x: training.images.data, shape: [28, 28, 1], context: training.labels },
  {
    steps: STEPS,
    stepsPerEpoch: 100,
    batchSize: 32,
    learningRate: 2e-3,
    schedule: { kind: 'cosine', steps: STEPS, warmupSteps: 50, floor: 0.05 },
    clipNorm: 100,
    average: 0.99,
    seed: 1,
    signal: AbortSignal.any([timeIsUp, abortOnInterrupt()]),
  },
);

const heldImages = tensorOf(held);
const bits = tf.tidy(
  () => tf.mean(glow.bitsPerDim(heldImages, { context: held.labels, seed: 1 })).dataSync()[0],
);
console.log(
  `\nbits per dimension of ${held.labels.length} held-out images after ${history.losses.length} steps`,
);
console.log(`  uniform               ${N_BITS.toFixed(3)}`);
console.log(
  `  histogram per pixel   ${histogramBitsPerDim(training.images, held.images, N_BITS).toFixed(3)}`,
);
console.log(`  Glow                  ${bits.toFixed(3)}`);

console.log('\npictures');
const pictures = new PictureFolder('output/demo', N_BITS);
pictures.write('data', first(training, 60).images, COLUMNS);

const everyClass = Array.from({ length: 6 * COLUMNS }, (_, i) => i % COLUMNS);
for (const temperature of [0.5, 0.7, 1]) {
  const samples = glow.sample(everyClass.length, { temperature, context: everyClass, seed: 2 });
  pictures.write(`samples-temperature-${temperature}`, samples, COLUMNS);
}

drawReconstructions();
drawInterpolations();
drawBrightness();

/** Held-out images, and beside each its decoded latents. */
function drawReconstructions(): void {
  const { images, labels } = first(held, 30);
  const z = glow.encode(images, { context: labels });
  const decoded = glow.decode(z, { context: labels });
  const error = tf.tidy(() => tf.max(tf.abs(tf.sub(images, decoded))).dataSync()[0]);
  pictures.write('reconstructions', pairUp(images, decoded), COLUMNS);
  console.log(`    largest error of a reconstruction: ${error} of ${2 ** N_BITS - 1} levels`);
  tf.dispose([images, z, decoded]);
}

/** [a0, b0, a1, b1, ...] */
function pairUp(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.reshape(tf.stack([a, b], 1), [2 * a.shape[0], ...a.shape.slice(1)]));
}

/** From one held-out image of a class to another, through latent space. */
function drawInterpolations(): void {
  const frames = [0, 1, 3, 5, 7, 8].map((label) => {
    const rows = Array.from(held.labels.keys()).filter((row) => held.labels[row] === label);
    return tf.tidy(() => {
      const [from, to] = rows.slice(0, 2).map((row) => tf.slice(heldImages, row, 1));
      return glow.interpolate(from, to, { steps: COLUMNS, context: label });
    });
  });
  pictures.write(
    'interpolations',
    tf.tidy(() => tf.concat(frames)),
    COLUMNS,
  );
  tf.dispose(frames);
}

/** The direction of brightness within classes, learned from the training images, on held-out images. */
function drawBrightness(): void {
  const x = tensorOf(training);
  const z = glow.encode(x, { context: training.labels }) as tf.Tensor2D;
  const brightness = Array.from(
    tf.tidy(() => tf.mean(x, [1, 2, 3]).dataSync()),
    (level) => [level],
  );
  const direction = zDelta({ z, subclass: training.labels, attributes: brightness }, { mode: 'slope' });
  const strengths = Array.from({ length: 9 }, (_, i) => (i / 2 - 2) * direction.attributeDeviation);

  const { images, labels } = first(held, 6);
  const sources = glow.encode(images, { context: labels }) as tf.Tensor2D;
  const moved = manipulate(sources, direction, strengths);
  const decoded = tf.tidy(() =>
    glow.decode(tf.tensor2d(Float32Array.from(moved.z.data), [moved.z.rows, moved.z.cols]), {
      context: Array.from(moved.source, (row) => labels[row]),
    }),
  );
  pictures.write('brightness-sweep', decoded, strengths.length);
  console.log(
    '    from -2 to +2 standard deviations of brightness within a class, the image itself in the middle',
  );
  tf.dispose([x, z, images, sources]);
}
