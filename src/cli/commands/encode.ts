import { append } from '../../core/lists';
import type { NdArray } from '../../data';
import type { ImageDataset } from '../../node';
import { MOST_NPZ_BYTES, writeFloatRows } from '../../node/floatFiles';
import { type Answer, type Arguments, type Command, type Terminal, UsageError } from '../command';
import { datasetOptions, datasetPositionals, ModelImages, passOptions } from '../datasets';
import { importOptions, loadModel } from '../models';

export const encode: Command = {
  name: 'encode',
  summary: 'latents of images',
  positionals: [{ name: 'model', description: 'file, saved flow or training run' }, ...datasetPositionals],
  options: {
    ...importOptions,
    ...datasetOptions,
    output: {
      value: 'FILE',
      description: '.npz (z, index, labels or attributes) or .npy (z) to write (default latents.npz)',
    },
  },
  computes: true,
  run,
};

async function run(args: Arguments, terminal: Terminal): Promise<Answer> {
  const output = args.output('latents.npz', ['.npz', '.npy']);
  const glow = await loadModel(args.positional('model'), args);
  const images = await ModelImages.open(glow, args, terminal);
  const [size] = glow.latentShape;
  if (/\.npz$/i.test(output) && 4 * size * images.count > MOST_NPZ_BYTES) {
    const hint = 'Give --output latents.npy, or a --limit.';
    throw new UsageError(
      `${images.count} latents of ${size} values are more than the 4 GB of an npz file. ${hint}`,
    );
  }
  const rows: number[] = [];
  await writeFloatRows(output, 'z', size, async (latents) => {
    await images.forEach(async (batch) => {
      const z = glow.encode(batch.x, passOptions(batch));
      try {
        await latents.add((await z.data()) as Float32Array);
      } finally {
        z.dispose();
      }
      append(rows, batch.indices);
    });
    return knownOf(images.dataset, rows);
  });
  glow.dispose();
  const skipped = [...images.skipped];
  return {
    text: `${rows.length} latents of ${size} values in ${output}`,
    data: { count: rows.length, size, output, skipped },
  };
}

/** Place, class and attributes of the images that were encoded. */
function knownOf({ labels, attributes }: ImageDataset, rows: readonly number[]): Record<string, NdArray> {
  const width = attributes?.names.length ?? 0;
  const values = new Int8Array(rows.length * width);
  rows.forEach((row, i) => {
    values.set(attributes?.values.subarray(row * width, (row + 1) * width) ?? [], i * width);
  });
  return {
    index: { shape: [rows.length], data: Int32Array.from(rows) },
    ...(labels && {
      labels: { shape: [rows.length], data: Int32Array.from(rows, (row) => labels.values[row]) },
    }),
    ...(attributes && { attributes: { shape: [rows.length, width], data: values } }),
  };
}
