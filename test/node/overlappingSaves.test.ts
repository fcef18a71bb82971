import '@tensorflow/tfjs-backend-cpu';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import fs, { mkdir, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, loadModule, saveModule } from 'tfjs-flows';
import { checkpointDirectory, fileSystem } from 'tfjs-flows/node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle';

let directory: string;

beforeEach(async () => {
  await tf.setBackend('cpu');
  directory = mkdtempSync(join(tmpdir(), 'tfjs-flows-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A model whose weights all have one value, so that a mixture of two would show. */
function modelOf(value: number): ActNorm {
  const model = new ActNorm({ inputShape: [3] });
  for (const { variable } of model.weights) tf.tidy(() => variable.assign(tf.fill(variable.shape, value)));
  return model;
}

async function valueAt(location: tf.io.IOHandler | string): Promise<number> {
  const model = await loadModule<ActNorm>(location);
  const values = new Set(model.weights.flatMap(({ variable }) => [...variable.dataSync()]));
  model.dispose();
  expect(values.size).toBe(1);
  return [...values][0];
}

/** Runs work with a function of the file system replaced. */
function instead<Name extends 'readFile' | 'readdir' | 'rename'>(
  name: Name,
  replacement: (real: (path: string, ...more: unknown[]) => Promise<never>, path: string) => unknown,
): <T>(work: () => Promise<T>) => Promise<T> {
  return async (work) => {
    const files = fs as unknown as Record<string, (path: string, ...more: unknown[]) => unknown>;
    const real = files[name];
    files[name] = (path, ...more) =>
      replacement((again) => real(again, ...more) as Promise<never>, path) as never;
    syncBuiltinESMExports();
    try {
      return await work();
    } finally {
      files[name] = real;
      syncBuiltinESMExports();
    }
  };
}

const hour = 3600;
function age(name: string, seconds: number): void {
  const time = Date.now() / 1000 - seconds;
  utimesSync(join(directory, name), time, time);
}

describe('saves to one directory that overlap', () => {
  it('all end well, and the last call is what stays, 30 times', async () => {
    const models = [0, 1, 2, 3].map(modelOf);
    for (let trial = 0; trial < 30; trial++) {
      const path = join(directory, `${trial}`);
      // One directory by its many names.
      const places = [
        fileSystem(path),
        `file://${path}`,
        fileSystem(join(path, 'model.json')),
        fileSystem(`${path}/.`),
      ];
      await Promise.all(models.map((model, i) => saveModule(model, places[(i + trial) % places.length])));
      expect(await valueAt(`file://${path}`)).toBe(3);
      expect(readdirSync(path)).toHaveLength(2);
    }
    for (const model of models) model.dispose();
  });

  it('leave a model to load at every moment', async () => {
    const models = [1, 2, 3, 4].map(modelOf);
    await saveModule(models[0], fileSystem(directory));
    let saving = true;
    const saves = Promise.all(
      Array.from({ length: 24 }, (_, i) => saveModule(models[i % 4], fileSystem(directory))),
    ).finally(() => {
      saving = false;
    });
    while (saving) expect(await valueAt(fileSystem(directory))).toBeGreaterThan(0);
    await saves;
    for (const model of models) model.dispose();
  });

  it('give the newer model to a load that began with the older one', async () => {
    const [old, next] = [modelOf(1), modelOf(2)];
    await saveModule(old, fileSystem(directory));
    // Between the looks at model.json and at the weights that it names, another save ends.
    let saved = false;
    const late = async (real: (path: string) => Promise<unknown>, path: string) => {
      if (path.endsWith('.bin') && !saved) {
        saved = true;
        await saveModule(next, fileSystem(directory));
      }
      return real(path);
    };
    await instead('readFile', late)(async () => expect(await valueAt(fileSystem(directory))).toBe(2));
    expect(saved).toBe(true);
    old.dispose();
    next.dispose();
  });

  it('leave each other what they write where one directory has two names that nobody can tell', async () => {
    const [path, alias] = [join(directory, 'path'), join(directory, 'alias')];
    mkdirSync(path);
    symlinkSync(path, alias);
    const [one, two] = [modelOf(1), modelOf(2)];
    let saved = false;
    // A whole save by one name, before the save by the other name comes to its model.json.
    const late = async (real: (path: string) => Promise<unknown>, from: string) => {
      if (from.startsWith(join(alias, 'model.json')) && !saved) {
        saved = true;
        await saveModule(one, fileSystem(path));
      }
      return real(from);
    };
    await instead('rename', late)(() => saveModule(two, fileSystem(alias)));
    expect(saved).toBe(true);
    expect(await valueAt(fileSystem(path))).toBe(2);
    expect(readdirSync(path)).toHaveLength(2);
    one.dispose();
    two.dispose();
  });

  it('go on after one that failed', async () => {
    const model = modelOf(1);
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const save = fileSystem(directory).save as tf.io.SaveHandler;
    const failed = save({ modelTopology: circle, weightData: new ArrayBuffer(4) });
    const good = saveModule(model, fileSystem(directory));
    await expect(failed).rejects.toThrow(/circular/i);
    await good;
    expect(await valueAt(fileSystem(directory))).toBe(1);
    expect(readdirSync(directory)).toHaveLength(2);
    model.dispose();
  });

  it('keep each other where two models share a directory', async () => {
    const [one, two] = [modelOf(1), modelOf(2)];
    const [a, b] = [fileSystem(join(directory, 'a.json')), fileSystem(join(directory, 'b.json'))];
    await Promise.all([saveModule(one, a), saveModule(two, b)]);
    await saveModule(two, b);
    expect([await valueAt(a), await valueAt(b)]).toEqual([1, 2]);
    expect(readdirSync(directory)).toHaveLength(4);
    one.dispose();
    two.dispose();
  });
});

/** A save that stops between its weights and its model.json until something comes on its standard input. */
const program = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const { rename } = fs;
  fs.rename = async (from, to) => {
    if (to.endsWith('model.json')) {
      console.log('paused');
      await new Promise((resolve) => process.stdin.once('data', resolve));
      process.stdin.destroy();
    }
    return rename(from, to);
  };
  syncBuiltinESMExports();
  const { fileSystem } = await import('tfjs-flows/node');
  await fileSystem(process.argv[2]).save({ modelTopology: { from: 'elsewhere' }, weightSpecs: [], weightData: Uint8Array.of(1, 2, 3, 4).buffer });
`;

describe('a save of another process', () => {
  /** Inside the repository, ignored by git. */
  const programs = fileURLToPath(new URL('../../output/overlappingSaves/', import.meta.url));
  let child: ChildProcess;

  beforeAll(async () => {
    await mkdir(programs, { recursive: true });
    await writeFile(join(programs, 'saves.ts'), program);
    await bundle([join(programs, 'saves.ts')], programs);
  });

  afterAll(() => rm(programs, { recursive: true }));

  beforeEach(async () => {
    child = spawn(process.execPath, [join(programs, 'saves.mjs'), directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout as NodeJS.EventEmitter, 'data');
  });

  const end = async (how: () => unknown) => {
    const ended = once(child, 'exit');
    how();
    return (await ended)[0];
  };

  it('that is under way keeps what it has written', async () => {
    const model = modelOf(1);
    await saveModule(model, fileSystem(directory));
    expect(await valueAt(fileSystem(directory))).toBe(1);
    expect(await end(() => child.stdin?.write('go on'))).toBe(0);
    const artifacts = await fileSystem(directory).load?.();
    expect(artifacts).toMatchObject({ modelTopology: { from: 'elsewhere' }, weightData: { byteLength: 4 } });
    // Now it has ended, and nothing of either is kept beside the next.
    await saveModule(model, fileSystem(directory));
    expect(readdirSync(directory)).toHaveLength(2);
    model.dispose();
  });

  it('that was killed leaves nothing behind the next', async () => {
    await end(() => child.kill('SIGKILL'));
    expect(readdirSync(directory).length).toBeGreaterThan(1);
    const model = modelOf(1);
    await saveModule(model, fileSystem(directory));
    expect(readdirSync(directory)).toHaveLength(2);
    model.dispose();
  });
});

describe('what earlier saves left', () => {
  it('on another machine stays for an hour, since nobody here knows whether it goes on', async () => {
    const weights = `weights-${'0'.repeat(16)}-${'1'.repeat(12)}.bin`;
    const temporary = `${weights}.${'f'.repeat(8)}-${process.pid}-0-${'2'.repeat(12)}.tmp`;
    for (const name of [weights, temporary, 'notes.tmp']) writeFileSync(join(directory, name), '');
    const model = modelOf(1);
    await saveModule(model, fileSystem(directory));
    expect(readdirSync(directory)).toEqual(expect.arrayContaining([weights, temporary, 'notes.tmp']));
    age(temporary, 2 * hour);
    await saveModule(model, fileSystem(directory));
    expect(readdirSync(directory)).toHaveLength(3); // the notes are not ours
    model.dispose();
  });
});

describe('checkpoints that overlap', () => {
  it('get a number each, and the newest by call are kept', async () => {
    const models = [1, 2, 3, 4].map(modelOf);
    const handlers = [0, 1].map(() => checkpointDirectory(directory, { keep: 2 }));
    await Promise.all(models.map((model, i) => saveModule(model, handlers[i % 2])));
    expect((await handlers[0].list()).map((path) => path.slice(-1))).toEqual(['3', '4']);
    expect(await valueAt(handlers[0])).toBe(4);
    expect(readdirSync(directory)).toHaveLength(2);
    for (const model of models) model.dispose();
  });

  it('leave alone what another process writes, and clear away what a crash left', async () => {
    const checkpoints = checkpointDirectory(directory);
    const temporary = `weights-${'0'.repeat(16)}-${'1'.repeat(12)}.bin.${'f'.repeat(8)}-1-0-${'2'.repeat(12)}.tmp`;
    for (const name of ['checkpoint-000001', 'checkpoint-000002', 'checkpoint-000007']) {
      mkdirSync(join(directory, name));
    }
    writeFileSync(join(directory, 'checkpoint-000001', temporary), '');
    writeFileSync(join(directory, 'checkpoint-000002', temporary), '');
    age(join('checkpoint-000002', temporary), 2 * hour);
    const model = modelOf(1);
    await saveModule(model, checkpoints);
    // The second is old; the seventh was made just now, by somebody who has written nothing yet.
    expect(readdirSync(directory)).toEqual(['checkpoint-000001', 'checkpoint-000007', 'checkpoint-000008']);
    expect(await valueAt(checkpoints)).toBe(1);
    model.dispose();
  });

  it('keep one that was finished while they looked', async () => {
    const checkpoints = checkpointDirectory(directory);
    const model = modelOf(1);
    await saveModule(model, checkpoints);
    let looks = 0;
    // Its model.json comes after the first looks of the next save.
    const late = async (real: (path: string) => Promise<string[]>, path: string) => {
      const names = await real(path);
      return path.endsWith('000001') && looks++ < 2 ? names.filter((name) => name !== 'model.json') : names;
    };
    await instead('readdir', late)(() => saveModule(model, checkpoints));
    expect(looks).toBeGreaterThan(2);
    expect(await checkpoints.list()).toHaveLength(2);
    model.dispose();
  });

  it('give the next one to a load whose own had to go', async () => {
    const checkpoints = checkpointDirectory(directory, { keep: 1 });
    const [old, next] = [modelOf(1), modelOf(2)];
    await saveModule(old, checkpoints);
    let saved = false;
    const late = async (real: (path: string) => Promise<unknown>, path: string) => {
      if (path.endsWith('000001/model.json') && !saved) {
        saved = true;
        await saveModule(next, checkpoints);
      }
      return real(path);
    };
    await instead('readFile', late)(async () => expect(await valueAt(checkpoints)).toBe(2));
    expect(saved).toBe(true);
    old.dispose();
    next.dispose();
  });

  it('that failed leave no empty directory', async () => {
    const checkpoints = checkpointDirectory(directory);
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const save = checkpoints.save as tf.io.SaveHandler;
    await expect(save({ modelTopology: circle, weightData: new ArrayBuffer(4) })).rejects.toThrow(
      /circular/i,
    );
    expect(readdirSync(directory)).toEqual([]);
  });
});
