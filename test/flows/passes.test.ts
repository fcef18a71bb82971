import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  Flow,
  Glow,
  ImageFlow,
  type Loss,
  MultiScale,
  RandomStream,
  realNvp,
  reversibleGradients,
  storedGradients,
  type Transformed,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeEach, describe, expect, it } from 'vitest';
import { affine, affineFlow, valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';

beforeEach(async () => {
  await tf.setBackend('cpu');
});

const close = (got: readonly number[], expected: readonly number[], digits = 5) => {
  expect(got).toHaveLength(expected.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], digits);
  });
};

describe('encode and decode, each alone', () => {
  it('of vectors: z = (x + shift) * scale, x = z / scale - shift', () => {
    const flow = affineFlow([1, -2], [2, 0.5]);
    expect(
      valuesOf(
        flow.encode([
          [1, 2],
          [3, 0],
        ]),
      ),
    ).toEqual([4, 0, 8, -1]);
    expect(
      valuesOf(
        flow.decode([
          [4, 0],
          [8, -1],
        ]),
      ),
    ).toEqual([1, 2, 3, 0]);
    const { value, logDet } = flow.transform([[1, 2]]);
    expect(valuesOf(value)).toEqual([4, 0]);
    close(valuesOf(logDet), [0]);
    flow.dispose();
  });

  // Three bits: level 3 is [3, 4), its middle 3.5.
  const level = 3;
  const cases: [string, ConstructorParameters<typeof ImageFlow>[0]['preprocessing'], number, number][] = [
    ['centered', 'centered', 3.5 / 8 - 0.5, -2 * Math.log(8)],
    ['unit', 'unit', 3 / 7, -2 * Math.log(7)],
    [
      'logit',
      'logit',
      Math.log((0.05 + (0.9 * 3.5) / 8) / (0.95 - (0.9 * 3.5) / 8)),
      2 * (Math.log(0.9 / 8) - Math.log((0.05 + (0.9 * 3.5) / 8) * (0.95 - (0.9 * 3.5) / 8))),
    ],
  ];

  it.each(cases)(
    'of images, %s: the middle of the bin, and the level that holds the point',
    (_, preprocessing, middle, nats) => {
      const flow = new ImageFlow({
        bijector: affine([0.25, -1], [2, 4], [1, 1, 2]),
        nBits: 3,
        preprocessing,
      });
      const levels = [[[[level, level]]]];
      const z = [(middle + 0.25) * 2, (middle - 1) * 4];
      close(valuesOf(flow.encode(levels)), z);
      const { value, logDet } = flow.transform(levels, { dequantize: 'middle' });
      close(valuesOf(value), z);
      close(valuesOf(logDet), [nats + Math.log(8)], 4);
      expect(valuesOf(flow.decode([[[z]]]))).toEqual([level, level]);
      close(valuesOf(flow.decode([[[z]]], { continuous: true })), [3.5, 3.5], 4);
      // A little to the left of the bin's right end, and beyond it.
      const at = (point: number) => {
        const u = { centered: point / 8 - 0.5, unit: (point - 0.5) / 7, logit: 0 }[preprocessing as 'unit'];
        const p = 0.05 + (0.9 * point) / 8;
        return ((preprocessing === 'logit' ? Math.log(p / (1 - p)) : u) + 0.25) * 2;
      };
      expect(valuesOf(flow.decode([[[[at(3.99), z[1]]]]]))).toEqual([3, 3]);
      expect(valuesOf(flow.decode([[[[at(4.01), z[1]]]]]))).toEqual([4, 3]);
      flow.dispose();
    },
  );

  it('levels stay in range, and those of NaN are NaN on every backend', async () => {
    for (const backend of ['cpu', 'wasm']) {
      if (backend === 'wasm') await prepareWasm({ threads: 1 });
      const flow = new ImageFlow({ bijector: affine([0], [1], [1, 1, 1]), nBits: 3 });
      const z = tf.tensor([-9, 9, Number.NaN, 0.01], [4, 1, 1, 1]);
      expect(valuesOf(flow.decode(z))).toEqual([0, 7, Number.NaN, 4]);
      z.dispose();
      flow.dispose();
    }
  });

  it('has gradients where it is continuous', () => {
    tf.tidy(() => {
      const flow = new ImageFlow({ bijector: affine([0], [2], [1, 1, 1]), nBits: 3 });
      const z = tf.tensor([0.2, -0.4], [2, 1, 1, 1]);
      const gradient = tf.grad((latents) => tf.sum(flow.decode(latents, { continuous: true })))(z);
      // x = (z / 2 + 1 / 2) * 8
      close(Array.from(gradient.dataSync()), [4, 4]);
      flow.dispose();
    });
  });
});

