import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NdArray, writeNpz } from 'tfjs-flows';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Streams } from '../../src/cli/command';
import { run } from '../../src/cli/run';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-choice-'));
  const pictures = (n: number): NdArray => ({
    shape: [n, 4, 4],
    data: Uint8Array.from({ length: 16 * n }, (_, i) => (i * 37) % 256),
  });
  const labels = (n: number): NdArray => ({
    shape: [n],
    data: Uint8Array.from({ length: n }, (_, i) => i % 2),
  });
  writeFileSync(
    join(folder, 'mnist.npz'),
    writeNpz({ x_test: pictures(4), x_train: pictures(8), y_train: labels(8), y_test: labels(4) }),
  );
  const glow = { imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4 };
  writeFileSync(join(folder, 'hparams.json'), JSON.stringify({ glow, training: { batchSize: 4, steps: 2 } }));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function flows(command: string, ...words: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const stream = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0, isTTY: false });
  const streams = { stdin: process.stdin, stdout: stream(out), stderr: stream(err) };
  const code = await run([command, ...words, '--backend', 'cpu'], streams as Streams);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

it('train and bits say which arrays of a Keras npz they take, and take others when asked', async () => {
  const [model, data] = [join(folder, 'run'), join(folder, 'mnist.npz')];
  const trained = await flows(
    'train',
    join(folder, 'hparams.json'),
    'npz',
    data,
    '--output',
    model,
    '--quiet',
  );
  expect([trained.code, trained.stderr]).toEqual([0, expect.any(String)]);
  expect(trained.stderr.split('\n').slice(0, 2)).toEqual([
    `Other arrays of '${data}' are left out: 'x_test', 'y_test'.`,
    "8 images of 'x_train', 2 classes of 'y_train'.",
  ]);
  const bits = async (...words: string[]) => {
    const { code, stdout, stderr } = await flows('bits', model, 'npz', data, '--json', ...words);
    return code === 0 ? JSON.parse(stdout).count : [code, stderr];
  };
  expect(await bits()).toBe(8);
  expect(await bits('--split', 'test')).toBe(4);
  expect(await bits('--images', 'x_test', '--labels', 'y_test')).toBe(4);
  expect(await bits('--labels', 'y_test')).toEqual([2, expect.stringContaining('beside --images')]);
  expect(await bits('--split', 'half')).toEqual([2, expect.stringContaining('test')]);
});
