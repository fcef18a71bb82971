import '@tensorflow/tfjs-backend-cpu';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { FormatError, fit, loadModule, saveModule } from 'tfjs-flows';
import { abortOnInterrupt, checkpointDirectory, fileSystem } from 'tfjs-flows/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ToyFlow, toyData, weightsOf } from '../training/toys';

/** Counts down over calls to the file system; at 0 the "process" dies: this call and all after it fail. */
const crash = vi.hoisted(() => ({ countdown: Number.POSITIVE_INFINITY }));
/** What was asked of the disk, in order: what was flushed and what was renamed. */
const asked = vi.hoisted(() => [] as string[]);

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const mortal = <A extends unknown[], R>(work: (...given: A) => Promise<R>) => {
    return async (...given: A): Promise<R> => {
      if (--crash.countdown < 0) throw new Error('crash');
      return work(...given);
    };
  };
  return {
    ...real,
    rename: mortal(async (from: string, to: string) => {
      asked.push(`rename ${to}`);
      await real.rename(from, to);
    }),
    rm: mortal(real.rm as (...given: unknown[]) => Promise<void>),
    mkdir: mortal(real.mkdir as (...given: unknown[]) => Promise<unknown>),
    open: mortal(async (path: string, flags: string) => {
      const file = await real.open(path, flags);
      return {
        // A crash while writing leaves a part of the file.
        writeFile: async (data: string | Uint8Array) => {
          if (--crash.countdown < 0) {
            await file.writeFile(data.slice(0, data.length / 2) as string);
            throw new Error('crash');
          }
          await file.writeFile(data);
        },
        sync: mortal(async () => {
          asked.push(`flush ${path}`);
          await file.sync();
        }),
        close: () => file.close(),
      };
    }),
  };
});

let directory: string;

beforeEach(async () => {
  await tf.setBackend('cpu');
  directory = mkdtempSync(join(tmpdir(), 'tfjs-flows-'));
});

afterEach(() => {
  crash.countdown = Number.POSITIVE_INFINITY;
  rmSync(directory, { recursive: true });
});

function toyWith(value: number): ToyFlow {
  const model = new ToyFlow();
  for (const { variable } of model.weights) tf.tidy(() => variable.assign(tf.fill(variable.shape, value)));
  return model;
}