describe('transform', () => {
  it('with the base gives logProb: by noise of the same seed, by points that are points already', async () => {
    const glow = new Glow({
      imageShape: [4, 4, 1],
      levels: 2,
      stepsPerLevel: 1,
      hiddenChannels: 4,
      nBits: 3,
      seed: 1,
    });
    const levels = Uint8Array.from({ length: 32 }, (_, i) => i % 8);
    await leavesNoTensors(() => {
      tf.tidy(() => {
        const nats = Array.from(glow.logProb(levels, { seed: 4 }).dataSync());
        const { value, logDet } = glow.transform(levels, { seed: 4 });
        close(Array.from(tf.add(glow.base.logProb(value), logDet).dataSync()), nats, 3);
        const points = glow.decode(value, { continuous: true });
        // Each point lies in the bin of its level.
        expect(Array.from(tf.floor(points).dataSync())).toEqual([...levels]);
        const again = glow.transform(points, { dequantize: 'none' });
        close(Array.from(again.value.dataSync()), Array.from(value.dataSync()), 3);
        close(Array.from(again.logDet.dataSync()), Array.from(logDet.dataSync()), 2);
        expect(() => glow.transform(points)).toThrow('whole numbers 0 .. 7');
        expect(() => glow.transform(tf.fill([1, 4, 4, 1], Number.NaN), { dequantize: 'none' })).toThrow(
          'finite',
        );
      });
    });
    const other = tf.tidy(() => Array.from(glow.transform(levels, { seed: 5 }).value.dataSync()));
    const middle = tf.tidy(() =>
      Array.from(glow.transform(levels, { dequantize: 'middle', seed: 5 }).value.dataSync()),
    );
    expect(middle).toEqual(valuesOf(glow.encode(levels)));
    expect(other).not.toEqual(middle);
    glow.dispose();
  });
});

