import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { encodeLatents, Glow, type GlowOptions, loadFlow, RandomStream } from 'tfjs-flows';
import { fileSystem } from 'tfjs-flows/node';
import type { StatisticsFile } from '../src/modelFiles';
import { type LabelledPictures, picture } from './dataset';
import { shippedPictures } from './shippedPictures';
import { learnDirection, learnPrior } from './statistics';

/** One picture in so many is held out of training. */
const HELD_OUT = 3;

/** How a model is built. */
export interface Recipe {
  load: () => LabelledPictures;
  glow: Pick<GlowOptions, 'levels' | 'stepsPerLevel' | 'hiddenChannels'>;
  steps: number;
}

/** Trains a Glow on some pictures and writes it to a folder, with the statistics of its latents and the pictures that the page shows. */
export async function buildModel(folder: string, { load, glow: sizes, steps }: Recipe): Promise<void> {
  const data = load();
  const { training } = split(data);
  const glow = new Glow({
    imageShape: [data.size, data.size, 1],
    nBits: data.nBits,
    learnTop: 'spatial',
    seed: 1,
    ...sizes,
  });
  console.log(
    `${data.title}: ${training.length} images, ${glow.parameterCount.toLocaleString('en-US')} parameters`,
  );
  const images = tensorOf(data, training);
  await glow.fit(images, {
    steps,
    stepsPerEpoch: 100,
    batchSize: 32,
    learningRate: 2e-3,
    schedule: { kind: 'cosine', steps, warmupSteps: Math.min(100, steps), floor: 0.02 },
    clipNorm: 100,
    average: 0.99,
    seed: 1,
  });
  images.dispose();
  mkdirSync(folder, { recursive: true });
  await glow.save(fileSystem(folder));
  writeFileSync(join(folder, 'pictures.npz'), shippedPictures(data));
  await describeLatents(folder, data, glow);
  glow.dispose();
}

/** Writes the statistics of a model's latents anew; its weights stay. */
export async function describeModel(folder: string, { load }: Recipe): Promise<void> {
  const glow = await loadFlow<Glow>(fileSystem(folder));
  await describeLatents(folder, load(), glow);
  glow.dispose();
}

async function describeLatents(folder: string, data: LabelledPictures, glow: Glow): Promise<void> {
  const { training, held } = split(data);
  const images = tensorOf(data, training);
  const heldImages = tensorOf(data, held);
  const known = { z: await encodeLatents(glow, images), rows: training };
  const unseen = { z: await encodeLatents(glow, heldImages), rows: held };
  const statistics: StatisticsFile = {
    title: data.title,
    source: data.source,
    subclasses: data.subclasses,
    novel: data.novel,
    attributes: data.attributes.map((attribute) => learnDirection(data, attribute, known, unseen)),
    prior: learnPrior(data, known, glow),
    heldOutBitsPerDim: tf.tidy(() => tf.mean(glow.bitsPerDim(heldImages, { seed: 1 })).dataSync()[0]),
  };
  tf.dispose([images, heldImages]);
  for (const { name, consistency, mixing } of statistics.attributes) {
    const shared = consistency === null ? 'not known' : consistency.toFixed(2);
    console.log(`  ${name}: consistency ${shared}, mixture near normal: ${mixing}`);
  }
  console.log(`  held-out ${statistics.heldOutBitsPerDim.toFixed(3)} bits per dimension`);
  writeFileSync(join(folder, 'statistics.json'), JSON.stringify(statistics));
}

/** Rows of the subclasses that the flow may see, every third of a subclass held out. */
function split({ subclass, novel, count }: LabelledPictures): { training: Int32Array; held: Int32Array } {
  const seen = new Map<number, number>();
  const training: number[] = [];
  const held: number[] = [];
  for (const row of new RandomStream(0).permutation(count)) {
    if (novel.includes(subclass[row])) continue;
    const place = seen.get(subclass[row]) ?? 0;
    seen.set(subclass[row], place + 1);
    (place % HELD_OUT === 0 ? held : training).push(row);
  }
  return { training: Int32Array.from(training), held: Int32Array.from(held) };
}

function tensorOf(data: LabelledPictures, rows: Int32Array): tf.Tensor {
  const values = new Float32Array(rows.length * data.size ** 2);
  rows.forEach((row, i) => {
    values.set(picture(data, row), i * data.size ** 2);
  });
  return tf.tensor(values, [rows.length, data.size, data.size, 1]);
}
