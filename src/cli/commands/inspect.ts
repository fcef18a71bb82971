import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectCheckpoint } from '../../published';
import type { Answer, Arguments, Command } from '../command';
import { MODEL_FILE, vectorOptions, vectorOptionsOf } from '../models';
import { vectorLines } from '../vectorLines';

export const inspect: Command = {
  name: 'inspect',
  summary: 'what a checkpoint holds: PyTorch, npz or safetensors',
  positionals: [{ name: 'file', description: '.pt, .pth, .pkg, .npz or .safetensors, or a training run' }],
  options: { ...vectorOptions, tensors: { description: 'list every tensor' } },
  computes: false,
  run,
};

async function run(args: Arguments): Promise<Answer> {
  const given = args.positional('file');
  const info = await stat(given).catch(() => undefined);
  if (info === undefined) throw args.nothingAt(given);
  const bytes = await readFile(info.isDirectory() ? join(given, MODEL_FILE) : given);
  const found = inspectCheckpoint(bytes, await vectorOptionsOf(args));
  const { container, library, config, tensors, values, skipped, prefix } = found;
  const lines = [
    `${container} file, ${library === undefined ? 'of no known code' : `written by ${library}`}`,
    `${tensors.length} tensors, ${values.toLocaleString('en-US')} values`,
    ...(skipped.length > 0 ? [`beside the model: ${skipped.join(', ')}`] : []),
    ...(prefix === '' ? [] : [`taken off every name: ${prefix}`]),
    ...(vectorLines(found) ??
      Object.entries(config ?? {}).map(
        ([name, value]) => `  ${name}: ${value === undefined ? 'not in the file' : JSON.stringify(value)}`,
      )),
    ...(args.flag('tensors')
      ? tensors.map(({ name, dtype, shape }) => `${name}  ${dtype} [${shape.join(', ')}]`)
      : []),
  ];
  return { text: lines.join('\n'), data: { ...found } };
}
