import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../core/errors';
import { type Flow, Glow, loadFlow } from '../flows';
import { fileSystem, importCheckpointFile } from '../node';
import { writeFileAtomically } from '../node/atomicFile';
import { exportSafetensors, type ImportOptions } from '../published';
import type { Arguments, Option } from './command';
import { readJson, readJsonObject } from './json';

/** Name of the model in the folder of a training run. */
export const MODEL_FILE = 'model.safetensors';

/** Options that say what a published checkpoint does not. */
export const importOptions: Record<string, Option> = {
  'image-size': { value: 'N|HxW', description: 'size of the images, where the checkpoint does not say it' },
  'n-bits': {
    value: 'N',
    description: 'bits per value the model was trained on (default: what its code defaults to)',
  },
  permutation: {
    value: 'reverse|FILE.json',
    description:
      'what permutes the channels, where a chaiyujin checkpoint does not say it: reversals, or the orders of its shuffles',
  },
  'single-class': { description: 'images have one class each (chaiyujin: "single-class")' },
};

/** Options that say what a published flow over vectors is, where its names and shapes do not. */
export const vectorOptions: Record<string, Option> = {
  library: { value: 'NAME', description: 'code that wrote it (default: recognized by its names)' },
  config: {
    value: 'FILE',
    description: 'JSON with what the file of a flow over vectors does not say, as { "activation": "tanh" }',
  },
};

/** What these options say. */
export async function vectorOptionsOf(args: Arguments): Promise<Pick<ImportOptions, 'library' | 'config'>> {
  const config = args.text('config');
  return {
    library: args.text('library') as ImportOptions['library'],
    ...(config !== undefined && { config: await readJsonObject('--config', config) }),
  };
}

/** A Glow from a file of any supported kind, a saved flow, or the folder of a training run. */
export async function loadModel(path: string, args: Arguments): Promise<Glow> {
  const model = await loadFlowFile(path, args);
  if (model instanceof Glow) return model;
  model.dispose();
  throw new FormatError(`'${path}' holds another flow than a Glow.`);
}

/** A flow of any kind, as `loadModel`. */
export async function loadFlowFile(path: string, args: Arguments): Promise<Flow> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw args.nothingAt(path);
  if (info.isFile() && !path.endsWith('.json'))
    return importCheckpointFile<Flow>(path, await importOptionsOf(path, args));
  if (info.isFile()) return loadFlow(fileSystem(path));
  const run = join(path, MODEL_FILE);
  if (await stat(run).catch(() => undefined)) return importCheckpointFile<Flow>(run);
  return loadFlow(fileSystem(path));
}

async function importOptionsOf(path: string, args: Arguments): Promise<ImportOptions> {
  const size = args.text('image-size')?.split('x').map(Number);
  const options: ImportOptions = {
    ...(await vectorOptionsOf(args)),
    nBits: args.integer('n-bits', 1),
    seed: args.integer('seed'),
    ...(args.flag('single-class') ? { multiLabel: false } : {}),
    ...(await permutationOf(args)),
  };
  if (size === undefined) return options;
  const { inspectCheckpoint } = await import('../published');
  const { channels = 3 } = inspectCheckpoint(await readFile(path));
  return { ...options, imageShape: [size[0], size[size.length - 1], channels] };
}

async function permutationOf(args: Arguments): Promise<Pick<ImportOptions, 'permutation'>> {
  const given = args.text('permutation');
  if (given === undefined) return {};
  const orders = given === 'reverse' ? given : await readJson('--permutation', given);
  return { permutation: orders as ImportOptions['permutation'] };
}

/** Writes a flow as one file, whole or not at all. */
export async function saveModelFile(flow: Flow, path: string): Promise<void> {
  await writeFileAtomically(path, await exportSafetensors(flow));
}
