import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, DataError, ImageFlow, RandomStream, VectorFlow } from 'tfjs-flows';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hostValues } from '../../src/engine/hostValues';
import { onlyColumnRows } from '../../src/flows/columnBounds';
import { noEvents } from '../../src/flows/columnValues';
import { readPart } from '../../src/flows/contextPart';
import { rowVerdicts, type ValueBounds } from '../../src/flows/fusedRowVerdicts';
import { readColumns } from '../../src/layers/supports/columns';
import { hasAdapter } from './adapter';
import { activate, valuesOn } from './onBoth';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Puts the values on the GPU alone. */
function onDevice<T extends tf.Tensor>(tensor: T): T {
  (tf.backend() as WebGPUBackend).uploadToGPU(tensor.dataId);
  expect(hostValues(tensor)).toBeUndefined();
  return tensor;
}

const nan = (values: ArrayLike<number>) => Array.from(values, Number.isNaN);

describe.skipIf(!hasAdapter)('checks of data on webgpu', () => {
  const { NaN: no, POSITIVE_INFINITY: high, NEGATIVE_INFINITY: low } = Number;

  it.each<[ValueBounds, number[][], boolean[]]>([
    [
      { low: [0], high: [7], whole: [true] },
      [
        [0, 7],
        [1, 0.5],
        [-1, 2],
        [8, 2],
        [no, 1],
        [1, high],
        [3, 3],
      ],
      [false, true, true, true, true, true, false],
    ],
    [
      { low: [low, 0], high: [high, 1], whole: [false, false] },
      [
        [-3e38, 1],
        [high, 0.5],
        [1, no],
        [0.5, 0],
        [1, 1.5],
      ],
      [false, true, true, false, true],
    ],
  ])('are those of ops: %j', async (bounds, rows, expected) => {
    for (const on of ['cpu', 'webgpu'] as const) {
      const [verdicts] = await valuesOn(on, () => [rowVerdicts(tf.tensor2d(rows), bounds)]);
      expect(nan(verdicts)).toEqual(expected);
      expect(verdicts.filter((value) => !Number.isNaN(value)).every((value) => value === 0)).toBe(true);
    }
  });

  it('look at a long row whole', async () => {
    const row = (place: number) => Array.from({ length: 777 }, (_, i) => (i === place ? 0.5 : 1));
    const rows = [row(-1), row(0), row(256), row(776)];
    const bounds = { low: [0], high: [1], whole: [true] };
    const [verdicts] = await valuesOn('webgpu', () => [rowVerdicts(tf.tensor2d(rows), bounds)]);
    expect(nan(verdicts)).toEqual([false, true, true, true]);
  });

  it('of images are made where the images are', async () => {
    await activate('webgpu');
    const flow = new ImageFlow({ bijector: new ActNorm({ inputShape: [2, 2, 1] }), nBits: 3 });
    const levels = [0, 7, 3, 4, 1, 2, 3, 0.5, 1, 2, 3, 8, 1, 2, 3, no];
    const read = vi.spyOn(tf.backend(), 'readSync');
    const images = onDevice(tf.tensor4d(levels, [4, 2, 2, 1]));
    const known = flow.logProb({ shape: [1, 2, 2, 1], data: levels.slice(0, 4) } as never, { seed: 1 });
    const results = [
      flow.logProb(images, { seed: 1 }),
      flow.bitsPerDim(images, { seed: 1 }),
      tf.tidy(() => tf.sum(tf.reshape(flow.encode(images), [4, -1]), 1)),
    ];
    expect(read.mock.results.filter(({ type }) => type === 'throw')).toEqual([]);
    const [expected] = await known.data();
    for (const result of results) {
      expect(nan(await result.data())).toEqual([false, true, true, true]);
    }
    expect((await results[0].data())[0]).toBeCloseTo(expected, 4);
    // What the host has is told by an error, as everywhere.
    expect(() => flow.logProb(tf.tensor4d(levels, [4, 2, 2, 1]))).toThrow(DataError);
    // In `fit` what a source computes is looked at by the host: an error, not NaN.
    const source = () => [onDevice(tf.tensor4d([0.1, 0.2, 0.3, 0.4], [1, 2, 2, 1]))];
    await expect(flow.fit({ [Symbol.iterator]: () => source()[Symbol.iterator]() }, {})).rejects.toThrow(
      'whole numbers',
    );
    tf.dispose([images, known, ...results]);
    flow.dispose();
  });

  it('of columns find the rows that the host finds', async () => {
    await activate('webgpu');
    const columns = readColumns('test', {
      columns: ['free', 'size', 'share', 'count', 'kind', 'angle', 'early', 'late', 'part', 'rest'],
      supports: {
        size: 'positive',
        share: [0, 1],
        count: { integer: [0, 9] },
        kind: { categories: 3 },
        angle: 'circular',
        early: 'ordered',
        late: 'ordered',
        part: 'simplex',
        rest: 'simplex',
      },
    });
    const random = new RandomStream(3);
    const good = () => [random.normalNumber(), 2, 0.5, 4, 1, 1, -1, 3, 0.2, 0.8];
    const bad: [number, number][] = [
      [0, no],
      [0, high],
      [1, 0],
      [1, -1],
      [2, 0],
      [2, 1],
      [2, 1.1],
      [3, 2.5],
      [3, 10],
      [4, 3],
      [4, -1],
      [5, 4],
      [7, -1],
      [7, -2],
      [8, 0],
      [9, 0.9],
    ];
    const rows = bad.flatMap(([column, value]) => [good(), good().map((v, j) => (j === column ? value : v))]);
    const off = new Set(noEvents(columns, rows.flat()));
    expect(off.size).toBe(bad.length);
    const x = onDevice(tf.tensor2d(rows));
    const checked = onlyColumnRows(x, columns);
    const values = await checked.data();
    rows.forEach((row, i) => {
      const received = values.slice(i * row.length, (i + 1) * row.length);
      expect(nan(received)).toEqual(row.map(() => off.has(i)));
    });
    tf.dispose([x, checked]);
  });

  it('of finite vectors leave no number where there was infinity', async () => {
    await activate('webgpu');
    const flow = new VectorFlow({ bijector: new ActNorm({ inputShape: [2] }) });
    const x = onDevice(tf.tensor2d([1, 2, high, 1, low, 1, 0, 0], [4, 2]));
    const logProb = flow.logProb(x);
    expect(nan(await logProb.data())).toEqual([false, true, true, false]);
    tf.dispose([x, logProb]);
    flow.dispose();
  });

  it('of classes give no label for what is none', async () => {
    await activate('webgpu');
    const numbers = onDevice(tf.tensor1d([0, 2, 3, -1, 0.5, no]));
    const rows = tf.tidy(() => readPart('test', 'labels', [3], true, numbers).slice(0, 6));
    const values = [...(await rows.data())];
    expect(values.slice(0, 6)).toEqual([1, 0, 0, 0, 0, 1]);
    expect(nan(values.slice(6))).toEqual(Array(12).fill(true));
    tf.dispose([numbers, rows]);
  });
});
