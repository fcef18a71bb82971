import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../core/errors';
import { Glow, loadFlow } from '../flows';
import { fileSystem, importCheckpointFile } from '../node';
import { writeFileAtomically } from '../node/atomicFile';
import { exportSafetensors, type ImportOptions } from '../published';
import type { Arguments, Option } from './command';

/** Name of the model in the folder of a training run. */
export const MODEL_FILE = 'model.safetensors';

/** Options that say what a published checkpoint does not. */
export const importOptions: Record<string, Option> = {
  'image-size': { value: 'N|HxW', description: 'size of the images, where the checkpoint does not say it' },
  'n-bits': {
    value: 'N',
    description: 'bits per value the model was trained on (default: what its code defaults to)',
  },
  'single-class': { description: 'images have one class each (chaiyujin: "single-class")' },
};

/** A Glow from a file of any supported kind, a saved flow, or the folder of a training run. */
export async function loadModel(path: string, args: Arguments): Promise<Glow> {
  const model = await readModel(path, args);
  if (model instanceof Glow) return model;
  throw new FormatError(`'${path}' holds another flow than a Glow.`);
}

async function readModel(path: string, args: Arguments): Promise<unknown> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw args.nothingAt(path);
  if (info.isFile() && !path.endsWith('.json'))
    return importCheckpointFile(path, await importOptionsOf(path, args));
  if (info.isFile()) return loadFlow(fileSystem(path));
  const run = join(path, MODEL_FILE);
  if (await stat(run).catch(() => undefined)) return importCheckpointFile(run);
  return loadFlow(fileSystem(path));
}

async function importOptionsOf(path: string, args: Arguments): Promise<ImportOptions> {
  const size = args.text('image-size')?.split('x').map(Number);
  const options: ImportOptions = {
    nBits: args.integer('n-bits', 1),
    seed: args.integer('seed'),
    ...(args.flag('single-class') ? { multiLabel: false } : {}),
  };
  if (size === undefined) return options;
  const { inspectCheckpoint } = await import('../published');
  const { channels = 3 } = inspectCheckpoint(await readFile(path));
  return { ...options, imageShape: [size[0], size[size.length - 1], channels] };
}

/** Writes a Glow as one file, whole or not at all. */
export async function saveModelFile(glow: Glow, path: string): Promise<void> {
  await writeFileAtomically(path, await exportSafetensors(glow));
}
