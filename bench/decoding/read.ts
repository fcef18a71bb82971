/** What `main.ts` measures, in a process of its own: reads a folder, or trains on it, and prints the figures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { Glow } from 'tfjs-flows';
import { imageBatches, openImages, readImages } from 'tfjs-flows/node';
import { prepareWasm } from 'tfjs-flows/wasm';
import { fitImage } from '../../src/node/datasets/imageDataset';

const [folder, what, threads = '0'] = process.argv.slice(2);
const imageShape = [64, 64, 3];
const dataset = await openImages('folder', folder, { imageShape, threads: Number(threads) });
if (what === 'before') console.log(seconds(await timed(readBefore)));
if (what === 'read') console.log(seconds(await timed(() => readImages(dataset))));
if (what === 'train') console.log((await waits()).map((time) => time.toFixed(2)).join('   '));

async function readBefore(): Promise<void> {
  for (const name of dataset.names) {
    const picture = jpeg.decode(readFileSync(join(folder, name)), { useTArray: true, formatAsRGBA: false });
    fitImage({ ...picture, channels: 3 }, { imageShape });
  }
}

/** Milliseconds that a step waits for its batch, in two passes. */
async function waits(): Promise<number[]> {
  await prepareWasm({ threads: 2 });
  const glow = new Glow({ imageShape: [64, 64, 3], levels: 2, stepsPerLevel: 1, hiddenChannels: 8, seed: 1 });
  const passes: number[] = [];
  async function* data(pass: number) {
    const batches = imageBatches(dataset, { batchSize: 32, limit: 1024, shuffleSeed: pass, dropLast: true });
    let waited = 0;
    for (let steps = 0; ; steps++) {
      const start = performance.now();
      const { value, done } = await batches.next();
      // The first batch of a pass has nothing to hide behind.
      if (steps > 0) waited += performance.now() - start;
      if (done) {
        passes.push(waited / (steps - 1));
        return;
      }
      yield value;
    }
  }
  await glow.fit(data, { epochs: 2, seed: 1, progress: 'none' });
  glow.dispose();
  return passes;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}
