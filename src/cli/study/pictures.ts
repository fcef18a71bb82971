import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { append } from '../../core/lists';
import type { Glow } from '../../flows';
import { writeGrid } from '../pictures';
import type { StudyConfig } from './config';
import { eventsAt, type StudyImages } from './images';

/** Pairs of an image and its reconstruction in one row. */
const PAIRS = 8;

/** Pixels of the picture per pixel of images [n, h, w, c]: small images are hard to see. */
export function scaleOf([, height]: readonly number[]): number {
  return Math.max(1, Math.round(64 / height));
}

/** Writes samples, one block of rows per temperature. */
export async function drawSamples(glow: Glow, { output, report, seed }: StudyConfig): Promise<string> {
  const columns = Math.min(report.samples, 16);
  const rows = Math.ceil(report.samples / columns);
  const images = tf.tidy(() =>
    tf.concat(report.temperatures.map((temperature) => glow.sample(rows * columns, { temperature, seed }))),
  );
  const scale = scaleOf(images.shape);
  await writeGrid(join(output, 'samples.png'), images, { nBits: glow.nBits, columns, scale });
  return 'samples.png';
}

/** Writes held-out images above what their latents decode to; returns the largest difference in levels. */
export async function drawReconstructions(
  glow: Glow,
  images: StudyImages,
  { output }: StudyConfig,
): Promise<{ picture: string; largestError: number }> {
  const { data, shape } = eventsAt(images, images.held.subarray(0, PAIRS));
  const [pairs, error] = tf.tidy(() => {
    const x = tf.tensor(Float32Array.from(data), shape);
    const decoded = glow.decode(glow.encode(x));
    return [tf.concat([x, decoded]), tf.max(tf.abs(tf.sub(x, decoded)))];
  });
  const [largestError] = await error.data();
  error.dispose();
  const layout = { nBits: glow.nBits, columns: shape[0], scale: scaleOf(shape) };
  await writeGrid(join(output, 'reconstructions.png'), pairs, layout);
  return { picture: 'reconstructions.png', largestError };
}

/** Mean bits per dimension of the given images. */
export async function meanBits(
  glow: Glow,
  images: StudyImages,
  rows: Int32Array,
  seed: number,
): Promise<{ mean: number; standardError: number }> {
  const bits: number[] = [];
  for (let start = 0; start < rows.length; start += 32) {
    const { data, shape } = eventsAt(images, rows.subarray(start, start + 32));
    const batch = tf.tidy(() =>
      glow.bitsPerDim(tf.tensor(Float32Array.from(data), shape), { seed: seed + start }),
    );
    append(bits, await batch.data());
    batch.dispose();
  }
  const mean = bits.reduce((sum, value) => sum + value, 0) / bits.length;
  const variance = bits.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, bits.length - 1);
  return { mean, standardError: Math.sqrt(variance / bits.length) };
}
