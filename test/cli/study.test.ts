import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodePng } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Streams } from '../../src/cli/command';
import { run } from '../../src/cli/run';
import { studyConfigOf } from '../../src/cli/study/config';
import { bundle } from '../support/bundle';
import { leavesNoTensors } from '../support/leaks';
import { smallStudy, writeOwnImages } from './ownImages';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** The command as one program; inside the repository, ignored by git. */
const programs = join(project, 'output/study');

let folder: string;
const at = (...path: string[]) => join(folder, ...path);

/** Writes a config, small where it says nothing else. */
function writeConfig(name: string, config: { output: string; data: object; training?: object }): string {
  const training = { ...smallStudy.training, ...config.training };
  writeFileSync(at(name), JSON.stringify({ ...smallStudy, ...config, training }));
  return at(name);
}

async function study(config: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const stream = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0, isTTY: false });
  const streams = { stdin: process.stdin, stdout: stream(out), stderr: stream(err) };
  const code = await run(['study', config, '--threads', '1', '--quiet'], streams as Streams);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

/** The command in a process of its own, which can be interrupted. */
function start(config: string): { child: ChildProcess; result: Promise<{ code: number; stdout: string }> } {
  const words = [join(programs, 'main.mjs'), 'study', config, '--threads', '1', '--quiet'];
  const child = spawn(process.execPath, words, { cwd: project });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  const result = new Promise<{ code: number; stdout: string }>((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? -1, stdout }));
  });
  return { child, result };
}

const json = (...path: string[]) => JSON.parse(readFileSync(at(...path), 'utf8'));
const sizeOf = (...path: string[]) => {
  const { width, height } = decodePng(readFileSync(at(...path)));
  return [width, height];
};