describe('fileSystem', () => {
  it('keeps a model bit for bit, by handler and by URL, and one file of weights', async () => {
    const model = new ToyFlow();
    await fit(model, toyData(16), { progress: 'none', seed: 1 });
    const path = join(directory, 'deep/model');
    await saveModule(toyWith(1), fileSystem(path));
    await saveModule(model, `file://${path}`);
    expect(readdirSync(path).filter((name) => name !== 'model.json')).toEqual([
      expect.stringMatching(/^weights-[0-9a-f]{16}-[0-9a-f]{12}\.bin$/),
    ]);
    for (const location of [fileSystem(path), fileSystem(join(path, 'model.json')), `file://${path}`]) {
      const loaded = await loadModule<ToyFlow>(location);
      expect(weightsOf(loaded)).toEqual(weightsOf(model));
      loaded.dispose();
    }
    model.dispose();
  });

  it('leaves the old model or the new one, whole, wherever a save crashes', async () => {
    const old = toyWith(1);
    const next = toyWith(2);
    const outcomes: number[] = [];
    for (let calls = 0; ; calls++) {
      const path = join(directory, `${calls}`);
      crash.countdown = Number.POSITIVE_INFINITY;
      await saveModule(old, fileSystem(path));
      crash.countdown = calls;
      const finished = await saveModule(next, fileSystem(path)).then(
        () => true,
        () => false,
      );
      crash.countdown = Number.POSITIVE_INFINITY;
      const loaded = await loadModule<ToyFlow>(fileSystem(path));
      const values = new Set(Object.values(weightsOf(loaded)).flat());
      expect(values.size).toBe(1);
      outcomes.push([...values][0]);
      loaded.dispose();
      // The next save clears away whatever the crash left.
      await saveModule(next, fileSystem(path));
      expect(readdirSync(path)).toHaveLength(2);
      if (finished) break;
    }
    // Every stage was met: before the rename of model.json the old model, from then on the new one.
    expect(outcomes.length).toBeGreaterThan(10);
    expect(outcomes.indexOf(2)).toBeGreaterThan(5);
    expect(outcomes).toEqual([...outcomes].sort());
    old.dispose();
    next.dispose();
  });

  it('flushes every file before its rename, and the directory after it: a crash of the machine counts, too', async () => {
    asked.length = 0;
    const model = toyWith(1);
    await saveModule(model, fileSystem(directory));
    const steps = asked.map((entry) => entry.replace(directory, '').replace(/[0-9a-f]{8}[-0-9a-f]*/g, '*'));
    expect(steps).toEqual([
      'flush /weights-*.bin.*.tmp', // the sign that the weights are wanted
      'flush /weights-*.bin.*.tmp',
      'rename /weights-*.bin',
      'flush ',
      'flush /model.json.*.tmp',
      'rename /model.json',
      'flush ',
    ]);
    model.dispose();
  });

  it('refuses damaged and truncated files', async () => {
    const model = toyWith(1);
    const tensors = tf.memory().numTensors;
    await saveModule(model, fileSystem(directory));
    const json = join(directory, 'model.json');
    const weights = join(directory, readdirSync(directory).find((name) => name.endsWith('.bin')) as string);
    const [goodJson, goodWeights] = [readFileSync(json), readFileSync(weights)];
    const damages: [() => void, RegExp][] = [
      [() => truncateSync(weights, 12), /SHA-256 .* got 12 bytes/],
      [
        () =>
          writeFileSync(
            weights,
            goodWeights.map((byte, i) => (i === 7 ? byte ^ 1 : byte)),
          ),
        /SHA-256/,
      ],
      [() => truncateSync(json, 100), /expected JSON in .*model\.json/],
      [() => truncateSync(json, 0), /expected JSON/],
      [() => writeFileSync(json, '{}'), /weightsManifest/],
      [() => writeFileSync(json, 'null'), /expected an object in .*model\.json, got null/],
      [() => writeFileSync(json, '{"weightsManifest":[null]}'), /weightsManifest/],
      [() => writeFileSync(json, '{"weightsManifest":[{"paths":[3],"weights":[]}]}'), /weightsManifest/],
    ];
    for (const [damage, message] of damages) {
      damage();
      const error = await loadModule(fileSystem(directory)).catch((reason) => reason);
      expect(error).toBeInstanceOf(FormatError);
      expect(error.message).toMatch(message);
      writeFileSync(json, goodJson);
      writeFileSync(weights, goodWeights);
    }
    await expect(loadModule(fileSystem(join(directory, 'none')))).rejects.toThrow(/ENOENT/);
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });

  it('serves other tf.io users too: a LayersModel', async () => {
    const { sequential, layers, loadLayersModel } = await import('@tensorflow/tfjs-layers');
    const model = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
    await model.save(`file://${directory}`);
    const loaded = await loadLayersModel(`file://${directory}`);
    const x = tf.ones([1, 3]);
    const outputs = [model, loaded].map((network) => network.predict(x) as tf.Tensor);
    expect([...outputs[1].dataSync()]).toEqual([...outputs[0].dataSync()]);
    tf.dispose([x, outputs]);
    model.dispose();
    loaded.dispose();
  });
});

