import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Glow, type GlowOptions, RandomStream } from 'tfjs-flows';
import { beforeEach, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const small: GlowOptions = {
  imageShape: [8, 4, 3],
  levels: 2,
  stepsPerLevel: 2,
  hiddenChannels: 8,
  nBits: 5,
  seed: 1,
};

/** Random images, and a Glow initialized on them with weights moved off zero. */
function setUp(options: GlowOptions = small): { glow: Glow; images: tf.Tensor; random: RandomStream } {
  const glow = new Glow(options);
  const random = new RandomStream(7);
  const images = tf.tidy(() =>
    tf.floor(random.uniform([6, ...options.imageShape], 0, 2 ** (options.nBits ?? 8))),
  );
  const context = options.classes ? tf.zeros([6, options.classes]) : undefined;
  glow.initializeFrom({ x: images, context }, random);
  context?.dispose();
  for (const weight of glow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.05))));
  }
  return { glow, images, random };
}

const read = (x: tf.Tensor) => {
  const values = Array.from(x.dataSync());
  x.dispose();
  return values;
};

const variants: [string, Partial<GlowOptions>][] = [
  ['affine, LU', {}],
  ['additive, full matrix', { coupling: 'additive', lu: false }],
  ['reverse, one channel, square, 8 bits', { imageShape: [4, 4, 1], permutation: 'reverse', nBits: 8 }],
  ['shuffle, exp scale, five channels', { imageShape: [4, 8, 5], permutation: 'shuffle', scale: 'exp' }],
  ['edge padding, biases, spatial prior', { padding: 'edge', networkActnorm: false, learnTop: 'spatial' }],
  ['logit, fixed top, one level', { preprocessing: 'logit', learnTop: false, levels: 1 }],
];

