import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, DataError, evaluate, type FitData, fit, RandomStream, ShapeError } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { numbers, ToyFlow, ToyMean, toyData } from './toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const quiet = { progress: 'none', gradients: 'stored', seed: 1 } as const;

/** The batches that a model without noise saw in one epoch, in order. */
async function seen(data: unknown, options: object = {}) {
  const model = new ToyMean();
  await fit(model, data as FitData, { ...quiet, shuffle: false, batchSize: 2, ...options });
  model.dispose();
  return model.seen.map(({ x, context }) => (context === undefined ? x : { x, context }));
}

async function refusal(data: unknown, options: object = {}): Promise<Error> {
  let error: Error | undefined;
  await leavesNoTensors(async () => {
    const model = new ToyMean();
    error = await fit(model, data as FitData, { ...quiet, ...options }).then(
      () => expect.fail('fit accepted it'),
      (reason) => reason,
    );
    expect(model.seen).toHaveLength(0);
    model.dispose();
  });
  return error as Error;
}

describe('examples', () => {
  it('are the same in every form', async () => {
    const expected = [[0, 1], [2, 3], [4]];
    const rows = numbers(5);
    const flat = rows.flat();
    const shape = [1];
    const forms: Record<string, unknown> = {
      'rows that are float32 arrays': rows.map((row) => Float32Array.from(row)),
      'rows that are arrays of big integers': rows.map((row) => BigInt64Array.from(row.map(BigInt))),
      'big integers': { x: BigInt64Array.from(flat.map(BigInt)), shape },
      'unsigned big integers': { x: BigUint64Array.from(flat.map(BigInt)), shape },
      bytes: { x: Uint8Array.from(flat), shape },
      'an int32 tensor': tf.tensor2d(rows, [5, 1], 'int32'),
      'a flat tensor with a shape': { x: tf.tensor1d(flat), shape },
      xs: { xs: rows },
      'batches of rows': () => [{ x: [[0], [1]] }, { xs: [[2], [3]] }, [Float32Array.of(4)]],
      'batches of an image dataset': () =>
        [0, 2, 4].map((at) => ({ x: rows.slice(at, at + 2), indices: [at] })),
      'batches of typed arrays': () => [
        { x: Int16Array.of(0, 1), shape },
        { x: BigInt64Array.of(2n, 3n), shape },
        { x: Float64Array.of(4), shape },
      ],
      'int32 tensors': () => [
        tf.tensor2d([[0], [1]], [2, 1], 'int32'),
        tf.tensor2d([[2], [3]]),
        tf.tensor2d([[4]]),
      ],
    };
    for (const [form, data] of Object.entries(forms)) expect(await seen(data), form).toEqual(expected);
    expect(await seen(tf.tensor2d([[1], [0]], [2, 1], 'bool'))).toEqual([[1, 0]]);
    expect(await seen([[true], [false]])).toEqual([[1, 0]]);
  });

  it('come to the model as float32, whatever they were', async () => {
    const dtypes: string[] = [];
    class Watching extends ToyMean {
      override checkBatch(batch: Parameters<ToyMean['checkBatch']>[0]): void {
        dtypes.push(batch.x.dtype);
      }
    }
    const model = new Watching();
    const int = tf.tensor2d([[1], [2]], [2, 1], 'int32');
    await fit(model, int, quiet);
    await fit(model, () => [tf.clone(int)], quiet);
    await evaluate(model, { x: Uint8Array.of(1, 2), shape: [1] });
    expect(new Set(dtypes)).toEqual(new Set(['float32']));
    int.dispose();
    model.dispose();
  });

  it.each<[string, unknown, new (...given: never[]) => Error, RegExp]>([
    ['null', [[1], [null]], DataError, /numbers in x, got a missing value \(null\) in row 1, column 0/],
    ["''", [[1], ['']], DataError, /got a missing value \(''\) in row 1, column 0/],
    ['text', [[1], ['2']], DataError, /got the text '2' in row 1, column 0\. Convert/],
    ['undefined', [[1], [undefined]], DataError, /got a missing value \(undefined\) in row 1/],
    ['a big integer beyond float64', [[1], [2n ** 60n + 1n]], DataError, /subtract an offset/],
    [
      'records',
      [{ a: 1, b: 2 }],
      DataError,
      /got an object \{ a, b \}.*rows\.map\(\(row\) => \[row\.a, row\.b\]\)/,
    ],
    ['a promise', Promise.resolve([[1]]), DataError, /got a Promise\. await it first/],
    ['a promise of x', { x: Promise.resolve([[1]]) }, DataError, /got a Promise\. await it first/],
    ['a promise in a row', [[1], [Promise.resolve(1)]], DataError, /got a Promise in row 1, column 0/],
    ['text tensors', tf.tensor2d([['a']]), DataError, /numbers in x, got a tensor of string/],
    [
      'a value beyond float32',
      [[1], [1e300]],
      DataError,
      /got 1e\+300 in row 1, column 0 of x\. float32 holds/,
    ],
    ['an unknown name', { x: [[1]], labels: [0] }, ConfigError, /got 'labels'\. Did you mean 'context'\?/],
    ['contexts', { x: [[1]], contexts: [0] }, ConfigError, /got 'contexts'\. Did you mean 'context'\?/],
    ['context twice', { x: [[1]], context: [0], y: [0] }, ConfigError, /context or y, got both/],
    ['x twice', { x: [[1]], xs: [[1]] }, ConfigError, /x or xs, got both/],
    [
      'another shape than rows have',
      { x: [[1]], shape: [2] },
      ShapeError,
      /the given shape \[2\], got events of \[1\]/,
    ],
    [
      'another shape than a tensor has',
      { x: tf.zeros([2, 3]), shape: [2] },
      ShapeError,
      /got events of \[3\]/,
    ],
    ['a batch with an unknown name', () => [{ x: [[1]], label: [0] }], ConfigError, /got 'label'/],
    ['a batch with a null', () => [[[1], [null]]], DataError, /numbers in x of a batch, got a missing value/],
    ['a batch of typed values without shape', () => [Float32Array.of(1)], ConfigError, /an event shape/],
  ])('with %s are refused', async (_, data, errorClass, message) => {
    const error = await refusal(data);
    expect(error).toBeInstanceOf(errorClass);
    expect(error.message).toMatch(message);
    if (typeof data === 'function') return;
    expect((await refusal(numbers(2), { validationData: data })).message).toMatch(message);
  });

  it('that are pixels of a canvas are not read as RGB', async () => {
    const rgba = new Uint8ClampedArray(3 * 4 * 4 * 4);
    const error = await refusal({ x: rgba, shape: [4, 4, 3] });
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /3 values per pixel, got RGBA pixels of a canvas.*first three of every four/,
    );
  });

  it('may be many: epochs and examples beyond the arguments of a call', async () => {
    const model = new ToyMean();
    const { loss } = await evaluate(
      model,
      { x: new Float32Array(300_000).fill(2), shape: [1] },
      { batchSize: 300_000 },
    );
    expect(loss).toBe(2);
    model.dispose();
  });
});

