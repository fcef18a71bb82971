import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glow, type GlowOptions, loadFlow } from 'tfjs-flows';
import { fileSystem } from 'tfjs-flows/node';
import { type LabelledPictures, split, tensorOf } from './dataset';
import { shippedPictures } from './shippedPictures';
import { learnStatistics } from './statistics';

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
  const statistics = await learnStatistics(data, glow);
  for (const { name, consistency, nearNormal } of statistics.attributes) {
    const shared = consistency === null ? 'not known' : consistency.toFixed(2);
    console.log(`  ${name}: consistency ${shared}, mixture near normal: ${nearNormal}`);
  }
  console.log(`  held-out ${statistics.heldOutBitsPerDim.toFixed(3)} bits per dimension`);
  writeFileSync(join(folder, 'statistics.json'), JSON.stringify(statistics));
}
