import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodePng, RandomStream } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle';
import { hasAdapter } from './adapter';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the repository, ignored by git. */
const programs = join(root, 'output/webgpuCommand');
const SIDE = 4;

describe.skipIf(!hasAdapter)('the command on webgpu', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-webgpu-command-'));
    mkdirSync(join(folder, 'images'));
    const random = new RandomStream(1);
    for (let i = 0; i < 8; i++) {
      const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => random.integer(256));
      writeFileSync(
        join(folder, `images/${i}.png`),
        encodePng({ width: SIDE, height: SIDE, channels: 3, data }),
      );
    }
    const hparams = {
      output: 'run',
      glow: { imageShape: [SIDE, SIDE, 3], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, nBits: 5 },
      training: {
        steps: 10_000,
        batchSize: 4,
        checkpointEvery: 10_000,
        logEvery: 1,
        picturesEvery: 10_000,
        pictures: 2,
      },
    };
    writeFileSync(join(folder, 'hparams.json'), JSON.stringify(hparams));
    mkdirSync(programs, { recursive: true });
    await bundle([join(root, 'src/cli/main.ts')], programs);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
    rmSync(programs, { recursive: true });
  });

  /** Runs a command in a process of its own, until that ends by itself. `onText` sees what it says on the way. */
  function flows(
    words: string[],
    onText = (_text: string, _kill: () => void) => {},
  ): Promise<{ code: number | null; text: string }> {
    const child = spawn(process.execPath, [join(programs, 'main.mjs'), ...words, '--backend', 'webgpu'], {
      cwd: folder,
    });
    let text = '';
    const listen = (chunk: string) => {
      text += chunk;
      onText(text, () => child.kill('SIGINT'));
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
  }

  it('trains until Ctrl-C, and keeps a checkpoint and a model', async () => {
    let asked = false;
    const { code, text } = await flows(['train', 'hparams.json', 'folder', 'images'], (said, kill) => {
      if (asked || !/step [1-9]/.test(said)) return;
      asked = true;
      kill();
    });
    expect(text).toMatch(/^computing on /m);
    expect(text).toMatch(/interrupted after \d+ steps, loss \d/);
    expect(code).toBe(130);
    expect(readdirSync(join(folder, 'run/checkpoints'))).toHaveLength(1);
  });

  it.each([
    [['sample', 'run', '--count', '2', '--output', 'samples.png'], '2 images in samples.png'],
    [['encode', 'run', 'folder', 'images', '--output', 'z.npz'], '8 latents of 48 values in z.npz'],
    [['decode', 'run', 'z.npz', '--output', 'decoded.png'], '8 images in decoded.png'],
    [['bits', 'run', 'folder', 'images'], /\d bits\/dim .* over 8 images/],
    [['account', 'run', 'folder', 'images'], 'mean of 8 images'],
  ] as [string[], string | RegExp][])('runs %j', async (words, answer) => {
    const { code, text } = await flows(words);
    expect(text).toMatch(answer);
    expect(code).toBe(0);
  });

  it('says that --threads are not of a GPU', async () => {
    const { code, text } = await flows(['sample', 'run', '--threads', '2']);
    expect([code, text.split('\n')[0]]).toEqual([2, '--threads are those of wasm, not of webgpu.']);
  });
});
