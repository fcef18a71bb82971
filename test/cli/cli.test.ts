import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { decodePng, readNpy, readNpz } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Streams } from '../../src/cli/command';
import { parse } from '../../src/cli/command';
import { sample } from '../../src/cli/commands/sample';
import { study } from '../../src/cli/commands/study';
import { train } from '../../src/cli/commands/train';
import { fail } from '../../src/cli/fail';
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
    const isComplete = (name: string) => existsSync(join(checkpoints, name, 'model.json'));
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
    // As a terminal that is closed does it: nobody reads any more.
    interrupted.child.stderr?.destroy();
    interrupted.child.kill('SIGHUP');
    const { code, stdout, stderr } = await interrupted.result;
    expect([code, stderr]).toEqual([130, expect.stringContaining('Device is ignored')]);
    expect(stdout).toMatch(
      /^interrupted after \d+ steps, loss .* bits\/dim, 1 images left out; the model is in/,
    );
    const reached = Number(/after (\d+) steps/.exec(stdout)![1]);

    const last = await start(...train, '--resume', '--steps', String(reached + 30), '--json').result;
    const finished = JSON.parse(last.stdout);
    expect(finished).toMatchObject({ steps: reached + 30, stopped: 'finished', skipped: [names[7]] });
    expect(readdirSync(checkpoints).filter(isComplete)).toHaveLength(2);
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
    [['sample', 'nowhere.pt'], 1, /^<model>: there is nothing at 'nowhere\.pt'\.$/m],
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
    [
      ['train', 'hparams.json', 'celeba', 'nowhere', '--output', 'other'],
      1,
      /^<root>: there is nothing at 'nowhere'\.$/m,
    ],
  ])('%j', async (words, code, message) => {
    const result = await flows(
      ...words,
      ...(words[0] === 'train' || words[1] === 'nowhere.pt' ? ['--backend', 'cpu'] : []),
    );
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  /** A model for commands that get that far. */
  const model = fileURLToPath(
    new URL('../fixtures/glow/chaiyujin_affine_lu_top/checkpoint.pt', import.meta.url),
  );

  it.each<[string[], number, RegExp]>([
    [['sample', model, '--output', 'a.jpg'], 2, /--output ends in \.png, unlike 'a\.jpg'\.\nUsage: /],
    [['decode', model, 'z.npz', '--output', 'a.npz'], 2, /ends in \.png or \.npy, unlike 'a\.npz'/],
    [['encode', model, 'celeba', 'celeba', '--output', 'a.pt'], 2, /ends in \.npz or \.npy, unlike 'a\.pt'/],
    [['convert', model, 'a.pt'], 2, /ends in \.safetensors, unlike 'a\.pt'/],
    [
      ['sample', model, '--output', 'not/here.png'],
      1,
      /^--output: there is no folder to write 'not\/here\.png' to\.$/m,
    ],
    [
      ['convert', model, 'not/here.safetensors'],
      1,
      /^<to>: there is no folder to write 'not\/here\.safetensors' to\.$/m,
    ],
    [['decode', model, 'no.npz'], 1, /^<latents>: there is nothing at 'no\.npz'\.$/m],
    [['decode', model, 'celeba'], 1, /^<latents>: 'celeba' is a folder, not a file\.$/m],
    [['inspect', 'no.pt'], 1, /^<file>: there is nothing at 'no\.pt'\.$/m],
    [['sample', model, '--temperature', '0.7,'], 2, /--temperature takes numbers with commas/],
    [['encode', model, 'celeba', 'celeba', '--seed', '3'], 2, /Unknown option '--seed'/],
    [['encode', model, 'celeba', 'celeba', '--columns', 'a'], 2, /--columns is of csv, not of celeba/],
    [['encode', model, 'csv', 't.csv', '--missing', 'fill'], 2, /--missing takes drop, refuse, not 'fill'/],
  ])('%j', async (words, code, message) => {
    const result = await flows(...words, ...(words[0] === 'inspect' ? [] : ['--backend', 'cpu']));
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it.each([
    ['ENOSPC', 'train', /^The disk is full\. What was written before is whole: .* --resume\.\n$/],
    ['EDQUOT', 'study', /^The disk is full\. What was written before is whole: .* the same command goes on/],
    [
      'ENOSPC',
      'sample',
      /^The disk is full\. Nothing is left in part: make room, and give the same command again\.\n$/,
    ],
    ['EACCES', 'sample', /^--output: 'a\.png' may not be read or written\.\n$/],
    ['EROFS', 'sample', /^--output: 'a\.png' lies on a disk that is read-only\.\n$/],
    ['EIO', 'sample', /^EIO: as the system says it\n$/],
  ])('%s of %s is told in words that fit', (code, name, message) => {
    const said: string[] = [];
    const stderr = { write: (text: string) => said.push(text) > 0, isTTY: false };
    const path = 'a.png.0123abcd-17-0-0123456789ab.tmp';
    const error = Object.assign(new Error(`${code}: as the system says it`), { code, path });
    const command = { ...sample, ...{ train, study, sample }[name] };
    expect(fail(error, command, parse(sample, ['model', '--output', 'a.png']), { stderr })).toBe(1);
    expect(said.join('')).toMatch(message);
  });

  it('thousands of missing images are told in one line', async () => {
    const root = join(folder, 'partly');
    mkdirSync(join(root, 'img_align_celeba'), { recursive: true });
    const table = readFileSync(join(folder, 'celeba', 'list_attr_celeba.txt'), 'utf8').split('\n');
    const lines = Array.from({ length: 3000 }, (_, i) => `gone${i}.jpg ${'1 '.repeat(6)}`);
    const text = [String(60 + lines.length), ...table.slice(1, 62), ...lines].join('\n');
    writeFileSync(join(root, 'list_attr_celeba.txt'), `${text}\n`);
    for (const name of names)
      linkSync(join(folder, 'celeba/img_align_celeba', name), join(root, 'img_align_celeba', name));
    const result = await flows(
      'encode',
      model,
      'celeba',
      root,
      '--backend',
      'cpu',
      '--output',
      join(root, 'z.npz'),
    );
    expect(result.code).toBe(0);
    const left = result.stderr.split('\n').filter((line) => line.startsWith('left out: '));
    expect(left).toHaveLength(4);
    expect(left.at(-1)).toMatch(/^left out: 2998 more of 3060 images$/);
    const { z, index } = readNpz(readFileSync(join(root, 'z.npz')));
    expect([z.shape[0], index.data.length]).toEqual([59, 59]);
  });

  it('a table whose values are missing is read by the columns that are named, or without those images', async () => {
    const lines = names.slice(0, 6).map((name, i) => `${name};${i === 2 ? 'NA' : `3,${i}`};${i % 2}`);
    writeFileSync(join(folder, 'ages.csv'), `file;age;hat\n${lines.join('\n')}\n`);
    const encode = [
      'encode',
      model,
      'csv',
      'ages.csv',
      '--folder',
      'celeba/img_align_celeba',
      '--backend',
      'cpu',
    ];
    const refused = await flows(...encode);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("got 'NA' in line 4 of 'age'"),
    ]);
    const dropped = await flows(...encode, '--missing', 'drop', '--decimal', ',');
    expect([dropped.code, dropped.stdout]).toEqual([0, expect.stringContaining('5 latents of')]);
    const named = await flows(...encode, '--columns', 'hat');
    expect([named.code, named.stdout]).toEqual([0, expect.stringContaining('6 latents of')]);
    expect([...readNpz(readFileSync(join(folder, 'latents.npz'))).attributes.data]).toEqual([
      -1, 1, -1, 1, -1, 1,
    ]);
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

  it('--version and -h answer, wherever they stand', async () => {
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    expect(await flows('--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect((await flows('-h')).stdout).toBe((await flows('--help')).stdout);
    expect(await flows('sample', '-h')).toEqual(await flows('sample', '--help'));
  });

  it.each([
    ['train', 'default: 1'],
    ['bits', 'default: 1'],
    ['study', 'default: as the config says, there 1'],
    ['sample', 'default: another one each time'],
    ['account', 'default: another one each time'],
    ['encode', undefined],
    ['decode', undefined],
    ['convert', undefined],
    ['attributes', undefined],
  ])('help of %s tells the default seed: %s', async (name, text) => {
    const { stdout } = await flows(name, '--help');
    const line = stdout.split('\n').find((each) => each.includes('--seed'));
    expect(line?.match(/\((.*)\)/)?.[1]).toBe(text);
  });

  it('what help says of seeds is so: samples differ, unless one is given', async () => {
    const draw = async (...words: string[]) => {
      await json('sample', model, '--count', '1', ...words);
      return readFileSync(join(folder, 'samples.png')).toString('hex');
    };
    expect(await draw()).not.toBe(await draw());
    expect(await draw('--seed', '4')).toBe(await draw('--seed', '4'));
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
      '--backend wasm|webgpu|cpu',
      '--json',
    ]) {
      expect(stdout).toContain(word);
    }
  });
});
