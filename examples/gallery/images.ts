import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  decodeLatents,
  encodeLatents,
  type Glow,
  imageGrid,
  loadFlow,
  manipulate,
  type Raster,
  readNpz,
} from 'tfjs-flows';
import { fileSystem } from 'tfjs-flows/node';
import type { StatisticsFile } from '../web/src/modelFiles';

const TEMPERATURES = [0.5, 0.7, 0.85, 1];
const STRENGTHS = [-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1];
const PER_ROW = 12;

interface Shipped {
  glow: Glow;
  statistics: StatisticsFile;
  /** Some pictures as a tensor, by their number. */
  pick(rows: readonly number[]): tf.Tensor;
  count: number;
}

/** One row of samples per temperature, of the same noise: only its length grows downwards. */
export async function samplesByTemperature(model: string): Promise<Raster> {
  const { glow } = await load(model);
  const images = tf.tidy(() =>
    tf.concat(TEMPERATURES.map((temperature) => glow.sample(PER_ROW, { temperature, seed: 5 }))),
  );
  return grid(images, glow, PER_ROW);
}

/** Two rows of frames, each between two pictures; the ends are pictures, all between are decoded latents. */
export async function interpolations(model: string, ...starts: number[]): Promise<Raster> {
  const { glow, pick, count } = await load(model);
  const images = tf.tidy(() =>
    tf.concat(
      starts.map((start) => {
        const [from, to] = tf.split(pick([start, (start + Math.floor(count / 2)) % count]), 2);
        return glow.interpolate(from, to, { steps: 9 });
      }),
    ),
  );
  return grid(images, glow, 9);
}

/** Four pictures of different subclasses, each moved along an attribute from -reach to reach. */
export async function attributeWalk(model: string, attribute: string, reach: number): Promise<Raster> {
  const { glow, statistics, pick, count } = await load(model);
  const { delta } = statistics.attributes.find(({ name }) => name === attribute)!;
  const rows = [0.02, 0.27, 0.52, 0.77].map((place) => Math.floor(place * count));
  const z = await encodeLatents(glow, pick(rows));
  const strengths = STRENGTHS.map((strength) => strength * reach);
  const images = await decodeLatents(glow, manipulate(z, delta, strengths).z);
  return grid(images, glow, STRENGTHS.length);
}

async function load(model: string): Promise<Shipped> {
  const folder = fileURLToPath(new URL(`../web/public/models/${model}/`, import.meta.url));
  const { images } = readNpz(await readFile(`${folder}pictures.npz`));
  const [count, size] = images.shape;
  const pick = (rows: readonly number[]) =>
    tf.tidy(() =>
      tf.gather(
        tf.tensor(Float32Array.from(images.data), [count, size, size, 1]),
        tf.tensor1d([...rows], 'int32'),
      ),
    );
  return {
    glow: await loadFlow<Glow>(fileSystem(folder)),
    statistics: JSON.parse(await readFile(`${folder}statistics.json`, 'utf8')),
    pick,
    count,
  };
}

/** The grid of a tensor of images, which is disposed. */
function grid(images: tf.Tensor, glow: Glow, columns: number): Raster {
  const raster = imageGrid(
    { shape: images.shape, data: images.dataSync() },
    { columns, nBits: glow.nBits, scale: 2, padding: 4 },
  );
  images.dispose();
  return raster;
}
