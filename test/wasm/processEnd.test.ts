import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle } from '../support/bundle';

/** Inside the repository, ignored by git. */
const programs = fileURLToPath(new URL('../../output/processEnd/', import.meta.url));

const training = `
  import * as tf from '@tensorflow/tfjs-core';
  import { Glow } from 'tfjs-flows';
  import { prepareWasm } from 'tfjs-flows/wasm';
  const { threads } = await prepareWasm({ threads: 3 });
  const glow = new Glow({ imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
  await glow.fit(tf.zeros([4, 4, 4, 1]), { steps: 2, batchSize: 4, seed: 1, progress: 'none' });
  console.log(threads, 'threads');`;

beforeAll(async () => {
  await mkdir(programs, { recursive: true });
  const files = [join(programs, 'works.ts'), join(programs, 'fails.ts')];
  await writeFile(files[0], training);
  await writeFile(files[1], `${training}\n  throw new Error('on purpose');`);
  await bundle(files, programs);
});

afterAll(() => rm(programs, { recursive: true }));

/** Runs a program in a process of its own, until that ends by itself. */
const run = (name: string) => promisify(execFile)(process.execPath, [join(programs, `${name}.mjs`)]);

it('a process with threads ends by itself when its work is done', async () => {
  expect((await run('works')).stdout).toContain('3 threads');
});

it('and when its work fails', async () => {
  await expect(run('fails')).rejects.toMatchObject({
    killed: false,
    stderr: expect.stringContaining('on purpose'),
  });
});