describe('Glow', () => {
  it.each(variants)('%s: decode(encode(x)) is x, exactly', (_, options) => {
    const { glow, images } = setUp({ ...small, ...options });
    const z = glow.encode(images);
    expect(z.shape).toEqual([6, images.size / 6]);
    const back = glow.decode(z);
    expect(back.dataSync()).toEqual(images.dataSync());
    for (const tensor of [z, back, images]) tensor.dispose();
    glow.dispose();
  });

  it('lays its latents out level by level, and the layout covers z', () => {
    const { glow, images } = setUp({ ...small, imageShape: [16, 8, 1], levels: 3 });
    expect(glow.latentLayout).toEqual([
      { level: 0, offset: 0, size: 64, shape: [8, 4, 2] },
      { level: 1, offset: 64, size: 32, shape: [4, 2, 4] },
      { level: 2, offset: 96, size: 32, shape: [2, 1, 16] },
    ]);
    images.dispose();
    glow.dispose();
  });

  it('bits per dimension are nats of the levels over D ln 2, whatever nBits', () => {
    const { glow, images } = setUp();
    const nats = read(glow.logProb(images, { seed: 3 }));
    const bits = read(glow.bitsPerDim(images, { seed: 3 }));
    bits.forEach((value, i) => {
      expect(value).toBeCloseTo(-nats[i] / (96 * Math.LN2), 4);
    });
    images.dispose();
    glow.dispose();
  });

  it('sees new noise at every call, the same for the same seed', () => {
    const { glow, images } = setUp();
    const first = read(glow.bitsPerDim(images));
    expect(read(glow.bitsPerDim(images))).not.toEqual(first);
    expect(read(glow.bitsPerDim(images, { seed: 5 }))).toEqual(read(glow.bitsPerDim(images, { seed: 5 })));
    images.dispose();
    glow.dispose();
  });

  it('samples levels in range; one temperature per level scales that level alone', () => {
    const { glow, images } = setUp();
    const samples = read(glow.sample(5, { seed: 2 }));
    expect(samples).toHaveLength(5 * 96);
    for (const level of samples) expect(Number.isInteger(level) && level >= 0 && level < 32).toBe(true);
    const same = read(glow.sample(5, { seed: 2, temperature: [1, 1] }));
    expect(same).toEqual(samples);
    const mode = read(glow.sample(2, { seed: 2, temperature: [0, 0] }));
    expect(mode.slice(0, 96)).toEqual(mode.slice(96));
    expect(() => glow.sample(1, { temperature: [1, 1, 1] })).toThrow('1 or 2 temperatures, one per level');
    images.dispose();
    glow.dispose();
  });

  it('interpolates from one image to the other', () => {
    const { glow, images } = setUp();
    const [a, b] = [tf.slice(images, 0, 1), tf.slice(images, 1, 1)];
    for (const path of ['linear', 'spherical'] as const) {
      const frames = glow.interpolate(a, b, { steps: 5, path });
      expect(frames.shape).toEqual([5, 8, 4, 3]);
      const values = frames.dataSync();
      expect(values.slice(0, 96)).toEqual(a.dataSync());
      expect(values.slice(4 * 96)).toEqual(b.dataSync());
      frames.dispose();
    }
    for (const tensor of [a, b, images]) tensor.dispose();
    glow.dispose();
  });

  it('accounts for every bit: the rows and the base sum to the total', async () => {
    const { glow, images } = setUp();
    const account = await glow.account(images, { seed: 4 });
    const bits = read(glow.bitsPerDim(images, { seed: 4 }));
    const mean = bits.reduce((sum, value) => sum + value, 0) / bits.length;
    expect(account.total.bitsPerDim).toBeCloseTo(mean, 4);
    const sum = account.rows.reduce((total, row) => total + row.bitsPerDim, account.base.bitsPerDim);
    expect(sum).toBeCloseTo(mean, 4);
    expect(account.firstNonFinite).toBeUndefined();
    expect(account.rows.map((row) => row.name)).toContain('bijector/multiscale/level0/step1/coupling');
    const conv = account.rows.find((row) => row.kind === 'InvConv1x1');
    expect(conv?.conditionNumber).toBeGreaterThanOrEqual(1);
    for (const row of account.rows) expect(row.roundTripError).toBeLessThan(1e-3);
    expect(String(account)).toContain('bits/dim');
    images.dispose();
    glow.dispose();
  });

  it('names the layer where the first NaN appears', async () => {
    const { glow, images, random } = setUp();
    const target = glow.weights.find(({ name }) => name.endsWith('level1/step0/actnorm/bias'));
    target?.variable.assign(tf.fill(target.variable.shape, Number.NaN));
    const layer = await glow.locateNonFinite({ x: images }, random);
    expect(layer).toBe('bijector/multiscale/level1/step0/actnorm');
    expect((await glow.account(images)).firstNonFinite).toBe('bijector/multiscale/level1/step0/actnorm');
    images.dispose();
    glow.dispose();
  });

  it('summarizes its layers and counts every parameter', () => {
    const { glow, images } = setUp();
    let text = '';
    glow.summary((line) => {
      text += line;
    });
    expect(text).toContain('bijector/multiscale/level1/step1/coupling');
    const listed = text
      .split('\n')
      .slice(1, -1)
      .map((line) => Number(line.trim().split(/\s+/).pop()?.replace(/,/g, '')));
    expect(listed.reduce((sum, count) => sum + count, 0)).toBe(glow.parameterCount);
    images.dispose();
    glow.dispose();
  });

  it('leaks no tensor in any public method, and dispose frees all', async () => {
    await leavesNoTensors(async () => {
      const { glow, images, random } = setUp({ ...small, classes: 3 });
      const context = [0, 1, 2, 0, 1, 2];
      const before = tf.memory().numTensors;
      const z = glow.encode(images, { context });
      for (const result of [
        z,
        glow.decode(z, { context }),
        glow.logProb(images, { context }),
        glow.bitsPerDim(images, { context }),
        glow.sample(2, { context: 1 }),
        glow.interpolate(
          tf.tidy(() => tf.slice(images, 0, 1)),
          tf.tidy(() => tf.slice(images, 1, 1)),
          { context: 0, steps: 2 },
        ),
        glow.classify(images),
      ]) {
        result.dispose();
      }
      await glow.account(images, { context });
      glow.summary(() => {});
      const labels = tf.tensor1d(context, 'int32');
      glow.checkBatch({ x: images, context: labels });
      await glow.locateNonFinite({ x: images, context: labels }, random);
      labels.dispose();
      // The two slices handed to interpolate are the caller's.
      expect(tf.memory().numTensors - before).toBe(2);
      tf.dispose(images);
      glow.dispose();
      return 2;
    });
  });
});

