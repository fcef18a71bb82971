import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, callbacks } from '@tensorflow/tfjs-layers';
import { type FitOptions, fit, type Logs, type Progress, ProgressBar } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { ToyFlow, toyData } from './toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function run(options: FitOptions) {
  const model = new ToyFlow();
  const history = await fit(model, toyData(16), { progress: 'none', seed: 1, batchSize: 8, ...options });
  model.dispose();
  return history;
}

describe('callbacks', () => {
  it('are called in the order of tfjs-layers, with numbers in their logs', async () => {
    const calls: string[] = [];
    const logs: Logs[] = [];
    const hook = (name: string) => async (index: number | Logs, given?: Logs) => {
      calls.push(typeof index === 'number' ? `${name} ${index}` : name);
      if (given !== undefined) logs.push(given);
    };
    await run({
      epochs: 2,
      validationData: toyData(4),
      yieldEvery: 'never',
      callbacks: {
        onTrainBegin: hook('train begin'),
        onEpochBegin: hook('epoch begin'),
        onBatchBegin: hook('batch begin'),
        onBatchEnd: hook('batch end'),
        onEpochEnd: hook('epoch end'),
        onTrainEnd: hook('train end'),
      },
    });
    const batch = (i: number) => [`batch begin ${i}`, `batch end ${i}`];
    const epoch = (i: number) => [`epoch begin ${i}`, ...batch(0), ...batch(1), `epoch end ${i}`];
    expect(calls).toEqual(['train begin', ...epoch(0), ...epoch(1), 'train end']);
    expect(Object.keys(logs[2])).toEqual(expect.arrayContaining(['batch', 'size', 'loss', 'learningRate']));
    expect(logs[5]).toMatchObject({ val_loss: expect.any(Number), loss: expect.any(Number) });
    expect(logs.flatMap(Object.values).every((value) => typeof value === 'number')).toBe(true);
  });

  it('of a tfjs-vis chart work: functions that keep the logs and wait for a frame', async () => {
    // The shape of what tfvis.show.fitCallbacks returns.
    const drawn: Record<string, Logs[]> = { onBatchEnd: [], onEpochEnd: [] };
    const draw = (name: string) => async (_: number, logs: Logs) => {
      drawn[name].push(logs);
      await tf.nextFrame();
    };
    const history = await run({
      epochs: 3,
      callbacks: { onBatchEnd: draw('onBatchEnd'), onEpochEnd: draw('onEpochEnd') },
    });
    expect(drawn.onBatchEnd.map(({ loss }) => loss)).toEqual(history.losses);
    expect(drawn.onEpochEnd.map(({ loss }) => loss)).toEqual(history.epochs.map(({ loss }) => loss));
  });

  it('may stop training: by returning false, or as tf.callbacks do', async () => {
    expect(await run({ epochs: 9, callbacks: { onBatchEnd: (batch) => batch < 1 } })).toMatchObject({
      stopped: 'callback',
      losses: { length: 2 },
    });
    expect(await run({ epochs: 9, callbacks: [{ onEpochEnd: (epoch) => epoch < 2 }] })).toMatchObject({
      stopped: 'callback',
      epochs: { length: 3 },
    });
    const stopping = callbacks.earlyStopping({ monitor: 'loss', minDelta: 1e9 });
    const history = await run({ epochs: 9, callbacks: [stopping as never, new CustomCallback({}) as never] });
    expect(history).toMatchObject({ stopped: 'callback', epochs: { length: 2 } });
  });

  it('may throw: fit rejects with that and leaves no tensor behind', async () => {
    const model = new ToyFlow();
    const tensors = tf.memory().numTensors;
    const onBatchEnd = () => Promise.reject(new Error('mine'));
    await expect(
      fit(model, toyData(16), { progress: 'none', average: 0.9, callbacks: { onBatchEnd } }),
    ).rejects.toThrow('mine');
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });

  it('see the event loop run', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await run({ epochs: 20, yieldEvery: 'step' });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });
});

describe('ProgressBar', () => {
  const report: Progress = {
    epoch: 1,
    epochs: 10,
    step: 36,
    steps: 240,
    stepInEpoch: 12,
    stepsPerEpoch: 24,
    loss: 2.4123,
    lossUnit: 'bits/dim',
    exampleKind: 'images',
    examplesPerSecond: 1250.4,
    secondsLeft: 3725,
    epochEnd: false,
  };

  function shown(style: 'auto' | 'bar' | 'lines' | 'none', isTTY: boolean, reports: [Progress, number][]) {
    const written: string[] = [];
    let now = 0;
    const stream = { isTTY, columns: 120, write: (text: string) => void written.push(text) };
    const bar = new ProgressBar(style, stream, () => now);
    for (const [progress, time] of reports) {
      now = time;
      bar.show(progress);
    }
    return written;
  }

  it('draws a bar on a terminal, ten times a second, and a line at the end of an epoch', () => {
    const end = { ...report, stepInEpoch: 24, validationLoss: 2.43, secondsLeft: 59.6, epochEnd: true };
    expect(
      shown('auto', true, [
        [report, 0],
        [report, 50],
        [end, 60],
      ]),
    ).toEqual([
      '\repoch 2/10 [=========>          ] 12/24  2.412 bits/dim  1,250 images/s  1:02:05 left\x1b[K',
      '\repoch 2/10 [====================] 24/24  2.412 bits/dim  validation 2.430  1,250 images/s  1:00 left\x1b[K\n',
    ]);
  });

  it('writes plain lines elsewhere: every ten seconds and at the end of an epoch', () => {
    const end = { ...report, stepInEpoch: 24, epochEnd: true, secondsLeft: undefined };
    const open = {
      ...report,
      epochs: undefined,
      stepsPerEpoch: undefined,
      examplesPerSecond: 3.14159,
      loss: -1.5,
    };
    expect(
      shown('auto', false, [
        [report, 0],
        [report, 5000],
        [open, 10_000],
        [end, 10_001],
      ]),
    ).toEqual([
      'epoch 2 step 12  -1.500 bits/dim  3.1 images/s  1:02:05 left\n',
      'epoch 2/10 step 24/24  2.412 bits/dim  1,250 images/s\n',
    ]);
  });

  it('is silent where asked, and where there is no terminal at all', () => {
    expect(shown('none', true, [[{ ...report, epochEnd: true }, 0]])).toEqual([]);
    expect(() => new ProgressBar('bar', undefined).show({ ...report, epochEnd: false })).not.toThrow();
  });

  it('cuts a line to the width of the terminal', () => {
    const written: string[] = [];
    const bar = new ProgressBar('bar', { columns: 20, write: (text) => void written.push(text) }, () => 0);
    bar.show(report);
    expect(written[0]).toBe('\repoch 2/10 [=======\x1b[K');
  });
});
