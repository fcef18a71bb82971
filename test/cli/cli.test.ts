import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { decodePng, readNpy, readNpz } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Streams } from '../../src/cli/command';
import { run } from '../../src/cli/run';
import { bundle } from '../support/bundle';
import { leavesNoTensors } from '../support/leaks';
import { hparams, writeCelebALike } from './celebALike';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** The command as one program; inside the repository, ignored by git. */
const programs = join(project, 'output/cli');

let folder: string;
let names: string[];

/** The command as a user types it. */
function start(...words: string[]): { child: ChildProcess; result: Promise<Result> } {
  const child = spawn(process.execPath, [join(programs, 'main.mjs'), ...words], { cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const result = new Promise<Result>((resolve) => {
    child.on('close', (code, signal) => resolve({ code: code ?? -1, signal, stdout, stderr }));
  });
  return { child, result };
}

interface Result {
  code: number;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The same in this process, which starts sooner. */
async function flows(...words: string[]): Promise<Result> {
  const [out, err]: [string[], string[]] = [[], []];
  const stream = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0, isTTY: false });
  const streams = { stdin: process.stdin, stdout: stream(out), stderr: stream(err) };
  const code = await run(words, streams as Streams);
  return { code, signal: null, stdout: out.join(''), stderr: err.join('') };
}

// biome-ignore lint/suspicious/noExplicitAny: answers differ from command to command
async function json(...words: string[]): Promise<Record<string, any>> {
  const { code, stdout, stderr } = await flows(...words, '--json', '--backend', 'cpu');
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  return JSON.parse(stdout);
}

const metrics = (run: string) =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Waits until a file says something. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

beforeAll(async () => {
  await bundle([join(project, 'src/cli/main.ts')], programs);
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-cli-'));
  names = writeCelebALike(join(folder, 'celeba'), 60);
  writeFileSync(join(folder, 'hparams.json'), JSON.stringify(hparams));
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(project);
  rmSync(folder, { recursive: true });
  rmSync(programs, { recursive: true });
});

describe('as a user with a folder of faces', () => {
  it('trains, is killed, resumes, is interrupted, computes z_delta and draws a sweep', async () => {
    // One image is broken.
    writeFileSync(join(folder, 'celeba', 'img_align_celeba', names[7]), 'no picture');

    const train = ['train', 'hparams.json', 'celeba', 'celeba', '--seed', '3', '--threads', '1'];
    const killed = start(...train);
    const checkpoints = join(folder, 'results/faces/checkpoints');
    await until(() => existsSync(checkpoints) && readdirSync(checkpoints).includes('checkpoint-000002'));
    killed.child.kill('SIGKILL');
    expect((await killed.result).signal).toBe('SIGKILL');

    const again = await start(...train).result;
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('Go on with --resume')]);

    const interrupted = start(...train, '--resume');
    const newest = () =>
      Number(
        readdirSync(checkpoints)
          .at(-1)
          ?.match(/^checkpoint-(\d+)$/)?.[1] ?? 0,
      );
    const before = newest();
    await until(() => newest() >= before + 2);
    interrupted.child.kill('SIGINT');
    const { code, stdout, stderr } = await interrupted.result;
    expect([code, stderr]).toEqual([130, expect.stringContaining(`left out: ${names[7]}`)]);
    expect(stderr).toContain('Device is ignored');
    expect(stdout).toMatch(
      /^interrupted after \d+ steps, loss .* bits\/dim, 1 images left out; the model is in/,
    );
    const reached = Number(/after (\d+) steps/.exec(stdout)![1]);

    const last = await start(...train, '--resume', '--steps', String(reached + 30), '--json').result;
    const finished = JSON.parse(last.stdout);
    expect(finished).toMatchObject({ steps: reached + 30, stopped: 'finished', skipped: [names[7]] });
    expect(readdirSync(checkpoints).filter((name) => name.startsWith('checkpoint-'))).toHaveLength(2);
    const logged = metrics('results/faces').map(({ step }) => step);
    expect(logged).toEqual([...new Set(logged)].sort((a, b) => a - b));
    const losses = metrics('results/faces').map(({ loss }) => loss);
    expect(losses.at(-1)).toBeLessThan(losses[0] - 0.5);
    const picture = decodePng(readFileSync(join(folder, 'results/faces/reconstructions/0000010.png')));
    expect([picture.width, picture.height]).toEqual([4 * 17 + 1, 2 * 17 + 1]);
    // What is decoded from latents is the image: the lower row is the upper one.
    const rows = [0, 1].map((row) =>
      picture.data.subarray((1 + 17 * row) * picture.width, 17 * (row + 1) * picture.width),
    );
    expect([...rows[1]]).toEqual([...rows[0]]);

    const report = await json(
      'attributes',
      'hparams.json',
      'celeba',
      'zdir',
      '--image',
      names[0],
      '--attribute',
      'Eyeglasses',
      '--strengths',
      '-2,0,2',
    );
    expect(report.count).toBe(59);
    expect(report.attributes.map((entry: { name: string }) => entry.name)).toEqual([
      'Eyeglasses',
      'Neutral',
      'Smiling',
      'Sad',
      'Angry',
      'Nobody',
    ]);
    const [glasses, , , , , nobody] = report.attributes;
    expect(glasses.with + glasses.without).toBe(59);
    // Chance gives a mean square ratio of 1; glasses are seen.
    expect(glasses.signal).toBeGreaterThan(1.2);
    expect(nobody).toMatchObject({ file: null, with: 0, reason: expect.stringContaining('with and') });
    expect(readNpy(readFileSync(join(folder, 'zdir', glasses.file))).shape).toEqual([256]);
    const swept = decodePng(readFileSync(join(folder, report.sweep.file)));
    expect([swept.width, swept.height]).toEqual([3 * 17 + 1, 18]);
    // The frame of strength 0 is the image itself, as the reconstruction above shows it too.
    const frame = (left: number, picture: typeof swept) =>
      Array.from({ length: 16 }, (_, y) => [
        ...picture.data.subarray((y + 1) * picture.width + left, (y + 1) * picture.width + left + 16),
      ]);
    expect(frame(18, swept)).toEqual(frame(1, picture));
    expect(frame(1, swept)).not.toEqual(frame(18, swept));
    const reused = await flows('attributes', 'hparams.json', 'celeba', 'zdir', '--backend', 'cpu');
    expect([reused.code, reused.stderr]).toEqual([0, expect.stringContaining('z_delta taken from')]);

    const file = join(folder, 'zdir', 'report.json');
    const whole = readFileSync(file, 'utf8');
    const broken = ['', '{"attributes":', 'null', '[]', '{}', whole.replace(/"with": \d+/, '"with": null')];
    for (const text of [...broken, whole.replace(glasses.file, '../elsewhere.npy')]) {
      writeFileSync(file, text);
      const damaged = await flows('attributes', 'hparams.json', 'celeba', 'zdir', '--backend', 'cpu');
      expect([damaged.code, damaged.stderr]).toEqual([
        1,
        expect.stringMatching(
          /^attributes: expected .*report\.json', got .* --recompute computes it anew\.$/m,
        ),
      ]);
    }
    writeFileSync(file, whole);

    // At a terminal it asks, and asks again where the answer is none.
    const stdin = Object.assign(Readable.from(['Happy\n', 'Smiling\n000002.jpg\n']), { isTTY: true });
    const asked: string[] = [];
    const answers = { write: (text: string) => asked.push(text) > 0, isTTY: true };
    const answered = await run(['attributes', 'hparams.json', 'celeba', 'zdir', '--backend', 'cpu'], {
      stdin,
      stdout: answers,
      stderr: answers,
    } as unknown as Streams);
    expect([answered, asked.join('')]).toEqual([
      0,
      expect.stringMatching(/0: Eyeglasses.*not 'Happy'.*image, by name/s),
    ]);
    expect(asked.at(-1)).toContain('sweep of 000002.jpg along Smiling');

    await leavesNoTensors(useModel);
  }, 240_000);

  /** The other commands, on the model that training left. */
  async function useModel(): Promise<void> {
    const model = 'results/faces';
    const sampled = await json('sample', model, '--count', '4', '--temperature', '0.7,0.5', '--seed', '1');
    expect(sampled).toEqual({ count: 4, output: 'samples.png' });
    expect(decodePng(readFileSync(join(folder, 'samples.png'))).width).toBe(2 * 17 + 1);

    const crop = ['--center-crop', '28', '--limit', '6'];
    await json('encode', model, 'celeba', 'celeba', ...crop);
    const latents = readNpz(readFileSync(join(folder, 'latents.npz')));
    expect(latents.z.shape).toEqual([6, 256]);
    expect([...latents.attributes.shape]).toEqual([6, 6]);
    await json('decode', model, 'latents.npz', '--output', 'decoded.npy');
    expect(readNpy(readFileSync(join(folder, 'decoded.npy'))).shape).toEqual([6, 16, 16, 1]);

    const bits = await json('bits', model, 'celeba', 'celeba', ...crop, '--compatibility', 'chaiyujin');
    expect(bits).toMatchObject({ count: 6, unit: 'bits/pixel', compatibility: 'chaiyujin' });
    // Grey images: a pixel is a dimension, and what differs is the noise.
    expect(Math.abs(bits.reported - bits.bitsPerDim)).toBeLessThan(0.2);
    const account = await flows('account', model, 'celeba', 'celeba', ...crop, '--backend', 'cpu');
    expect(account.stdout).toMatch(/level1\/prior.*\n.*base.*\n *total/s);

    await json('convert', model, 'state.npz', '--to', 'chaiyujin', '--batch-size', '2');
    const info = JSON.parse((await flows('inspect', 'state.npz', '--json')).stdout);
    expect(info).toMatchObject({
      container: 'npz',
      library: 'chaiyujin',
      config: { imageShape: [16, 16, 1], levels: 2 },
    });
    await json('convert', 'state.npz', 'back.safetensors');
    const back = await json('bits', 'back.safetensors', 'celeba', 'celeba', ...crop);
    expect(back.bitsPerDim).toBeCloseTo(bits.bitsPerDim, 5);
  }
});

