import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { manipulate } from '../../attributes';
import { DataError } from '../../core/errors';
import { readNpy } from '../../data';
import type { Glow } from '../../flows';
import { imageBatches } from '../../node';
import type { ModelImages } from '../datasets';
import { fileNames } from '../fileNames';
import { writeGrid } from '../pictures';
import type { Report } from './report';

const STRENGTHS = Array.from({ length: 11 }, (_, i) => (i - 5) / 5);

/** Writes one image moved along one attribute, weakest first, as a row of a PNG. */
export async function sweep(
  glow: Glow,
  images: ModelImages,
  report: Report,
  folder: string,
  choice: { image: number; attribute: number },
  strengths: readonly number[] = STRENGTHS,
): Promise<{ file: string; image: string }> {
  const { name, file, reason } = report.attributes[choice.attribute];
  if (file === null) throw new DataError(`There is no direction of ${name}. ${reason}`);
  const { data: delta } = readNpy(await readFile(join(folder, file)));
  const image = images.dataset.names[choice.image];
  const one = { ...images.dataset, names: [image], read: () => images.dataset.read(choice.image) };
  const { value: batch } = await imageBatches(one, { batchSize: 1, nBits: glow.nBits }).next();
  const context = contextOf(glow, images, choice.image);
  const z = tf.tidy(() => glow.encode(batch!.x, { context }));
  const moved = manipulate(await z.data<'float32'>(), delta, strengths).z;
  const frames = tf.tidy(() => {
    const latents = tf.tensor2d(Float32Array.from(moved.data), [moved.rows, moved.cols]);
    const repeated = context && tf.tile(context, [moved.rows, 1]);
    return glow.decode(latents, { context: repeated });
  });
  tf.dispose([batch!.x, z, context ?? []]);
  const attribute = fileNames(report.attributes.map((entry) => entry.name))[choice.attribute];
  const stem = (path: string) => path.slice(0, path.length - extname(path).length);
  const picture = fileNames(images.dataset.names.map(stem))[choice.image];
  const output = join(folder, `sweep_${attribute}_${picture}.png`);
  await writeGrid(output, frames, { nBits: glow.nBits, columns: strengths.length });
  return { file: output, image };
}

/** The image's own attributes, for a class-conditional Glow. */
function contextOf(glow: Glow, { dataset }: ModelImages, image: number): tf.Tensor2D | undefined {
  const { names, values } = dataset.attributes!;
  if ((glow.getConfig() as { classes: number }).classes === 0) return undefined;
  const row = values.subarray(image * names.length, (image + 1) * names.length);
  return tf.tensor2d(
    Array.from(row, (value) => (value > 0 ? 1 : 0)),
    [1, names.length],
    'float32',
  );
}
