import { RandomStream } from '../../core/random';
import type { Answer, Arguments, Command, Terminal } from '../command';
import { datasetOptions, datasetPositionals, ModelImages, passOptions } from '../datasets';
import { importOptions, loadModel } from '../models';

export const account: Command = {
  name: 'account',
  summary: 'where the log-likelihood of images comes from, layer by layer',
  positionals: [{ name: 'model', description: 'file, saved flow or training run' }, ...datasetPositionals],
  options: { ...importOptions, ...datasetOptions },
  computes: true,
  seed: 'another one each time',
  run,
};

async function run(args: Arguments, terminal: Terminal): Promise<Answer> {
  const glow = await loadModel(args.positional('model'), args);
  const images = await ModelImages.open(glow, args, terminal);
  const batches = images.batches({ batchSize: Math.min(16, images.count) });
  const { value: batch } = await batches.next();
  await batches.return(undefined);
  const table = await glow.account(batch!.x, {
    ...passOptions(batch!),
    seed: args.integer('seed') ?? new RandomStream().childSeed(),
  });
  const count = batch!.x.shape[0];
  batch!.x.dispose();
  batch!.context?.dispose();
  glow.dispose();
  const { toString: _, ...data } = table;
  return { text: `${table}\n(mean of ${count} images)`, data: { ...data, count } };
}
