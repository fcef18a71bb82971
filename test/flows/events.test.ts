import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  Classifier,
  ConfigError,
  DataError,
  Dequantize,
  decodeLatents,
  type EventArray,
  encodeLatents,
  Flow,
  type FlowError,
  Glow,
  ImageFlow,
  Matrix,
  realNvp,
  ShapeError,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeEach, describe, expect, it } from 'vitest';
import { affineFlow, valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

/** The two events [1, 2] and [-3, 4] in every form, made where the backend is there. */
const forms: [string, () => EventArray][] = [
  ['a float32 tensor', () => tf.tensor2d([1, 2, -3, 4], [2, 2])],
  ['an int32 tensor', () => tf.tensor2d([1, 2, -3, 4], [2, 2], 'int32')],
  [
    'nested arrays',
    () => [
      [1, 2],
      [-3, 4],
    ],
  ],
  ['rows as typed arrays', () => [Float32Array.of(1, 2), Float64Array.of(-3, 4)]],
  ['rows of BigInts', () => [BigInt64Array.of(1n, 2n), BigInt64Array.of(-3n, 4n)]],
  ['a float32 array', () => Float32Array.of(1, 2, -3, 4)],
  ['a float64 array', () => Float64Array.of(1, 2, -3, 4)],
  ['an int8 array', () => Int8Array.of(1, 2, -3, 4)],
  ['a BigInt array', () => BigInt64Array.of(1n, 2n, -3n, 4n)],
  ['x with its shape', () => ({ x: Float32Array.of(1, 2, -3, 4), shape: [2] })],
  [
    'x in nested arrays',
    () => ({
      x: [
        [1, 2],
        [-3, 4],
      ],
    }),
  ],
  ['data with the shape of all', () => ({ data: [1, 2, -3, 4], shape: [2, 2] })],
  [
    'a matrix',
    () =>
      Matrix.fromRows([
        [1, 2],
        [-3, 4],
      ]),
  ],
];

describe('events', () => {
  it.each(forms)('are taken as %s by every method', async (_, make) => {
    const flow = affineFlow([1, -2], [2, 1], 1);
    await leavesNoTensors(async () => {
      const x = make();
      expect(valuesOf(flow.encode(x))).toEqual([4, 0, -4, 2]);
      expect(valuesOf(flow.transform(x).value)).toEqual([4, 0, -4, 2]);
      // The same latents as data: z / [2, 1] - [1, -2].
      expect(valuesOf(flow.decode(x))).toEqual([-0.5, 4, -2.5, 6]);
      const constant = -Math.log(2 * Math.PI) + Math.log(2);
      const nats = valuesOf(flow.logProb(x));
      expect(nats[0]).toBeCloseTo(constant - 8, 5);
      expect(nats[1]).toBeCloseTo(constant - 10, 5);
      expect((await flow.account(x)).total.logProb).toBeCloseTo(constant - 9, 5);
      expect([...(await encodeLatents(flow, x, { batchSize: 1 })).data]).toEqual([4, 0, -4, 2]);
      expect(valuesOf(await decodeLatents(flow, x, { batchSize: 1 }))).toEqual([-0.5, 4, -2.5, 6]);
      if (x instanceof tf.Tensor) x.dispose();
      return 1; // The log-determinant of `transform`.
    });
    flow.dispose();
  });

  it('that are integers or booleans give the numbers of floats in fused kernels, too', async () => {
    await prepareWasm({ threads: 1 });
    const flow = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], seed: 1 });
    for (const weight of flow.trainableWeights) {
      tf.tidy(() => weight.assign(tf.add(weight, tf.fill(weight.shape, 0.1))));
    }
    const [floats, integers] = ['float32', 'int32'].map((dtype) =>
      tf.tensor2d([1, 2, -3, 4], [2, 2], dtype as 'int32'),
    );
    const [zeros, booleans] = [tf.tensor2d([[0, 1]]), tf.tensor2d([[false, true]], [1, 2], 'bool')];
    expect(valuesOf(flow.logProb(integers))).toEqual(valuesOf(flow.logProb(floats)));
    expect(valuesOf(flow.logProb(booleans))).toEqual(valuesOf(flow.logProb(zeros)));
    expect(valuesOf(flow.decode(integers))).toEqual(valuesOf(flow.decode(floats)));
    tf.dispose([floats, integers, zeros, booleans]);
    flow.dispose();
  });

  it('that are images are levels in any form', () => {
    tf.tidy(() => {
      const options = {
        imageShape: [4, 4, 1],
        levels: 1,
        stepsPerLevel: 1,
        hiddenChannels: 4,
        nBits: 3,
        seed: 1,
      };
      const glow = new Glow({ ...options, classes: 2 });
      const levels = Uint8Array.from({ length: 32 }, (_, i) => i % 8);
      const nested = Array.from({ length: 2 }, () =>
        Array.from({ length: 4 }, (_, row) =>
          Array.from({ length: 4 }, (_, column) => [(4 * row + column) % 8]),
        ),
      );
      const bits = valuesOf(glow.bitsPerDim(nested, { seed: 2, context: 1 }));
      expect(bits).toHaveLength(2);
      expect(valuesOf(glow.bitsPerDim(levels, { seed: 2, context: 1 }))).toEqual(bits);
      expect(valuesOf(glow.classify(levels))).toEqual(valuesOf(glow.classify(nested)));
      const [first, second] = [levels.subarray(0, 16), nested[1]];
      expect(glow.interpolate(first, second, { steps: 3, context: 1 }).shape).toEqual([3, 4, 4, 1]);
      glow.dispose();
    });
  });

  const flow = () => affineFlow([1, -2], [2, 1]);
  const colour = () => new ImageFlow({ bijector: new ActNorm({ inputShape: [4, 4, 3] }) });
  const stamps = () => Array.from({ length: 64 }, (_, i) => [1.7e12 + i, 0]);
  const refused: [string, () => unknown, new (...args: never[]) => FlowError, string][] = [
    [
      'one event',
      () => flow().logProb([1, 2]),
      ShapeError,
      'Flow.logProb: expected [batch, 2], got [2]. One event? Wrap it: [x].',
    ],
    [
      'one event as tensor',
      () => flow().encode(tf.tensor1d([1, 2])),
      ShapeError,
      'Flow.encode: expected [batch, 2], got [2]. One event? Wrap it: tf.expandDims(x, 0).',
    ],
    ['three values', () => flow().logProb([[1, 2, 3]]), ShapeError, 'expected [batch, 2], got [1, 3].'],
    ['rows of two lengths', () => flow().logProb([[1, 2], [3]]), ShapeError, 'rows of one length'],
    [
      'records',
      () => flow().logProb([{ a: 1, b: 2 }] as never),
      DataError,
      'rows.map((row) => [row.a, row.b])',
    ],
    [
      'a promise',
      () => flow().logProb(Promise.resolve([[1, 2]]) as never),
      DataError,
      'a Promise. await it first.',
    ],
    ['text', () => flow().encode([['1', '2']] as never), DataError, "the text '1' in row 0, column 0"],
    ['a path', () => flow().encode('data.csv' as never), DataError, "the text 'data.csv'"],
    ['null', () => flow().encode(null as never), DataError, 'a missing value (null)'],
    ['nothing', () => flow().encode(undefined as never), DataError, 'a missing value (undefined)'],
    [
      'a missing value',
      () => flow().transform([[1, null]] as never),
      DataError,
      'a missing value (null) in row 0, column 1',
    ],
    [
      'more than float32 holds',
      () => flow().logProb([[1, 1e39]]),
      DataError,
      '1e+39 in row 0, column 1 of events. float32 holds',
    ],
    ['NaN', () => flow().decode([[1, Number.NaN]]), DataError, 'Flow.decode: expected finite'],
    ['an array of tensors', () => flow().logProb([tf.zeros([2])] as never), DataError, 'tf.stack(x)'],
    [
      'a tensor of texts',
      () => flow().logProb(tf.tensor2d([['a', 'b']], [1, 2], 'string')),
      DataError,
      'a tensor of string',
    ],
    ['no event', () => flow().logProb([]), DataError, 'got an empty batch'],
    [
      'whole numbers that float32 cannot tell apart',
      () => flow().logProb(stamps()),
      DataError,
      'in column 0',
    ],
    [
      'a typed array of half an event',
      () => flow().logProb(Float32Array.of(1, 2, 3)),
      DataError,
      'whole examples of 2 values, got 3 values',
    ],
    [
      'pixels of a canvas',
      () => colour().bitsPerDim(new Uint8ClampedArray(3 * 64)),
      DataError,
      'RGBA pixels of a canvas',
    ],
    [
      'channels first',
      () => colour().encode(tf.zeros([1, 3, 4, 4]).arraySync() as number[][][][]),
      ShapeError,
      '[1, 3, 4, 4]',
    ],
    [
      'flat images of another shape',
      () => colour().encode({ data: new Uint8Array(48), shape: [1, 48] }),
      ShapeError,
      '[1, 48]',
    ],
    [
      'data shorter than their shape',
      () => flow().encode({ data: [1, 2, 3], shape: [2, 2] }),
      ShapeError,
      '4 values, as their shape says, got 3',
    ],
    [
      'two events at one end',
      () =>
        flow().interpolate(
          [
            [1, 2],
            [3, 4],
          ],
          [1, 2],
        ),
      ShapeError,
      'one event at each end',
    ],
    [
      'half a sample',
      () => flow().sample(0.5),
      ConfigError,
      'Flow.sample: expected n to be an integer >= 0, got 0.5.',
    ],
    [
      'a number of samples that is none',
      () => flow().sample(undefined as never),
      ConfigError,
      'got undefined',
    ],
    ['fewer samples than none', () => flow().sampleWithLogProb(-1), ConfigError, 'got -1'],
    [
      'a path that is none',
      () => flow().interpolate([1, 2], [3, 4], { path: 'round' as never }),
      ConfigError,
      'linear, spherical',
    ],
    [
      'a dequantization that is none',
      () => flow().transform([[1, 2]], { dequantize: 'off' as never }),
      ConfigError,
      'noise, middle, none',
    ],
    [
      'an option that is none',
      () => flow().sample(1, { temprature: 2 } as never),
      ConfigError,
      "Did you mean 'temperature'?",
    ],
    [
      'a temperature below 0',
      () => flow().sample(1, { temperature: -1 }),
      ConfigError,
      'Flow.sample: expected temperatures >= 0, got -1.',
    ],
    [
      'another number of temperatures',
      () => flow().sample(1, { temperature: [1, 1] }),
      ConfigError,
      '1 or 1 temperatures',
    ],
    [
      'K of a Glow',
      () => new Glow({ imageShape: [8, 8, 1], K: 2 } as never),
      ConfigError,
      "Did you mean 'stepsPerLevel'?",
    ],
    [
      'L of a Glow',
      () => new Glow({ imageShape: [8, 8, 1], L: 2 } as never),
      ConfigError,
      "Did you mean 'levels'?",
    ],
    [
      'hidden_channels of a Glow',
      () => new Glow({ imageShape: [8, 8, 1], hidden_channels: 8 } as never),
      ConfigError,
      "Did you mean 'hiddenChannels'?",
    ],
    ['dim of a Real NVP', () => realNvp({ dim: 2 } as never), ConfigError, "Did you mean 'dimensions'?"],
    [
      'contextSize of a Real NVP',
      () => realNvp({ dimensions: 2, contextSize: 2 } as never),
      ConfigError,
      "Did you mean 'context'?",
    ],
    [
      'options of another layer and head',
      () => new Dequantize({ inputShape: [2], bits: 3 } as never),
      ConfigError,
      "Did you mean 'nBits'?",
    ],
    [
      'half a class',
      () => new Classifier({ channels: 2, classes: 0.5 }),
      ConfigError,
      'classes to be an integer',
    ],
    [
      'options of another flow',
      () => new Flow({ bijector: new ActNorm({ inputShape: [2] }), nBits: 3 } as never),
      ConfigError,
      "'nBits'",
    ],
  ];

  it.each(refused)('refuse %s', (_, run, error, message) => {
    let caught: unknown;
    try {
      run();
    } catch (thrown) {
      caught = thrown;
    }
    expect(caught).toBeInstanceOf(error);
    expect((caught as Error).message).toContain(message);
  });

  it('refuse options in place of data in fit', async () => {
    const [x, y] = [tf.zeros([4, 2]), tf.zeros([4, 1])];
    const fit = flow().fit.bind(flow()) as (...given: unknown[]) => Promise<unknown>;
    await expect(fit(x, y, { epochs: 2 })).rejects.toThrow('Labels go in as { x, y }');
    await expect(fit(x, y)).rejects.toThrow('Labels go in as { x, y }');
    tf.dispose([x, y]);
  });
});

