import { append } from '../../core/lists';
import { writeNpy, writeNpz } from '../../data';
import { writeFileAtomically } from '../../node/atomicFile';
import type { Answer, Arguments, Command, Terminal } from '../command';
import { datasetOptions, datasetPositionals, ModelImages, passOptions } from '../datasets';
import { floatArray, importOptions, loadModel } from '../models';

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
  const glow = await loadModel(args.positional('model'), args);
  const images = await ModelImages.open(glow, args, terminal);
  const { labels, attributes } = images.dataset;
  const [size] = glow.latentShape;
  const z = new Float32Array(images.count * size);
  const rows: number[] = [];
  await images.forEach(async (batch) => {
    const latents = glow.encode(batch.x, passOptions(batch));
    z.set(await latents.data(), rows.length * size);
    latents.dispose();
    append(rows, batch.indices);
  });
  glow.dispose();
  const output = args.text('output') ?? 'latents.npz';
  const array = floatArray([rows.length, size], z.subarray(0, rows.length * size));
  const width = attributes?.names.length ?? 0;
  const bytes = output.endsWith('.npy')
    ? writeNpy(array)
    : writeNpz({
        z: array,
        index: { shape: [rows.length], data: Int32Array.from(rows) },
        ...(labels && {
          labels: { shape: [rows.length], data: Int32Array.from(rows, (row) => labels.values[row]) },
        }),
        ...(attributes && {
          attributes: {
            shape: [rows.length, width],
            data: Int8Array.from(
              rows.flatMap((row) => [...attributes.values.subarray(row * width, (row + 1) * width)]),
            ),
          },
        }),
      });
  await writeFileAtomically(output, bytes);
  const skipped = [...images.skipped];
  return {
    text: `${rows.length} latents of ${size} values in ${output}`,
    data: { count: rows.length, size, output, skipped },
  };
}
