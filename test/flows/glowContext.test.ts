import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Context,
  ConvolutionNetwork,
  Glow,
  type GlowOptions,
  loadFlow,
  MultilayerPerceptron,
  RandomStream,
  reversibleGradients,
  storedGradients,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler } from '../training/toys';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const small: GlowOptions = {
  imageShape: [8, 4, 1],
  levels: 2,
  stepsPerLevel: 1,
  hiddenChannels: 4,
  nBits: 4,
  seed: 1,
};

function make(options: Partial<GlowOptions>): Glow {
  const glow = new Glow({ ...small, ...options });
  const random = new RandomStream(5);
  glow.markInitialized();
  for (const weight of glow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.2))));
  }
  return glow;
}

const levels = Uint8Array.from({ length: 2 * 32 }, (_, i) => (7 * i) % 16);
const random = new RandomStream(8);
const pictures = Float32Array.from(random.normalArray(2 * 32));

const variants: [string, () => Partial<GlowOptions>, Context, Context][] = [
  [
    'a vector',
    () => ({ context: 3 }),
    [
      [1, 2, 3],
      [0, 1, 0],
    ],
    [
      [1, 2, 3],
      [0, 1, 1],
    ],
  ],
  [
    'an image',
    () => ({ context: [8, 4, 1] }),
    pictures,
    pictures.map((value, i) => (i < 32 ? value : -value)),
  ],
  [
    'a vector and classes',
    () => ({ context: { pose: 2 }, classes: 3 }),
    {
      labels: [0, 2],
      pose: [
        [1, 2],
        [3, 4],
      ],
    },
    {
      labels: [0, 2],
      pose: [
        [1, 2],
        [3, 5],
      ],
    },
  ],
  [
    'a vector, an image and classes',
    () => ({ context: { pose: 2, depth: [8, 4, 1] }, classes: 3 }),
    { labels: [0, 2], pose: [1, 2], depth: pictures },
    { labels: [0, 1], pose: [1, 2], depth: pictures },
  ],
  [
    'an embedded vector',
    () => ({
      context: 3,
      embed: new MultilayerPerceptron({ inputShape: [3], units: 2, hiddenUnits: [4], seed: 2 }),
    }),
    [
      [1, 2, 3],
      [0, 1, 0],
    ],
    [
      [1, 2, 3],
      [0, 1, 1],
    ],
  ],
  [
    'an embedded image by name, and classes',
    () => ({
      classes: 3,
      context: { depth: [8, 4, 1] },
      embed: {
        depth: new ConvolutionNetwork({ inputShape: [8, 4, 1], filters: 2, hiddenChannels: 4, seed: 2 }),
      },
    }),
    { labels: 1, depth: pictures },
    { labels: 1, depth: pictures.map((value, i) => (i < 32 ? value : -value)) },
  ],
];

