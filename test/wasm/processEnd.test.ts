import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program in a process of its own, until that ends by itself. */
function run(program: string) {
  const args = ['--import', 'tsx', '--input-type=module', '-e', program];
  return promisify(execFile)(process.execPath, args, { cwd: root });
}

const training = `
  const tf = await import('@tensorflow/tfjs-core');
  const { Glow } = await import('./src/index.ts');
  const { prepareWasm } = await import('./src/wasm/index.ts');
  const { threads } = await prepareWasm({ threads: 3 });
  const glow = new Glow({ imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
  await glow.fit(tf.zeros([4, 4, 4, 1]), { steps: 2, batchSize: 4, seed: 1, progress: 'none' });
  console.log(threads, 'threads');`;

it('a process with threads ends by itself when its work is done', async () => {
  expect((await run(training)).stdout).toContain('3 threads');
});

it('and when its work fails', async () => {
  const failing = `${training}; throw new Error('on purpose')`;
  await expect(run(failing)).rejects.toMatchObject({
    killed: false,
    stderr: expect.stringContaining('on purpose'),
  });
});
