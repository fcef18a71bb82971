import { append } from '../../core/lists';
import { publishedBits } from '../../published';
import type { Answer, Arguments, Command, Terminal } from '../command';
import { datasetOptions, datasetPositionals, ModelImages, passOptions } from '../datasets';
import { importOptions, loadModel } from '../models';

const conventions = ['openai', 'chaiyujin', 'rosinality'] as const;

export const bits: Command = {
  name: 'bits',
  summary: 'bits per dimension of held-out images',
  positionals: [{ name: 'model', description: 'file, saved flow or training run' }, ...datasetPositionals],
  options: {
    ...importOptions,
    ...datasetOptions,
    compatibility: {
      value: conventions.join('|'),
      description: "also the figure that this code's own loss would show",
    },
  },
  computes: true,
  seed: '1',
  run,
};

async function run(args: Arguments, terminal: Terminal): Promise<Answer> {
  const convention = args.choice('compatibility', conventions);
  const glow = await loadModel(args.positional('model'), args);
  const images = await ModelImages.open(glow, args, terminal);
  const strict: number[] = [];
  const reported: number[] = [];
  let unit = 'bits/dim';
  let seed = args.integer('seed') ?? 1;
  await images.forEach(async (batch) => {
    const result = publishedBits(glow, batch.x, {
      compatibility: convention ?? 'openai',
      ...passOptions(batch),
      seed: seed++,
    });
    append(strict, await result.bitsPerDim.data());
    append(reported, await result.reported.data());
    unit = result.unit;
    result.bitsPerDim.dispose();
    result.reported.dispose();
  });
  glow.dispose();
  const bitsPerDim = mean(strict);
  // The standard error of the mean over images.
  const deviation = Math.sqrt(mean(strict.map((value) => (value - bitsPerDim) ** 2)));
  const standardError = deviation / Math.sqrt(strict.length);
  const own = convention && { compatibility: convention, reported: mean(reported), unit };
  return {
    text: [
      `${bitsPerDim.toFixed(4)} bits/dim +- ${standardError.toFixed(4)} over ${strict.length} images`,
      ...(own ? [`${own.reported.toFixed(4)} ${unit} as ${convention} reports`] : []),
    ].join('\n'),
    data: { bitsPerDim, standardError, count: strict.length, ...own, skipped: [...images.skipped] },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