describe('values that float32 cannot tell apart', () => {
  const random = new RandomStream(1);
  const stamps = Array.from({ length: 64 }, () => [
    random.normalNumber(),
    1.7e12 + 6e4 * random.normalNumber(),
  ]);
  const message = /in column 1\. Subtract its mean and divide by its deviation first/;
  const train = async (data: FitData, options: object = {}) => {
    const model = new ToyFlow();
    try {
      return await fit(model, data, { ...quiet, batchSize: 16, ...options });
    } finally {
      model.dispose();
    }
  };

  it('are refused with their column before a step', async () => {
    const flat = Float64Array.from(stamps.flat());
    await expect(train(stamps)).rejects.toThrow(DataError);
    await expect(train(stamps)).rejects.toThrow(message);
    await expect(train({ x: flat, shape: [2] })).rejects.toThrow(message);
    const long = BigInt64Array.from(stamps.flat(), (value) => BigInt(Math.round(value)));
    await expect(train({ x: long, shape: [2] })).rejects.toThrow(message);
    const int = tf.tensor2d(
      stamps.map(([a, b]) => [Math.round(a), Math.round(b - 1.7e12) / 1e4 + 2e9 - 1]),
      [64, 2],
      'int32',
    );
    await expect(train(int)).rejects.toThrow(message);
    int.dispose();
    await expect(train(toyData(16), { validationData: stamps })).rejects.toThrow(
      /validationData.*in column 1/,
    );
  });

  it('in the first batch of an iterator or a dataset likewise', async () => {
    const batches = [0, 16].map((start) => stamps.slice(start, start + 16));
    await leavesNoTensors(async () => {
      await expect(train(() => batches.slice(0, 1))).rejects.toThrow(message);
      const ints = () => [
        tf.tensor2d(
          batches[0].map(([a, b]) => [a, 2e9 + (b - 1.7e12) / 1e4]),
          [16, 2],
          'int32',
        ),
      ];
      await expect(
        train(function* () {
          yield* ints();
        }),
      ).rejects.toThrow(message);
    });
    const { array } = await import('@tensorflow/tfjs-data');
    const dataset = array(batches[0]).batch(8);
    // tf.data makes float32 tensors of numbers, a few steps apart.
    await expect(train(dataset as never)).rejects.toThrow(message);
    const near = Float32Array.from([0, 1, 2, 40].flatMap((k) => [k, 2 ** 25 + 4 * k]));
    await expect(train({ x: near.slice(0, 6), shape: [2] })).rejects.toThrow(
      /2 steps of float32 apart, in column 1/,
    );
    expect((await train({ x: near, shape: [2] })).stopped).toBe('finished');
    const exact = Float32Array.of(0, 1e7, 1, 1e7 + 1, 2, 1e7 + 2);
    expect((await train({ x: exact, shape: [2] })).stopped).toBe('finished');
    const constant = Float32Array.of(1, 2 ** 30, 2, 2 ** 30);
    expect((await train({ x: constant, shape: [2] })).stopped).toBe('finished');
  });

  it('in a context too', async () => {
    const context = { x: toyData(64), context: stamps.map(([, stamp]) => stamp) };
    await expect(train(context)).rejects.toThrow(
      /context that float32 can hold, got 64 distinct values of which float32 tells \d+ apart\. Sub/,
    );
  });
});