describe('checkpointDirectory', () => {
  it('keeps the newest few and resumes from the last', async () => {
    const checkpoints = checkpointDirectory(join(directory, 'checkpoints'), { keep: 2 });
    expect(await checkpoints.list()).toEqual([]);
    await expect(checkpoints.load?.()).rejects.toThrow(/a checkpoint in .*, got none/);
    const options = { progress: 'none', seed: 3, batchSize: 8, epochs: 4 } as const;
    const whole = new ToyFlow();
    const expected = await fit(whole, toyData(24), options);
    const model = new ToyFlow();
    await fit(model, toyData(24), {
      ...options,
      steps: 7,
      checkpoint: { location: checkpoints, everySteps: 2 },
    });
    expect((await checkpoints.list()).map((path) => path.slice(-6))).toEqual(['000003', '000004']);
    const resumed = new ToyFlow();
    expect(await fit(resumed, toyData(24), { ...options, resume: checkpoints })).toEqual(expected);
    expect(weightsOf(resumed)).toEqual(weightsOf(whole));
    for (const each of [whole, model, resumed]) each.dispose();
  });

  it('passes over a checkpoint whose writing never ended', async () => {
    const checkpoints = checkpointDirectory(directory);
    const model = toyWith(1);
    await saveModule(model, checkpoints);
    crash.countdown = 6;
    await expect(saveModule(model, checkpoints)).rejects.toThrow('crash');
    crash.countdown = Number.POSITIVE_INFINITY;
    expect(existsSync(join(directory, 'checkpoint-000002'))).toBe(true);
    expect(await checkpoints.list()).toEqual([join(directory, 'checkpoint-000001')]);
    (await loadModule<ToyFlow>(checkpoints)).dispose();
    model.dispose();
  });
});

describe('a series with damaged checkpoints', () => {
  const series = async () => {
    const checkpoints = checkpointDirectory(directory);
    for (const value of [1, 2, 3]) {
      const model = toyWith(value);
      await saveModule(model, checkpoints);
      model.dispose();
    }
    return checkpoints;
  };
  const at = (number: number) => join(directory, `checkpoint-00000${number}`);
  const weightsIn = (number: number) =>
    join(at(number), readdirSync(at(number)).find((name) => name.endsWith('.bin'))!);
  const said = vi.spyOn(console, 'warn');

  beforeEach(() => said.mockReset().mockImplementation(() => undefined));

  it.each<[string, () => void]>([
    ['cut short', () => truncateSync(weightsIn(3), 5)],
    ['without its weights', () => rmSync(weightsIn(3))],
    ['with half a model.json', () => truncateSync(join(at(3), 'model.json'), 20)],
    ['with another JSON', () => writeFileSync(join(at(3), 'model.json'), 'null')],
  ])('the newest %s: the one before is loaded, and that is said', async (_, damage) => {
    const checkpoints = await series();
    damage();
    const [loaded, second] = [await loadModule<ToyFlow>(checkpoints), toyWith(2)];
    expect(weightsOf(loaded)).toEqual(weightsOf(second));
    expect(said).toHaveBeenCalledOnce();
    expect(said.mock.calls[0][0]).toContain(`NOTICE: ${at(3)} cannot be read; ${at(2)} takes its place. `);
    // The next one is newer than all of them.
    await saveModule(loaded, checkpoints);
    expect((await checkpoints.list()).at(-1)).toBe(at(4));
    loaded.dispose();
    second.dispose();
  });

  it('all of them: the error is that of the newest', async () => {
    const checkpoints = await series();
    for (const number of [1, 2, 3]) truncateSync(weightsIn(number), 2 + number);
    await expect(loadModule(checkpoints)).rejects.toThrow(FormatError);
    await expect(loadModule(checkpoints)).rejects.toThrow(/checkpoint-000003.*got 5 bytes/);
    expect(said).not.toHaveBeenCalled();
  });
});

describe('abortOnInterrupt', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends training after the step at the first %s',
    async (name) => {
      const before = process.listenerCount(name);
      const signal = abortOnInterrupt();
      const model = new ToyFlow();
      const history = await fit(model, toyData(32), {
        progress: 'none',
        batchSize: 8,
        yieldEvery: 'step',
        signal,
        callbacks: { onBatchEnd: (batch) => void (batch === 1 && process.emit(name)) },
      });
      expect(history).toMatchObject({ stopped: 'aborted', losses: { length: 2 } });
      // The second one ends the process as usual, whichever it is.
      for (const other of ['SIGINT', 'SIGTERM', 'SIGHUP']) expect(process.listenerCount(other)).toBe(before);
      model.dispose();
    },
  );
});