describe('sampleWithLogProb', () => {
  it('has the density of its events, whatever the temperature, from the one pass that made them', () => {
    const flow = realNvp({ dimensions: 3, layers: 3, hiddenUnits: [8], seed: 1 });
    const random = new RandomStream(2);
    for (const weight of flow.trainableWeights) {
      tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.2))));
    }
    tf.tidy(() => {
      for (const temperature of [1, 0.5]) {
        const { value, logProb } = flow.sampleWithLogProb(6, { temperature, seed: 3 });
        expect(Array.from(value.dataSync())).toEqual(
          Array.from(flow.sample(6, { temperature, seed: 3 }).dataSync()),
        );
        close(Array.from(logProb.dataSync()), Array.from(flow.logProb(value).dataSync()), 3);
      }
      flow.bijector.forward = () => {
        throw new Error('a second pass');
      };
      flow.sampleWithLogProb(2);
    });
    flow.dispose();
  });

  it('of images is the density of the point that was cut to levels', async () => {
    const glow = new Glow({
      imageShape: [4, 4, 1],
      levels: 1,
      stepsPerLevel: 1,
      hiddenChannels: 4,
      nBits: 3,
      seed: 1,
    });
    await leavesNoTensors(() => {
      tf.tidy(() => {
        const { value, logProb } = glow.sampleWithLogProb(3, { seed: 2 });
        const points = glow.sampleWithLogProb(3, { seed: 2, continuous: true });
        expect(Array.from(points.logProb.dataSync())).toEqual(Array.from(logProb.dataSync()));
        const cut = Array.from(points.value.dataSync(), (point) =>
          Math.min(7, Math.max(0, Math.floor(point))),
        );
        expect(Array.from(value.dataSync())).toEqual(cut);
        expect(Array.from(glow.sample(3, { seed: 2, continuous: true }).dataSync())).toEqual(
          Array.from(points.value.dataSync()),
        );
        const { value: z, logDet } = glow.transform(points.value, { dequantize: 'none' });
        close(Array.from(tf.add(glow.base.logProb(z), logDet).dataSync()), Array.from(logProb.dataSync()), 3);
      });
    });
    glow.dispose();
  });

  it('by hand: log N(z; 0, I) + log scale', () => {
    const flow = affineFlow([1, -2], [2, 0.5], 1);
    const { value, logProb } = flow.sampleWithLogProb(4, { temperature: 0.5, seed: 9 });
    const points = valuesOf(value);
    const expected = [0, 1, 2, 3].map((i) => {
      const z = [(points[2 * i] + 1) * 2, (points[2 * i + 1] - 2) * 0.5];
      return -Math.log(2 * Math.PI) - (z[0] ** 2 + z[1] ** 2) / 2 + Math.log(2) + Math.log(0.5);
    });
    close(valuesOf(logProb), expected, 4);
    flow.dispose();
  });
});

describe('interpolate', () => {
  // z = 2 x: latents [2, 0] and [0, 4].
  const [from, to] = [
    [1, 0],
    [0, 2],
  ];

  it('goes straight from latent to latent', () => {
    const flow = affineFlow([0, 0], [2, 2]);
    close(valuesOf(flow.interpolate(from, to, { steps: 5 })), [1, 0, 0.75, 0.5, 0.5, 1, 0.25, 1.5, 0, 2]);
    expect(tf.tidy(() => flow.interpolate(from, to).shape)).toEqual([8, 2]);
    flow.dispose();
  });

  it('goes around: sin((1 - t) angle) / sin(angle) and sin(t angle) / sin(angle)', () => {
    const flow = affineFlow([0, 0], [2, 2]);
    const frames = valuesOf(flow.interpolate(from, to, { steps: 5, path: 'spherical' }));
    const expected = [0, 1, 2, 3, 4].flatMap((i) => [
      Math.cos((i * Math.PI) / 8),
      2 * Math.sin((i * Math.PI) / 8),
    ]);
    close(frames, expected);
    // An angle of 60 degrees between latents that a shift has moved away from the data.
    const shifted = affineFlow([1, 0], [1, 1]);
    const end = [0.5 - 1, Math.sqrt(3) / 2];
    const middle = valuesOf(shifted.interpolate([0, 0], end, { steps: 3, path: 'spherical' })).slice(2, 4);
    close(middle, [Math.cos(Math.PI / 6) - 1, Math.sin(Math.PI / 6)]);
    // Parallel ends have no way around.
    close(valuesOf(flow.interpolate([1, 0], [3, 0], { steps: 3, path: 'spherical' })), [1, 0, 2, 0, 3, 0]);
    flow.dispose();
    shifted.dispose();
  });
});