describe('contexts', () => {
  const x = numbers(4);
  it('are the same in every form, and stay with their examples', async () => {
    const expected = [
      { x: [0, 1], context: [5, 6] },
      { x: [2, 3], context: [7, 8] },
    ];
    const labels = [5, 6, 7, 8];
    const forms: Record<string, unknown> = {
      numbers: { x, context: labels },
      y: { x, y: labels },
      ys: { xs: x, ys: labels },
      'typed array': { x, context: Int32Array.from(labels) },
      'big integers': { x, y: BigInt64Array.from(labels.map(BigInt)) },
      tensor: { x, context: tf.tensor1d(labels, 'int32') },
      batches: () => [
        { x: [[0], [1]], y: [5, 6] },
        { xs: tf.tensor2d([[2], [3]]), ys: tf.tensor1d([7, 8]) },
      ],
    };
    for (const [form, data] of Object.entries(forms)) expect(await seen(data), form).toEqual(expected);
    const shuffled = (await seen({ x, context: labels }, { shuffle: true, seed: 3 })) as {
      x: number[];
      context: number[];
    }[];
    expect(shuffled.flatMap((batch) => batch.context)).toEqual(
      shuffled.flatMap((batch) => batch.x.map((v) => v + 5)),
    );
  });

  it('have parts by name, each with its own shape and dtype', async () => {
    const batches: Record<string, [number[], string, number[]]>[] = [];
    class Watching extends ToyMean {
      override loss(batch: Parameters<ToyMean['loss']>[0]) {
        const parts = Object.entries(batch.context as Record<string, tf.Tensor>);
        batches.push(
          Object.fromEntries(parts.map(([name, t]) => [name, [t.shape, t.dtype, [...t.dataSync()]]])),
        );
        return super.loss({ x: batch.x });
      }
    }
    const labels = Int32Array.of(3, 1, 2, 0);
    const pose = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const context = { labels, pose };
    const nested = {
      labels: tf.tensor1d([3, 1, 2, 0], 'int32'),
      pose: [
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
      ],
    };
    const first = { labels: [[2], 'int32', [3, 1]], pose: [[2, 2], 'float32', [0, 1, 2, 3]] };
    const options = { ...quiet, shuffle: false, batchSize: 2 };
    const model = new Watching();
    await fit(model, { x, context, contextShape: { pose: [2] } }, options);
    await fit(model, { x, context: nested }, options);
    await fit(
      model,
      () => [
        {
          x: x.slice(0, 2),
          context: {
            labels: Int32Array.of(3, 1),
            pose: [
              [0, 1],
              [2, 3],
            ],
          },
        },
      ],
      options,
    );
    for (const i of [0, 2, 4]) expect(batches[i]).toEqual(first);
    expect(batches[1].labels[2]).toEqual([2, 0]);
    const held = await evaluate(model, { x, context: nested }, { batchSize: 4 });
    expect(held.loss).toBeGreaterThan(0);
    nested.labels.dispose();
    model.dispose();
  });

  it.each<[string, object, RegExp]>([
    [
      'of another number',
      { x, context: { a: [1, 2, 3] } },
      /a context 'a' for each of the 4 examples, got 3/,
    ],
    [
      'with several values per example and no shape',
      { x, context: new Float32Array(8) },
      /got 8\. Several values per example need a contextShape/,
    ],
    ['without parts', { x, context: {} }, /a context with at least one part/],
    [
      'with a shape of a part that is not there',
      { x, context: { a: [1, 2, 3, 4] }, contextShape: { b: [1] } },
      /contextShape by part \(a\), got one for 'b'/,
    ],
    [
      'with one shape for all parts',
      { x, context: { a: [1, 2, 3, 4] }, contextShape: [1] },
      /by part \(a\), got one shape/,
    ],
    [
      'with shapes by name for one array',
      { x, context: [1, 2, 3, 4], contextShape: { a: [1] } },
      /one contextShape/,
    ],
    [
      'that misses a value',
      { x, context: { a: [1, null, 3, 4] } },
      /numbers in context 'a', got a missing value \(null\) at index 1/,
    ],
    ['with NaN', { x, context: [1, Number.NaN, 3, 4] }, /got NaN at index 1 of context/],
  ])('%s are refused', async (_, data, message) => {
    expect((await refusal(data)).message).toMatch(message);
  });
});