describe('a Glow conditioned on', () => {
  it.each(variants)(
    '%s: exact both ways, event by event, saved and loaded',
    async (_, options, context, changed) => {
      await leavesNoTensors(async () => {
        const glow = make(options());
        const z = glow.encode(levels, { context });
        expect(valuesOf(glow.decode(z, { context }))).toEqual([...levels]);
        // The second event alone was conditioned on something else.
        const [one, other] = [valuesOf(z), valuesOf(glow.encode(levels, { context: changed }))];
        expect(other.slice(0, 32)).toEqual(one.slice(0, 32));
        expect(other.slice(32)).not.toEqual(one.slice(32));
        const bits = valuesOf(glow.bitsPerDim(levels, { context, seed: 1 }));
        expect((await glow.account(levels, { context, seed: 1 })).total.bitsPerDim).toBeCloseTo(
          (bits[0] + bits[1]) / 2,
          4,
        );
        const file = memoryHandler();
        await glow.save(file);
        const copy = await loadFlow<Glow>(file);
        expect(copy.contextShape).toEqual(glow.contextShape);
        expect(valuesOf(copy.bitsPerDim(levels, { context, seed: 1 }))).toEqual(bits);
        copy.dispose();
        glow.dispose();
      });
    },
  );

  it.each(variants)('%s: gradients of every weight by both methods', async (_, options, context) => {
    const glow = make(options());
    await leavesNoTensors(() => {
      tf.tidy(() => {
        const x = tf.tensor(Float32Array.from(levels), [2, 8, 4, 1]);
        const rows = glow.readContext('test', context);
        // One row for all events is for passes; batches have one per event.
        const given = rows?.tensors() as tf.Tensor | Record<string, tf.Tensor>;
        const each = (part: tf.Tensor) => (part.shape[0] === 2 ? part : tf.concat([part, part]));
        const batch = {
          x,
          context:
            given instanceof tf.Tensor
              ? each(given)
              : Object.fromEntries(Object.entries(given).map(([name, part]) => [name, each(part)])),
        };
        const stored = storedGradients(glow, batch, new RandomStream(1)).gradients;
        const reversible = reversibleGradients(glow, batch, new RandomStream(1)).gradients;
        stored.forEach((gradient, i) => {
          const [a, b] = [gradient, reversible[i]].map((values) => values?.dataSync() ?? new Float32Array());
          expect(a.length, glow.weights.filter(({ trainable }) => trainable)[i].name).toBeGreaterThan(0);
          a.forEach((value, j) => {
            expect(Math.abs(value - b[j])).toBeLessThan(1e-4 * (1 + Math.abs(value)));
          });
        });
      });
    });
    glow.dispose();
  });

  it('an image sees its averages over 2 x 2 positions at the first level, over 4 x 4 at the second', async () => {
    const glow = make({ context: [8, 4, 1] });
    const checkered = Float32Array.from({ length: 32 }, (_, i) =>
      (Math.floor(i / 4) + i) % 2 === 0 ? 1 : -1,
    );
    const nothing = new Float32Array(32);
    const image = levels.subarray(0, 32);
    const read = (context: Context) => valuesOf(glow.encode(image, { context }));
    // What the layers get, by value: rows of averages.
    const rising = Float32Array.from({ length: 32 }, (_, i) => i);
    const layers = tf.tidy(() => {
      type Hook = { toContext(method: string, context: Context, n: number): Record<string, tf.Tensor> };
      const { level0, level1 } = (glow as unknown as Hook).toContext('encode', rising, 1);
      return [level0.arraySync(), level1.arraySync()];
    });
    // Position (r, c) holds 4 r + c, so an average over a block is that at its middle.
    const block = (row: number, column: number, size: number) => [
      4 * (size * row + (size - 1) / 2) + size * column + (size - 1) / 2,
    ];
    expect(layers).toEqual([
      [[0, 1, 2, 3].map((row) => [0, 1].map((column) => block(row, column, 2)))],
      [[0, 1].map((row) => [block(row, 0, 4)])],
    ]);
    // A checkerboard averages to 0 over 2 x 2.
    read(nothing).forEach((value, i) => {
      expect(read(checkered)[i]).toBeCloseTo(value, 5);
    });
    // Columns in pairs average to 0 over 4 x 4 alone: the first level sees them.
    const pairs = Float32Array.from({ length: 32 }, (_, i) => (i % 4 < 2 ? 1 : -1));
    const [flat, striped] = [read(nothing), read(pairs)];
    expect(striped.slice(0, 16).some((value, i) => Math.abs(value - flat[i]) > 1e-3)).toBe(true);
    const account = await glow.account(image, { context: pairs });
    const couplings = account.rows.filter(({ kind }) => kind === 'AffineCoupling').map((row) => row.context);
    expect(couplings).toEqual(['level0 [4, 2, 1]', 'level1 [2, 1, 1]']);
    glow.dispose();
  });

  it('classes and more: the classifier needs the rest of the context, and never sees the label', () => {
    const glow = make({ context: { pose: 2 }, classes: 3 });
    const pose = [
      [1, 2],
      [3, 4],
    ];
    const probabilities = valuesOf(glow.classify(levels, { context: { pose } }));
    expect(probabilities).toHaveLength(6);
    expect(
      valuesOf(
        glow.classify(levels, {
          context: {
            pose: [
              [1, 2],
              [3, 0],
            ],
          },
        }),
      ).slice(3),
    ).not.toEqual(probabilities.slice(3));
    expect(() => glow.classify(levels)).toThrow("no part 'pose'");
    tf.tidy(() => {
      const x = tf.tensor(Float32Array.from(levels), [2, 8, 4, 1]);
      const bits = (labels: number[]) => {
        const batch = { x, context: { pose: tf.tensor2d(pose), labels: tf.tensor1d(labels, 'int32') } };
        return glow.loss(batch, new RandomStream(1)).metrics.classBits.dataSync()[0];
      };
      // The classes' probabilities sum to 1 over all labels only where no label moves them.
      const p = [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => 2 ** (-2 * bits([a, b]))));
      expect(p.reduce((total, value) => total + value, 0)).toBeCloseTo(1, 4);
    });
    glow.dispose();
  });

  it('what no Glow can read is refused at construction, without a leak', async () => {
    await leavesNoTensors(() => {
      expect(() => new Glow({ ...small, context: 3, classes: 2 })).toThrow(
        "Give it a name beside the classes' part 'labels'",
      );
      expect(() => new Glow({ ...small, context: { labels: 3 }, classes: 2 })).toThrow('a name of its own');
      expect(() => new Glow({ ...small, context: [4, 4, 1] })).toThrow('a vector [d] or an image [8, 4, c]');
      expect(() => new Glow({ ...small, context: [2, 3] })).toThrow('Bring it to one of them with `embed`.');
      expect(() => new Glow({ ...small, context: 0 })).toThrow('positive integers');
    });
  });

  it('an embedding with actnorm: initialized on the contexts of the first batch', async () => {
    const embed = new ConvolutionNetwork({ inputShape: [8, 4, 1], filters: 2, hiddenChannels: 4, seed: 2 });
    const glow = new Glow({ ...small, context: [8, 4, 1], embed });
    await glow.fit(
      { x: levels, shape: [8, 4, 1], context: pictures, contextShape: [8, 4, 1] },
      { steps: 2, seed: 1, progress: 'none' },
    );
    expect(embed.initialized).toBe(true);
    const norm = glow.weights.find(({ name }) => name === 'embed/network/firstNorm/bias');
    expect(norm?.variable.dataSync().some((value) => value !== 0)).toBe(true);
    glow.dispose();
  });
});
