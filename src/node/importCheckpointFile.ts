import { readFile } from 'node:fs/promises';
import type { Flow, Glow } from '../flows';
import { type ImportOptions, importCheckpoint } from '../published';
import { pathOf } from './paths';

/**
 * `importCheckpoint` of a file.
 *
 * @param path a .pt, .pth, .pkg, .npz or .safetensors file
 * @throws as `importCheckpoint`, and the file system's errors
 * @example
 * const glow = await importCheckpointFile('trained.pkg');
 */
export async function importCheckpointFile<T extends Flow = Glow>(
  path: string,
  options: ImportOptions = {},
): Promise<T> {
  return importCheckpoint<T>(await readFile(pathOf('importCheckpointFile', path)), options);
}
