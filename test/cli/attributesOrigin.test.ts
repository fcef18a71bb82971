import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { Glow } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Streams } from '../../src/cli/command';
import { saveModelFile } from '../../src/cli/models';
import { run } from '../../src/cli/run';
import { hparams, writeCelebALike } from './celebALike';

let folder: string;
let names: string[];

async function flows(...words: string[]): Promise<{ code: number; stderr: string }> {
  const err: string[] = [];
  const stream = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0, isTTY: false });
  const streams = { stdin: process.stdin, stdout: stream([]), stderr: stream(err) };
  const code = await run([...words, '--backend', 'cpu'], streams as Streams);
  return { code, stderr: err.join('') };
}

/** `attributes` on the model and folder of results of this test. */
function attributes(...words: string[]): ReturnType<typeof flows> {
  const [model] = words[0]?.endsWith('.safetensors') ? words.splice(0, 1) : ['one.safetensors'];
  const paths = ['hparams.json', 'celeba', 'zdir'].map((name) => join(folder, name));
  return flows('attributes', ...paths, '--model', join(folder, model), ...words);
}

async function untrained(file: string, seed: number): Promise<void> {
  const glow = new Glow({ imageShape: [16, 16, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 4, seed });
  const x = tf.randomUniform([4, 16, 16, 1], 0, 255, 'int32', 1);
  await glow.fit(x, { steps: 1, batchSize: 4, progress: 'none', seed });
  x.dispose();
  await saveModelFile(glow, join(folder, file));
  glow.dispose();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-origin-'));
  names = writeCelebALike(join(folder, 'celeba'), 30);
  writeFileSync(join(folder, 'hparams.json'), JSON.stringify(hparams));
  await untrained('one.safetensors', 1);
  await untrained('two.safetensors', 2);
  expect((await attributes()).code).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('z_delta that is kept', () => {
  it('is used again for the same model, images and options', async () => {
    const { code, stderr } = await attributes();
    expect([code, stderr]).toEqual([0, expect.stringContaining('z_delta taken from')]);
  });

  it.each<[string, string[], string]>([
    ['model', ['two.safetensors'], 'holds z_delta of another model'],
    ['limit', ['--limit', '20'], 'holds z_delta of 30 images, not 20 (--limit)'],
    ['crop', ['--center-crop', '20'], 'holds z_delta of --center-crop 28, not 20'],
  ])('is refused for another %s', async (_, words, message) => {
    const { code, stderr } = await attributes(...words);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr).toContain('--recompute');
  });

  it('is refused when an image or the table of attributes has changed', async () => {
    const image = join(folder, 'celeba/img_align_celeba', names[1]);
    const table = join(folder, 'celeba/list_attr_celeba.txt');
    for (const [file, change] of [
      [image, readFileSync(join(folder, 'celeba/img_align_celeba', names[0]))],
      [table, Buffer.from(readFileSync(table, 'latin1').replace(/-1\n$/, ' 1\n'))],
    ] as const) {
      const before = readFileSync(file);
      writeFileSync(file, change);
      const { code, stderr } = await attributes();
      writeFileSync(file, before);
      expect([code, stderr]).toEqual([1, expect.stringContaining('other images or attributes')]);
    }
  });

  it('is refused without checksums, and computed anew on demand', async () => {
    const file = join(folder, 'zdir/report.json');
    const { origin, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(rest));
    const { code, stderr } = await attributes();
    expect([code, stderr]).toEqual([1, expect.stringContaining('kept no checksums')]);
    expect((await attributes('--recompute')).code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8')).origin).toEqual(origin);
  });
});