describe('sampling', () => {
  const multiScale = () =>
    new Flow({
      bijector: new MultiScale({
        levels: [affine([1, 2], [2, 4], [2, 1, 2], 'fine'), affine([3], [0.5], [2, 1, 1], 'coarse')],
      }),
      seed: 7,
    });

  it('scales the latents of each level by its temperature', () => {
    const flow = multiScale();
    expect(flow.latentLayout).toEqual([
      { level: 0, offset: 0, size: 2, shape: [2, 1, 1] },
      { level: 1, offset: 2, size: 2, shape: [2, 1, 1] },
    ]);
    const latents = (temperature?: number | number[]) =>
      valuesOf(
        flow.encode(tf.tidy(() => flow.sample(3, { temperature, seed: 5 }).arraySync() as number[][][])),
      );
    const noise = valuesOf(new RandomStream(5).normal([3, 4]));
    close(latents(), noise, 4);
    close(
      latents(0.5),
      noise.map((value) => 0.5 * value),
      4,
    );
    close(
      latents([3, 0.25]),
      noise.map((value, i) => (i % 4 < 2 ? 3 : 0.25) * value),
      4,
    );
    close(
      latents([0, 1]),
      noise.map((value, i) => (i % 4 < 2 ? 0 : value)),
      4,
    );
    flow.dispose();
  });

  it('follows its seeds: the flow has a stream, a call may have its own', () => {
    const [one, other, third] = [
      multiScale(),
      multiScale(),
      new Flow({ bijector: affine([0], [1]), seed: 8 }),
    ];
    const [first, second] = [valuesOf(one.sample(2)), valuesOf(one.sample(2))];
    expect(second).not.toEqual(first);
    const own = valuesOf(other.sample(2, { seed: 1 }));
    expect(own).toEqual(valuesOf(one.sample(2, { seed: 1 })));
    expect(own).not.toEqual(first);
    // A call with its own seed left the flow's stream where it was.
    expect(valuesOf(other.sample(2))).toEqual(first);
    expect(tf.tidy(() => Array.from(other.sampleWithLogProb(2).value.dataSync()))).toEqual(second);
    const eight = new Flow({ bijector: affine([0], [1]), seed: 9 });
    expect(valuesOf(third.sample(2))).not.toEqual(valuesOf(eight.sample(2)));
    for (const flow of [one, other, third, eight]) flow.dispose();
  });
});

describe("a loss of one's own", () => {
  class Energy extends Flow {
    static override className = 'TestEnergyFlow';
    override get lossUnit(): string {
      return 'joules';
    }
    override loss(batch: { x: tf.Tensor }): Loss {
      const loss = tf.mean(tf.square(tf.sub(this.bijector.forward(batch.x).value, 3))) as tf.Scalar;
      return { loss, metrics: {} };
    }
  }
  class Throwing extends Flow {
    static override className = 'TestThrowingFlow';
    protected override lossOf({ value }: Transformed): Loss {
      tf.exp(value);
      throw new Error('no loss');
    }
  }

  it('is used, and its unit is told', async () => {
    const flow = new Energy({ bijector: affine([0], [1]) });
    const units: string[] = [];
    const history = await flow.fit([[1], [2]], {
      steps: 1,
      progress: 'none',
      onProgress: (progress) => units.push(progress.lossUnit),
    });
    expect(history.losses).toEqual([2.5]);
    expect(new Set(units)).toEqual(new Set(['joules']));
    expect(flow.bijectiveLoss({ x: tf.zeros([1, 1]) }, new RandomStream(1))).toBeUndefined();
    flow.dispose();
  });

  it('on the flow itself counts as much as in a subclass', () => {
    const flow = affineFlow([0], [1]);
    const batch = { x: tf.zeros([1, 1]) };
    expect(flow.bijectiveLoss(batch, new RandomStream(1))).toBeDefined();
    flow.loss = () => ({ loss: tf.scalar(7), metrics: {} });
    expect(flow.bijectiveLoss(batch, new RandomStream(1))).toBeUndefined();
    expect(() => reversibleGradients(flow, batch, new RandomStream(1))).toThrow('lossOf');
    batch.x.dispose();
    flow.dispose();
  });

  it('that throws leaves nothing behind', async () => {
    const flow = new Throwing({ bijector: affine([0], [1]) });
    const batch = { x: tf.zeros([4, 1]) };
    await leavesNoTensors(() => {
      expect(() => storedGradients(flow, batch, new RandomStream(1))).toThrow('no loss');
      expect(() => reversibleGradients(flow, batch, new RandomStream(1))).toThrow('no loss');
    });
    batch.x.dispose();
    flow.dispose();
  });
});
