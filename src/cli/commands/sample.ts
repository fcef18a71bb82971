import { RandomStream } from '../../core/random';
import type { Answer, Arguments, Command } from '../command';
import { importOptions, loadModel } from '../models';
import { writeGrid } from '../pictures';

export const sample: Command = {
  name: 'sample',
  summary: 'draw new images',
  positionals: [{ name: 'model', description: 'file, saved flow or training run' }],
  options: {
    ...importOptions,
    count: { value: 'N', description: 'number of images (default 16)' },
    temperature: { value: 'T[,T...]', description: 'one for all levels, or one per level (default 0.7)' },
    class: { value: 'N', description: 'class, for a class-conditional Glow' },
    columns: { value: 'N', description: 'images per row' },
    output: { value: 'FILE', description: '.png to write (default samples.png)' },
  },
  computes: true,
  seed: 'another one each time',
  run,
};

async function run(args: Arguments): Promise<Answer> {
  const output = args.output('samples.png', ['.png']);
  const glow = await loadModel(args.positional('model'), args);
  const count = args.integer('count', 1) ?? 16;
  const temperatures = args.numbers('temperature') ?? [0.7];
  const images = glow.sample(count, {
    temperature: temperatures.length === 1 ? temperatures[0] : temperatures,
    context: args.integer('class'),
    seed: args.integer('seed') ?? new RandomStream().childSeed(),
  });
  await writeGrid(output, images, { nBits: glow.nBits, columns: args.integer('columns', 1) });
  glow.dispose();
  return { text: `${count} images in ${output}`, data: { count, output } };
}
