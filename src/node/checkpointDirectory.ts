import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../core/errors';
import { checkInteger } from '../core/shapes';
import { fileSystem } from './fileSystem';

/** Options of `checkpointDirectory`. */
export interface CheckpointDirectoryOptions {
  /** How many of the newest checkpoints stay. Default: 3. */
  keep?: number;
}

/** A tf.io handler for a series of checkpoints. */
export interface CheckpointDirectory extends tf.io.IOHandler {
  /** Paths of the complete checkpoints, oldest first. */
  list(): Promise<string[]>;
}

/**
 * A handler that saves each checkpoint to a new numbered directory, keeps the newest few, and loads the newest.
 *
 * @example
 * const checkpoints = checkpointDirectory('checkpoints', { keep: 5 });
 * const resume = (await checkpoints.list()).length > 0 ? checkpoints : undefined;
 * await flow.fit(data, { steps: 10_000, checkpoint: { location: checkpoints, everySteps: 500 }, resume });
 */
export function checkpointDirectory(
  path: string,
  options: CheckpointDirectoryOptions = {},
): CheckpointDirectory {
  const { keep = 3 } = options;
  checkInteger('checkpointDirectory', 'keep', keep);
  const list = async (): Promise<string[]> => (await completeNumbers(path)).map((n) => join(path, nameOf(n)));
  return {
    list,
    async save(artifacts) {
      const newest = (await completeNumbers(path)).at(-1) ?? 0;
      const target = fileSystem(join(path, nameOf(newest + 1)));
      const result = await (target.save as tf.io.SaveHandler)(artifacts);
      for (const old of (await list()).slice(0, -keep)) await rm(old, { recursive: true, force: true });
      return result;
    },
    async load() {
      const newest = (await list()).at(-1);
      if (newest === undefined) {
        throw new DataError(complaint('checkpointDirectory.load', `a checkpoint in ${path}`, 'none'));
      }
      return (fileSystem(newest).load as tf.io.LoadHandler)();
    },
  };
}

function nameOf(number: number): string {
  return `checkpoint-${String(number).padStart(6, '0')}`;
}

/** Numbers of the checkpoints whose `model.json`, which is written last, is there. */
async function completeNumbers(path: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await namesIn(path)) {
    const found = /^checkpoint-(\d+)$/.exec(name);
    if (found !== null && (await namesIn(join(path, name))).includes('model.json'))
      numbers.push(Number(found[1]));
  }
  return numbers.sort((a, b) => a - b);
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
