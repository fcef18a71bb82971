import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Something that can be started as a process and then takes commands. */
export interface Contender {
  /** As in the tables. */
  name: string;
  command: string;
  arguments: string[];
  /** Added to the case's own options. */
  options?: object;
}

/** What a process answers: milliseconds, bytes, tensors, and at the start who it is. */
export interface Answer {
  ms: number;
  /** False where the result overflowed. (`fit` checks its own.) */
  finite?: boolean;
  rss: number;
  tensors?: number;
  /** Bytes of all buffers on a GPU, and programs that it ran so far. */
  gpuBytes?: number;
  dispatches?: number;
  parameters: number;
  ready: string;
  /** GFLOP/s of a large matrix product, from PyTorch. */
  productSpeed?: number;
}

const canPin = spawnSync('taskset', ['-V']).status === 0;
if (!canPin) console.log('NOTICE: no taskset here, so nothing is pinned: threads move between cores.');

/** A running process, pinned to as many cores as it has threads, that answers each command with a line of JSON. */
export class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(contender: Contender, options: object, threads: number) {
    const cores = Array.from({ length: threads }, (_, i) => i).join(',');
    const json = JSON.stringify({ ...options, ...contender.options, threads });
    const words = [contender.command, ...contender.arguments, json];
    if (canPin) words.unshift('taskset', '-c', cores);
    // OpenBLAS has threads of its own beside those of PyTorch.
    const env = { ...process.env, OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
    this.child = spawn(words[0], words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env });
    const output = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.lines = output[Symbol.asyncIterator]();
  }

  /** Starts a contender and waits until it is ready. */
  static async start(
    contender: Contender,
    options: object,
    threads: number,
  ): Promise<{ peer: Peer; hello: Answer }> {
    const peer = new Peer(contender, options, threads);
    return { peer, hello: await peer.answer() };
  }

  ask(command: string): Promise<Answer> {
    this.child.stdin?.write(`${command}\n`);
    return this.answer();
  }

  /** Ends the process and waits for that. */
  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await ended;
  }

  private async answer(): Promise<Answer> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnargs.join(' ')}: ended early`);
    return JSON.parse(value);
  }
}
