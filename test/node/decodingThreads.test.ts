import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openImages, readImages } from 'tfjs-flows/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle';

/** Inside the repository, ignored by git. */
const programs = fileURLToPath(new URL('../../output/decodingThreads/', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures/pictures/', import.meta.url));
const worker = fileURLToPath(new URL('../../src/node/decoding/decodeWorker.ts', import.meta.url));
let folder: string;

/** Opens the folder, counts threads, and prints what `work` gives. */
const program = (work: string) => `
  import { openImages, readImages, imageBatches } from 'tfjs-flows/node';
  let started = 0;
  let ended = 0;
  process.on('worker', (thread) => { started++; thread.on('exit', () => ended++); });
  const options = { imageShape: [8, 8, 3], threads: Number(process.argv[3]) };
  const dataset = await openImages('folder', process.argv[2], options);
  ${work}`;

const sources = {
  reads: program(`
    const { images, indices, skipped } = await readImages(dataset, { skipUnreadable: true });
    const error = await dataset.read(dataset.names.indexOf('broken.jpg')).catch((reason) => reason);
    console.log(JSON.stringify({ started, levels: [...images.data], indices: [...indices], skipped,
      error: [error.constructor.name, error.message, error.cause?.message] }));`),
  aborts: program(`
    import '@tensorflow/tfjs-backend-cpu';
    import * as tf from '@tensorflow/tfjs-core';
    import { realNvp } from 'tfjs-flows';
    const controller = new AbortController();
    const good = { ...dataset, names: dataset.names.filter((name) => name !== 'broken.jpg') };
    good.read = (index) => dataset.read(dataset.names.indexOf(good.names[index]));
    const seen = [];
    async function* data() {
      for await (const { x, indices } of imageBatches(good, { batchSize: 4 })) {
        seen.push(indices);
        yield { x: tf.reshape(x, [x.shape[0], 192]) };
        x.dispose();
      }
    }
    const flow = realNvp({ dimensions: 192, layers: 2, hiddenUnits: [2], seed: 1 });
    const { stopped } = await flow.fit(data, { epochs: 3, signal: controller.signal, progress: 'none', seed: 1,
      onProgress: ({ step }) => { if (step === 2) controller.abort(); } });
    console.log(JSON.stringify({ stopped, started }));`),
  waits: program(`
    for (;;) { await readImages(dataset, { skipUnreadable: true }).then(() => console.log('again')); }`),
  rests: `
    const { setTimeout: wait } = globalThis;
    globalThis.setTimeout = (work, time, ...rest) => wait(work, time === 10_000 ? 20 : time, ...rest);
    ${program(`
    const first = await dataset.read(0);
    while (ended < started) await new Promise((resolve) => wait(resolve, 5));
    const before = started;
    const { images } = await readImages(await openImages('folder', process.argv[2], options), { skipUnreadable: true });
    console.log(JSON.stringify({ before, started, same: Buffer.compare(first, images.data.subarray(0, 192)) === 0 }));`)
      .replace(/import \{ openImages.*\n/, '')
      .replace(
        'let started',
        "const { openImages, readImages } = await import('tfjs-flows/node');\n  let started",
      )}
  `,
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-threads-'));
  for (const name of readdirSync(fixtures)) {
    if (/\.(jpg|png|webp|gif|bmp|tif|avif)$/.test(name))
      copyFileSync(join(fixtures, name), join(folder, name));
  }
  writeFileSync(join(folder, 'broken.jpg'), Uint8Array.of(0xff, 0xd8, 0xff, 1, 2));
  mkdirSync(programs, { recursive: true });
  const files = Object.entries(sources).map(([name, text]) => {
    writeFileSync(join(programs, `${name}.ts`), text);
    return join(programs, `${name}.ts`);
  });
  await bundle([...files, worker], programs);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(programs, { recursive: true });
});

/** What a program prints, in a process of its own that ends by itself. */
async function run(name: string, threads: number) {
  const command = [join(programs, `${name}.mjs`), folder, String(threads)];
  const { stdout } = await promisify(execFile)(process.execPath, command, { timeout: 30_000 });
  return JSON.parse(stdout);
}

/** The same with another file in place of the worker's. */
async function withWorker<T>(text: string | undefined, work: () => Promise<T>): Promise<T> {
  const file = join(programs, 'decodeWorker.mjs');
  copyFileSync(file, `${file}.kept`);
  if (text === undefined) rmSync(file);
  else writeFileSync(file, text);
  try {
    return await work();
  } finally {
    copyFileSync(`${file}.kept`, file);
  }
}

describe('threads that decode', () => {
  let here: { levels: number[]; indices: number[]; skipped: string[] };

  beforeAll(async () => {
    // From sources there is no file for a worker: the main thread reads.
    const dataset = await openImages('folder', folder, { imageShape: [8, 8, 3] });
    const { images, indices, skipped } = await readImages(dataset, { skipUnreadable: true });
    here = { levels: [...images.data], indices: [...indices], skipped };
  });

  it.each([0, 1, 3])('%i of them: the same levels in the same order, the same errors', async (threads) => {
    const { started, error, ...read } = await run('reads', threads);
    expect(started).toBe(threads);
    expect(read).toEqual(here);
    expect(here.skipped.length).toBeGreaterThanOrEqual(4);
    const [kind, message, cause] = error;
    expect(kind).toBe('DataError');
    expect(message).toMatch(
      /openImages: '.*broken\.jpg' cannot be read\. decodeImage: expected a whole JPEG/,
    );
    expect(message).toContain(cause);
  });

  it.each([
    ['is missing', undefined],
    ['throws', "throw new Error('on purpose');"],
  ])('where the file of the worker %s the main thread reads', async (_, text) => {
    const { started, ...read } = await withWorker(text, () => run('reads', 2));
    expect(started).toBe(text === undefined ? 0 : 2);
    expect(read).toMatchObject(here);
  });

  it('one that ends at a file fails that file, and the others are read by the next', async () => {
    const text = `
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ path }) => {
        if (path.endsWith('broken.jpg')) process.exit(3);
        parentPort.postMessage({ levels: new Uint8Array(192).fill(path.length % 256) });
      });
      parentPort.postMessage('ready');`;
    const { skipped, indices, levels } = await withWorker(text, () => run('reads', 2));
    expect(skipped).toEqual([
      expect.stringMatching(/'.*broken\.jpg' cannot be read\. The thread that decoded it ended/),
    ]);
    const names = readdirSync(folder).sort();
    expect(indices).toEqual(names.map((_, i) => i).filter((i) => names[i] !== 'broken.jpg'));
    const lengths = indices.map((i: number) => join(folder, names[i]).length % 256);
    expect(indices.map((_: number, i: number) => levels[192 * i])).toEqual(lengths);
  });

  it('rest after some time, and begin again', async () => {
    expect(await run('rests', 2)).toMatchObject({ before: 1, started: 3, same: true });
  });

  it('end with a run that is aborted', async () => {
    expect(await run('aborts', 2)).toEqual({ stopped: 'aborted', started: 2 });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('end with a process that %s ends', async (signal) => {
    const child: ChildProcess = spawn(process.execPath, [join(programs, 'waits.mjs'), folder, '2'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout as NodeJS.EventEmitter, 'data');
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
  });
});
