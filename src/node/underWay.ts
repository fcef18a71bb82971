import { createHash, randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { threadId } from 'node:worker_threads';

/*
 * A file on its way is written under its name with `.<machine>-<process>-<thread>-<random>.tmp` behind it. Whoever tidies up a
 * directory tells by that name what somebody still works on from what a crash left.
 */

/** Nothing is written for as long as this; in milliseconds. It decides only about other machines, threads and reused process numbers. */
const LONGEST = 3_600_000;

const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const owned = /\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/;
/** Temporary files of this thread that are in use. */
const inUse = new Set<string>();

/** Runs `work` with the path of a temporary file beside `path`, and removes that file where it is left. */
export async function withTemporary<T>(path: string, work: (temporary: string) => Promise<T>): Promise<T> {
  const owner = `${machine}-${process.pid}-${threadId}-${randomBytes(6).toString('hex')}`;
  const temporary = `${path}.${owner}.tmp`;
  inUse.add(basename(temporary));
  try {
    return await work(temporary);
  } finally {
    inUse.delete(basename(temporary));
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Whether somebody still works on a temporary file. */
export async function isUnderWay(directory: string, name: string): Promise<boolean> {
  if (inUse.has(name)) return true;
  const [, itsMachine, itsProcess, itsThread] = owned.exec(name) ?? [];
  const here = itsMachine === machine;
  if (here && Number(itsProcess) === process.pid && Number(itsThread) === threadId) return false;
  if (here && !isRunning(Number(itsProcess))) return false;
  return isYoung(join(directory, name));
}

/** Whether a file or directory changed lately. */
export async function isYoung(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs < LONGEST;
  } catch {
    return false; // it is gone
  }
}

function isRunning(processNumber: number): boolean {
  try {
    process.kill(processNumber, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it runs, and is somebody else's
  }
}
