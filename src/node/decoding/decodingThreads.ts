import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DataError } from '../../core/errors';
import type { DecodingAnswer } from './decodeWorker';
import { type ImageTask, readImageFile } from './readImageFile';

/** Threads without work end after this time, in milliseconds: longer than most steps of training take. */
const IDLE = 10_000;

/** Threads that make sense by default: one per core, up to four. */
export const defaultDecodingThreads = (): number => Math.min(4, availableParallelism());

interface Job {
  task: ImageTask;
  resolve(levels: Uint8Array): void;
  reject(error: Error): void;
}

interface DecodingThread {
  worker: Worker;
  /** Whether it runs. */
  ready: boolean;
  /** What it was given and has not answered yet; answers come in this order. */
  jobs: Job[];
  idle?: NodeJS.Timeout;
}

/**
 * Reads image files on threads beside the main one, which meanwhile trains.
 *
 * Threads begin with the first file and end some seconds after the last; they never keep a process alive that has nothing to wait for, and
 * end with it. Which of them reads a file changes nothing. Where none can be started (no permission, or a bundler that left the worker's file
 * out), the main thread reads.
 */
export class DecodingThreads {
  private readonly threads: DecodingThread[] = [];
  private readonly file = workerFile();
  private usable: boolean;

  constructor(private readonly count: number) {
    this.usable = count > 0 && this.file !== undefined;
  }

  /** Levels of one file; a DataError that names it where it cannot be read. */
  read(task: ImageTask): Promise<Uint8Array> {
    return new Promise((resolve, reject) => this.give({ task, resolve, reject }));
  }

  private give(job: Job): void {
    const thread = this.choose();
    if (thread === undefined) {
      readImageFile(job.task).then(job.resolve, job.reject);
      return;
    }
    if (thread.jobs.length === 0) {
      clearTimeout(thread.idle);
      thread.worker.ref();
    }
    thread.jobs.push(job);
    thread.worker.postMessage(job.task);
  }

  /** A thread without work, old or new, or the one with the least; undefined where there are none. */
  private choose(): DecodingThread | undefined {
    if (!this.usable) return undefined;
    const least = this.threads.reduce<DecodingThread | undefined>(
      (best, thread) => (best === undefined || thread.jobs.length < best.jobs.length ? thread : best),
      undefined,
    );
    if (least !== undefined && (least.jobs.length === 0 || this.threads.length >= this.count)) return least;
    try {
      return this.start();
    } catch {
      this.usable = false;
      return undefined;
    }
  }

  private start(): DecodingThread {
    // Flags and loaders of the process are not for a thread that only decodes; what decoders print is not for its output.
    const worker = new Worker(this.file!, { execArgv: [], stdout: true, name: 'decoding images' });
    const thread: DecodingThread = { worker, ready: false, jobs: [] };
    let reason: Error | undefined;
    worker.on('message', (answer: DecodingAnswer) => {
      if (answer === 'ready') thread.ready = true;
      else this.take(thread, answer);
    });
    worker.on('error', (error) => {
      reason = error;
    });
    worker.on('exit', () => this.lose(thread, reason));
    this.threads.push(thread);
    return thread;
  }

  private take(thread: DecodingThread, answer: Exclude<DecodingAnswer, 'ready'>): void {
    const { resolve, reject } = thread.jobs.shift()!;
    if ('levels' in answer) resolve(answer.levels);
    else reject(new DataError(answer.message, { cause: answer.cause }));
    if (thread.jobs.length > 0) return;
    thread.worker.unref();
    thread.idle = setTimeout(() => this.end(thread), IDLE);
    thread.idle.unref();
  }

  /** From here on nothing is given to it any more. */
  private end(thread: DecodingThread): void {
    this.threads.splice(this.threads.indexOf(thread), 1);
    void thread.worker.terminate();
  }

  /** A thread that never ran says that there are none; one that ended at a file fails that file only. */
  private lose(thread: DecodingThread, reason: Error | undefined): void {
    const place = this.threads.indexOf(thread);
    if (place >= 0) this.threads.splice(place, 1);
    clearTimeout(thread.idle);
    if (!thread.ready) this.usable = false;
    else if (thread.jobs.length > 0) {
      const { task, reject } = thread.jobs.shift()!;
      const message = `openImages: '${task.path}' cannot be read. The thread that decoded it ended: ${reason?.message ?? 'no reason is known'}`;
      reject(new DataError(message, { cause: reason }));
    }
    for (const job of thread.jobs) this.give(job);
  }
}

/** The worker's file beside this one, of the same kind of module; undefined in sources and where a bundler left it out. */
function workerFile(): string | undefined {
  const here = fileURLToPath(import.meta.url);
  const extension = extname(here);
  const file = fileURLToPath(new URL(`./decodeWorker${extension}`, import.meta.url));
  return extension !== '.ts' && existsSync(file) ? file : undefined;
}