describe('what goes wrong', () => {
  it.each<[string[], number, RegExp]>([
    [[], 2, /^$/],
    [['paint'], 2, /There is no command 'paint'\. Commands: study, train, sample/],
    [['sample'], 2, /<model> is missing\.\nUsage: tfjs-flows sample <model> \[options\]/],
    [['sample', 'x', '--colour'], 2, /Unknown option '--colour'/],
    [['sample', 'nowhere.pt'], 1, /There is nothing at 'nowhere\.pt'/],
    [
      ['train', 'nowhere.json', 'celeba', 'x'],
      1,
      /hparams: expected a JSON file, got nothing at 'nowhere\.json'/,
    ],
    [['inspect', 'celeba/list_attr_celeba.txt'], 1, /expected a PyTorch, npz or safetensors file/],
    [
      ['train', 'hparams.json', 'pictures', 'celeba', '--output', 'other'],
      2,
      /<dataset> is one of celeba, folder/,
    ],
    [['train', 'hparams.json', 'celeba', 'nowhere', '--output', 'other'], 1, /a folder 'img_align_celeba'/],
  ])('%j', async (words, code, message) => {
    const result = await flows(
      ...words,
      ...(words[0] === 'train' || words[1] === 'nowhere.pt' ? ['--backend', 'cpu'] : []),
    );
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it('a broken image ends the command with --strict', async () => {
    writeFileSync(join(folder, 'celeba', 'img_align_celeba', names[7]), 'no picture');
    const result = await flows(
      'train',
      'hparams.json',
      'celeba',
      'celeba',
      '--output',
      'strict',
      '--strict',
      '--steps',
      '9',
    );
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(`${names[7]}' cannot be read`)]);
  });

  it('help tells every option', async () => {
    const all = await flows('--help');
    expect([all.code, all.stdout]).toEqual([0, expect.stringContaining('attributes')]);
    const { stdout } = await flows('train', '--help');
    for (const word of [
      '<hparams>',
      '<dataset>',
      '<root>',
      '--resume',
      '--strict',
      '--backend wasm|cpu',
      '--json',
    ]) {
      expect(stdout).toContain(word);
    }
  });
});