describe('no samples at all', () => {
  it.each(['cpu', 'wasm'])('are an empty tensor on %s', async (backend) => {
    if (backend === 'wasm') await prepareWasm({ threads: 1 });
    const vectors = realNvp({ dimensions: 3, layers: 1, hiddenUnits: [4], context: 2, seed: 1 });
    const images = new Glow({
      imageShape: [4, 4, 1],
      levels: 1,
      stepsPerLevel: 1,
      hiddenChannels: 4,
      seed: 1,
    });
    await leavesNoTensors(() => {
      const empty = vectors.sample(0, { context: [1, 2] });
      const { value, logProb } = images.sampleWithLogProb(0);
      expect([empty.shape, value.shape, logProb.shape]).toEqual([[0, 3], [0, 4, 4, 1], [0]]);
      expect(valuesOf(empty)).toEqual([]);
      tf.dispose([value, logProb]);
      expect(() => vectors.sample(0)).toThrow('expected a context [2], got none');
    });
    vectors.dispose();
    images.dispose();
  });
});

describe('what is refused', () => {
  it('leaves no weight of a Glow or a Real NVP that was half built', async () => {
    const glow = { imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 4 };
    await leavesNoTensors(() => {
      expect(() => new Glow({ ...glow, nBits: 20 })).toThrow('nBits from 1 to 16');
      expect(() => new Glow({ ...glow, name: 'a/b' })).toThrow("without '/'");
      expect(() => new Glow({ ...glow, scale: 'linear' as never })).toThrow('scale');
      expect(() => new Glow({ ...glow, preprocessing: 'none' as never })).toThrow('preprocessing');
      expect(() => realNvp({ dimensions: 2, hiddenUnits: [4, -1] })).toThrow('hiddenUnits');
      expect(() => realNvp({ dimensions: 4, permutation: 'rotate' as never })).toThrow('permutation');
      expect(() => realNvp({ dimensions: 2, name: 'a/b' })).toThrow("without '/'");
    });
  });

  it('leaves no tensor where a layer throws in the middle of a pass', async () => {
    class Broken extends ActNorm {
      static override className = 'TestBrokenActNorm';
      protected override computeForward(x: tf.Tensor): never {
        tf.exp(x);
        throw new Error('broken');
      }
      protected override computeInverse(x: tf.Tensor): never {
        tf.exp(x);
        throw new Error('broken');
      }
    }
    const broken = new Flow({ bijector: new Broken({ inputShape: [2] }) });
    await leavesNoTensors(async () => {
      for (const run of [
        () => broken.logProb([[1, 2]]),
        () => broken.encode([[1, 2]]),
        () => broken.transform([[1, 2]]),
        () => broken.decode([[1, 2]]),
        () => broken.sampleWithLogProb(2),
        () => broken.interpolate([1, 2], [3, 4]),
      ]) {
        expect(run).toThrow('broken');
      }
      await expect(broken.account([[1, 2]])).rejects.toThrow('broken');
    });
    broken.dispose();
  });

  it('is no flow without a seed that is another one: unseeded flows differ', () => {
    const flows = Array.from({ length: 8 }, () => realNvp({ dimensions: 2, layers: 1, hiddenUnits: [4] }));
    const kernels = flows.map((each) => String(valuesOf(tf.clone(each.trainableWeights[2]))));
    expect(new Set(kernels).size).toBe(8);
    const samples = flows.map((each) => String(valuesOf(each.sample(1))));
    expect(new Set(samples).size).toBe(8);
    for (const each of flows) each.dispose();
  });
});
