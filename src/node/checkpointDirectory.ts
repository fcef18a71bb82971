import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, FormatError } from '../core/errors';
import { checkOptions } from '../core/options';
import { checkInteger } from '../core/shapes';
import { Turns } from '../io/turns';
import { fileSystem } from './fileSystem';
import { pathOf } from './paths';
import { isUnderWay, isYoung } from './underWay';

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

/** Saves of this process that others to the same series wait for. */
const turns = new Turns<string>();

/**
 * A handler that saves each checkpoint to a new numbered directory, keeps the newest few, and loads the newest. Where that is damaged
 * it loads the one before, and says so on the console.
 *
 * @param location a path, plain or behind `file://`
 * @throws ConfigError for a wrong path or option
 * @example
 * const checkpoints = checkpointDirectory('checkpoints', { keep: 5 });
 * const resume = (await checkpoints.list()).length > 0 ? checkpoints : undefined;
 * await flow.fit(data, { steps: 10_000, checkpoint: { location: checkpoints, everySteps: 500 }, resume });
 */
export function checkpointDirectory(
  location: string,
  options: CheckpointDirectoryOptions = {},
): CheckpointDirectory {
  const path = pathOf('checkpointDirectory', location);
  checkOptions('checkpointDirectory', options, { keep: true });
  const { keep = 3 } = options;
  checkInteger('checkpointDirectory', 'keep', keep);
  const list = async (): Promise<string[]> =>
    (await numbersIn(path)).complete.map((n) => join(path, nameOf(n)));
  return {
    list,
    save: (artifacts) =>
      turns.take(resolve(path), async () => {
        const directory = await makeNext(path);
        try {
          return await (fileSystem(directory).save as tf.io.SaveHandler)(artifacts);
        } finally {
          // What cannot be removed now goes with the next save.
          await prune(path, keep, directory).catch(() => undefined);
        }
      }),
    async load() {
      const damaged = new Map<string, Error>();
      for (;;) {
        const newest = (await list()).reverse().find((checkpoint) => !damaged.has(checkpoint));
        const [first] = damaged.values();
        if (newest === undefined) {
          throw (
            first ?? new DataError(complaint('checkpointDirectory.load', `a checkpoint in ${path}`, 'none'))
          );
        }
        try {
          const artifacts = await (fileSystem(newest).load as tf.io.LoadHandler)();
          for (const [checkpoint, { message }] of damaged) {
            console.warn(`NOTICE: ${checkpoint} cannot be read; ${newest} takes its place. ${message}`);
          }
          return artifacts;
        } catch (error) {
          const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
          if (!(error instanceof FormatError) && !isGone) throw error;
          // It may have had to go for a newer one in the meantime.
          if (!isGone || (await list()).includes(newest)) damaged.set(newest, error as Error);
        }
      }
    },
  };
}

/** A new directory with the next free number; making it is what takes the number from other processes. */
async function makeNext(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  const { complete, others } = await numbersIn(path);
  for (let number = Math.max(0, complete.at(-1) ?? 0, others.at(-1) ?? 0) + 1; ; number++) {
    const directory = join(path, nameOf(number));
    try {
      await mkdir(directory);
      return directory;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Removes the oldest checkpoints, what crashes left, and `directory` itself where nothing was saved in it. */
async function prune(path: string, keep: number, directory: string): Promise<void> {
  const { complete, others } = await numbersIn(path);
  const old = complete.slice(0, -keep);
  for (const number of others) {
    const unfinished = join(path, nameOf(number));
    if (unfinished !== directory && !(await isBeingWritten(unfinished))) old.push(number);
  }
  for (const number of old) await rm(join(path, nameOf(number)), { recursive: true, force: true });
  if ((await namesIn(directory)).length === 0) await rmdir(directory).catch(() => undefined);
}

/**
 * Whether a checkpoint that had no `model.json` has one by now or may still get one. Of two looks the second sees it where the temporary
 * file beside its weights went away during the first.
 */
async function isBeingWritten(directory: string): Promise<boolean> {
  const names = [...(await namesIn(directory)), ...(await namesIn(directory))];
  if (names.length === 0) return isYoung(directory);
  if (names.includes('model.json')) return true;
  for (const name of names) if (name.endsWith('.tmp') && (await isUnderWay(directory, name))) return true;
  return false;
}

function nameOf(number: number): string {
  return `checkpoint-${String(number).padStart(6, '0')}`;
}

/** Numbers of the checkpoints whose `model.json`, which is written last, is there, and of the others; ascending. */
async function numbersIn(path: string): Promise<{ complete: number[]; others: number[] }> {
  const numbers = { complete: [] as number[], others: [] as number[] };
  for (const name of await namesIn(path)) {
    const found = /^checkpoint-(\d+)$/.exec(name);
    if (found === null) continue;
    const isComplete = (await namesIn(join(path, name))).includes('model.json');
    numbers[isComplete ? 'complete' : 'others'].push(Number(found[1]));
  }
  numbers.complete.sort((a, b) => a - b);
  numbers.others.sort((a, b) => a - b);
  return numbers;
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