beforeAll(async () => {
  await bundle([join(project, 'src/cli/main.ts')], programs);
  // As the command does it, so that tensors are counted from here on.
  await prepareWasm({ threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-study-'));
  writeOwnImages(at('own'), { anna: 24, bob: 24, carl: 24, dora: 4 });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(programs, { recursive: true });
});

describe('a study', () => {
  it('of a table finds what images say, carries it to the class of few images, and tells it', async () => {
    const config = writeConfig('table.json', {
      output: 'table',
      data: { csv: 'own/table.csv', heldOut: 0.4 },
    });
    await leavesNoTensors(async () => {
      const { code, stdout } = await study(config);
      expect([code, stdout]).toEqual([0, expect.stringContaining('done after 24 steps')]);
    });
    const report = json('table', 'report.json');
    expect(report).toMatchObject({
      images: 76,
      classes: { anna: 24, bob: 24, carl: 24, dora: 4 },
      training: 42,
      heldOut: 30,
      largestReconstructionError: 0,
      fewRefusal: null,
    });
    // A bright top is what separates images most; any model finds it again.
    const [hat] = report.directions;
    expect(hat).toMatchObject({ name: 'hat', kind: 'yes or no', verdict: 'clear', order: { share: 1 } });
    expect(report.directions.map(({ name, kind }: { name: string; kind: string }) => [name, kind])).toEqual([
      ['hat', 'yes or no'],
      ['size', 'number'],
      ['anna', 'class'],
      ['bob', 'class'],
      ['carl', 'class'],
    ]);
    const [dora] = report.few;
    expect([dora.name, dora.count, dora.carried[0].attribute]).toEqual(['dora', 4, 'hat']);
    expect(dora.carried[0].verdict).toMatch(/^(granted|only as far as its own images differ|refused): /);
    expect(dora.carried[0].strengths).toHaveLength(4);

    // Images of 8 x 8 are drawn 8 times as large, with a line of one pixel around each.
    const sheet = (columns: number, rows: number) => [1 + 65 * columns, 1 + 65 * rows];
    expect(sizeOf('table', 'samples.png')).toEqual(sheet(4, 3));
    expect(sizeOf('table', 'reconstructions.png')).toEqual(sheet(8, 2));
    expect(sizeOf('table', 'directions', 'hat.png')).toEqual(sheet(3, 2));
    expect(sizeOf('table', 'few', 'dora.png')).toEqual(sheet(1 + dora.carried.length, 4));

    const markdown = readFileSync(at('table', 'report.md'), 'utf8');
    const pictures = [...markdown.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path);
    expect(pictures.length).toBe(2 + 5 + 1);
    expect(pictures.filter((path) => !existsSync(at('table', path)))).toEqual([]);
    expect(markdown).toContain('| hat | yes or no | clear | 100 % of ');

    // The second time the model is there.
    const before = readFileSync(at('table', 'report.json'), 'utf8');
    expect((await study(config)).stderr).toContain('the model of an earlier run is used');
    expect(readFileSync(at('table', 'report.json'), 'utf8')).toBe(before);

    // Other classes of the same images would hold out what the model was trained on.
    const table = readFileSync(at('own', 'table.csv'), 'utf8');
    writeFileSync(at('own', 'table.csv'), table.replaceAll(/\/1(\d).png,bob/g, '/1$1.png,anna'));
    const { code, stderr } = await study(config);
    writeFileSync(at('own', 'table.csv'), table);
    expect([code, stderr]).toEqual([1, expect.stringContaining('holds a run with other split')]);
  });

  it('of a folder measures brightness and the classes; without classes brightness only', async () => {
    writeOwnImages(at('fruit'), { 苹果: 24, 梨子: 24, 'a b': 20, a_b: 20 });
    const config = writeConfig('folder.json', { output: 'folder', data: { folder: 'fruit', fewImages: 0 } });
    expect((await study(config)).code).toBe(0);
    const { directions } = json('folder', 'report.json');
    const names = directions.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['brightness', 'a b', 'a_b', '梨子', '苹果']);
    // Each has a picture of its own, whatever letters it is written in.
    const pictures = directions.map(({ picture }: { picture: string }) => picture);
    expect(new Set(pictures).size).toBe(5);
    expect(pictures.filter((path: string) => !existsSync(at('folder', path)))).toEqual([]);
    expect(pictures.at(-1)).toBe('directions/class-苹果.png');
    expect(existsSync(at('folder', 'few'))).toBe(false);

    const one = writeConfig('one.json', { output: 'one', data: { folder: 'own/anna' } });
    expect((await study(one)).code).toBe(0);
    expect(json('one', 'report.json').directions).toHaveLength(1);
    expect(readFileSync(at('one', 'report.md'), 'utf8')).toContain('There are no classes.');
  });

  it('goes on after Ctrl-C to the numbers of a study that was never interrupted', async () => {
    const training = { steps: 160, evaluateEvery: 10, patience: 100 };
    const data = { folder: 'own', fewImages: 0 };
    const whole = start(writeConfig('whole.json', { output: 'whole', data, training }));
    expect((await whole.result).code).toBe(0);

    const config = writeConfig('halves.json', { output: 'halves', data, training });
    const first = start(config);
    const checkpoints = at('halves', 'checkpoints');
    while (!existsSync(checkpoints) || readdirSync(checkpoints).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    first.child.kill('SIGINT');
    const { code, stdout } = await first.result;
    expect([code, stdout]).toEqual([
      130,
      expect.stringMatching(/interrupted after \d+ steps; the same command/),
    ]);
    expect(readdirSync(at('halves'))).not.toContain('model.safetensors');

    expect((await start(config).result).code).toBe(0);
    const { output: _, ...expected } = json('whole', 'report.json');
    expect(json('halves', 'report.json')).toMatchObject(expected);
  }, 180_000);
});

describe('what is wrong with images', () => {
  beforeAll(() => {
    mkdirSync(at('empty'));
    writeOwnImages(at('single'), { anna: 24 });
    writeOwnImages(at('small'), { anna: 4, bob: 4 });
    writeOwnImages(at('broken'), { anna: 24, bob: 24 });
    writeFileSync(at('broken', 'bob', '3.png'), 'no picture');
    writeFileSync(at('broken', 'lost.csv'), 'file,hat\nanna/0.png,1\nanna/99.png,0\n');
  });

  it.each([
    ['an empty folder', { folder: 'empty' }, /images in '.*empty' or in its folders, got none/],
    ['no folder', { folder: 'nowhere' }, /nothing at '.*nowhere'/],
    [
      'one class',
      { folder: 'single' },
      /at least two classes, got only 'anna'\. Add folders of other classes/,
    ],
    ['too few images', { folder: 'small' }, /at least 20 images, got 8/],
    ['an unreadable image', { folder: 'broken' }, /got 1 that cannot\. .*3\.png' cannot be read/],
    ['a line without its file', { csv: 'broken/lost.csv' }, /no 'anna\/99\.png' \(line 3\)/],
    [
      'a missing column',
      { csv: 'own/table.csv', columns: ['cap'] },
      /a column among file, class, hat, size, got 'cap'/,
    ],
    ['columns without a table', { folder: 'own', columns: ['hat'] }, /data\.csv beside data\.columns/],
    ['a mistyped key', { folders: 'own' }, /config\.data: .* got 'folders'\. Did you mean 'folder'\?/],
  ])('%s: one sentence says so', async (_, data, message) => {
    const { code, stderr } = await study(writeConfig('wrong.json', { output: 'wrong', data }));
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('an unreadable image can be left out, which is told', async () => {
    const data = { folder: 'broken', skipUnreadable: true };
    const { code, stderr } = await study(writeConfig('skip.json', { output: 'skip', data }));
    expect([code, stderr]).toEqual([0, expect.stringMatching(/left out: .*bob.3\.png/)]);
    expect(readFileSync(at('skip', 'report.md'), 'utf8')).toContain('Left out, as they cannot be read: 1.');
  });

  it('a table may lie elsewhere than its images', async () => {
    mkdirSync(at('tables'));
    writeFileSync(at('tables', 'hats.csv'), readFileSync(at('own', 'table.csv'), 'utf8'));
    const data = { csv: 'tables/hats.csv', folder: 'own', columns: ['hat'], fewImages: 0 };
    const config = writeConfig('elsewhere.json', { output: 'elsewhere', data });
    expect((await study(config)).code).toBe(0);
    expect(json('elsewhere', 'report.json').directions[0]).toMatchObject({ name: 'hat', verdict: 'clear' });

    // What a crash of the disk leaves of run.json is named.
    const run = at('elsewhere', 'run.json');
    const whole = readFileSync(run, 'utf8');
    const broken = ['', '{"images": 3', 'null', '[1]', whole.replace(/"outcome":/, '"outcome": 3, "was":')];
    for (const text of broken) {
      writeFileSync(run, text);
      const { code, stderr } = await study(config);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/study: expected .*run\.json'?, got .* Give another "output", or delete '/),
      ]);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });

  it('a folder of results of other settings is not overwritten', async () => {
    const data = { folder: 'fruit', fewImages: 0 };
    const config = writeConfig('other.json', { output: 'folder', data, training: { steps: 25 } });
    const { code, stderr } = await study(config);
    expect([code, stderr]).toEqual([1, expect.stringContaining('holds a run with other training')]);
  });
});

describe('a config', () => {
  it.each([
    [{ data: { folder: 'a', heldOut: 1 } }, /data\.heldOut between 0 and 1, got 1/],
    [{ data: { folder: 'a' }, glow: { classes: 3 } }, /a Glow without classes, got classes 3/],
    [{ data: { folder: 'a' }, report: { strengths: [] } }, /report\.strengths to be numbers/],
    [{ data: { folder: 'a' }, training: { step: 3 } }, /config\.training: .* Did you mean 'steps'\?/],
    [{ data: { folder: 'a' }, report: { temperature: 1 } }, /config\.report: .* mean 'temperatures'\?/],
    [{ data: { folder: 'a' }, glow: { hiddenChannel: 4 } }, /config\.glow: .* mean 'hiddenChannels'\?/],
    [{ data: null }, /config\.data: expected an object of options, got null/],
    [{ data: {} }, /data\.folder or data\.csv, got neither/],
    [{ data: { folder: 3 } }, /data\.folder to be a path, got 3/],
    [{ folder: 'a' }, /config: expected options among output, data, .*got 'folder'/],
  ])('%j is refused', (config, message) => {
    expect(() => studyConfigOf(config)).toThrow(message);
  });

  it.each(['folder', 'table'])('%s.json of the example is one', (name) => {
    const file = join(project, `examples/train-your-own/${name}.json`);
    expect(studyConfigOf(JSON.parse(readFileSync(file, 'utf8'))).training.steps).toBe(600);
  });
});