describe('Glow with classes', () => {
  const options: GlowOptions = { ...small, classes: 3, classWeight: 0.5 };

  it('conditions its prior, and only its prior, on the class', () => {
    const { glow, images } = setUp(options);
    const z0 = glow.encode(images, { context: 0 });
    const z1 = glow.encode(images, { context: [1, 1, 1, 1, 1, 1] });
    const [left, right] = [z0, z1].map((z) => z.arraySync() as number[][]);
    const top = glow.latentLayout[1].offset;
    expect(left[0].slice(0, top)).toEqual(right[0].slice(0, top));
    expect(left[0].slice(top)).not.toEqual(right[0].slice(top));
    const back = glow.decode(z1, { context: 1 });
    expect(back.dataSync()).toEqual(images.dataSync());
    for (const tensor of [z0, z1, back, images]) tensor.dispose();
    glow.dispose();
  });

  it('adds the weighted cross-entropy of its classifier, in bits', () => {
    const { glow, images } = setUp(options);
    const labels = tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32');
    tf.tidy(() => {
      const { loss, metrics } = glow.loss({ x: images, context: labels }, new RandomStream(3));
      const expected = metrics.bitsPerDim.dataSync()[0] + 0.5 * metrics.classBits.dataSync()[0];
      expect(loss.dataSync()[0]).toBeCloseTo(expected, 5);
      const probabilities = glow.classify(images).arraySync();
      const bits = probabilities.map((row, i) => -Math.log2(row[[0, 1, 2, 0, 1, 2][i]]));
      // 0.05: classify takes the middle of each bin, the loss one draw of noise.
      expect(metrics.classBits.dataSync()[0]).toBeCloseTo(bits.reduce((sum, bit) => sum + bit, 0) / 6, 1);
      for (const row of probabilities) expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    });
    for (const tensor of [labels, images]) tensor.dispose();
    glow.dispose();
  });

  it('takes several classes per image where told so', () => {
    const { glow, images } = setUp({ ...options, multiLabel: true });
    const labels = tf.tensor2d([
      [1, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
      [1, 1, 1],
      [1, 0, 1],
      [0, 0, 1],
    ]);
    tf.tidy(() => {
      const { metrics } = glow.loss({ x: images, context: labels }, new RandomStream(3));
      const yes = glow.classify(images).arraySync();
      const given = labels.arraySync();
      const bits = yes.map((row, i) =>
        row.reduce((sum, p, j) => sum - Math.log2(given[i][j] === 1 ? p : 1 - p), 0),
      );
      expect(metrics.classBits.dataSync()[0]).toBeCloseTo(bits.reduce((sum, bit) => sum + bit, 0) / 6, 1);
    });
    for (const tensor of [labels, images]) tensor.dispose();
    glow.dispose();
  });

  it('learns to classify through its own gradient', () => {
    const { glow, images } = setUp(options);
    const labels = tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32');
    const { grads, value } = tf.variableGrads(
      () => glow.loss({ x: images, context: labels }, new RandomStream(3)).loss,
      glow.trainableWeights,
    );
    expect(Object.keys(grads)).toHaveLength(glow.trainableWeights.length);
    tf.dispose([grads, value, labels, images] as never);
    glow.dispose();
  });

  it('keeps its shuffled orders in its configuration', () => {
    tf.tidy(() => {
      const options: GlowOptions = { ...small, permutation: 'shuffle', seed: undefined };
      const glow = new Glow(options);
      const copy = new Glow(glow.getConfig() as unknown as GlowOptions);
      copy.weights.forEach(({ variable }, i) => {
        variable.assign(glow.weights[i].variable);
      });
      const images = tf.floor(new RandomStream(3).uniform([2, 8, 4, 3], 0, 32));
      expect(copy.encode(images).dataSync()).toEqual(glow.encode(images).dataSync());
      glow.dispose();
      copy.dispose();
    });
  });
});
