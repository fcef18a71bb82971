import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  exportSafetensors,
  exportStateDict,
  FormatError,
  Glow,
  type GlowOptions,
  importCheckpoint,
  publishedBits,
  RandomStream,
  readNpz,
  readSafetensors,
  realNvp,
  writeSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { publishedGlows } from '../support/publishedGlows';
import { fixture, importOptions, loadReference } from './reference';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const small: GlowOptions = {
  imageShape: [8, 8, 3],
  levels: 2,
  stepsPerLevel: 2,
  hiddenChannels: 8,
  seed: 1,
};

/** A Glow with every weight moved, as after training. */
function trained(options: Partial<GlowOptions> = {}): Glow {
  const glow = new Glow({ ...small, ...options });
  const random = new RandomStream(2);
  for (const weight of glow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.05))));
  }
  glow.markInitialized();
  return glow;
}

function weightsOf(glow: { weights: Glow['weights'] }): Record<string, Float32Array> {
  return Object.fromEntries(
    glow.weights.map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
  );
}

function imagesOf(glow: Glow): tf.Tensor {
  return tf.tidy(() => tf.floor(new RandomStream(4).uniform([2, ...glow.eventShape], 0, 2 ** glow.nBits)));
}

/** Latents within 1e-4, bits per dimension within 1e-5: float32 with folded or decomposed weights. */
function expectSameFunction(received: Glow, expected: Glow): void {
  tf.tidy(() => {
    const images = imagesOf(expected);
    const options = expected.classifier && { context: [1, 2] };
    const difference = tf.sub(received.encode(images, options), expected.encode(images, options));
    expect(tf.max(tf.abs(difference)).dataSync()[0]).toBeLessThan(1e-4);
    const [a, b] = [received, expected].map((glow) =>
      glow.bitsPerDim(images, { ...options, seed: 3 }).dataSync(),
    );
    a.forEach((bits, i) => {
      expect(Math.abs(bits - b[i])).toBeLessThan(1e-5);
    });
  });
}

describe('exportSafetensors', () => {
  it.each<[string, Partial<GlowOptions>]>([
    ['by default', {}],
    ['with classes, shuffles and full matrices', { classes: 3, permutation: 'shuffle', lu: false }],
    ['with padding by ones and a border prior', { lastPadding: 'one', learnTop: 'border', nBits: 5 }],
  ])('a Glow %s comes back bit for bit', async (_, options) => {
    await leavesNoTensors(async () => {
      const glow = trained(options);
      const bytes = await exportSafetensors(glow);
      const copy = await importCheckpoint(bytes);
      expect(copy.getConfig()).toEqual(glow.getConfig());
      expect(weightsOf(copy)).toEqual(weightsOf(glow));
      expect(copy.initialized).toBe(true);
      expect(await exportSafetensors(copy)).toEqual(bytes);
      expectSameFunction(copy, glow);
      glow.dispose();
      copy.dispose();
    });
  });

  it('takes other flows too', async () => {
    const flow = realNvp({ dimensions: 3, layers: 2, seed: 1 });
    const copy = await importCheckpoint<typeof flow>(await exportSafetensors(flow));
    expect(weightsOf(copy)).toEqual(weightsOf(flow));
    expect(copy.initialized).toBe(flow.initialized);
    flow.dispose();
    copy.dispose();
  });

  it('a file with a weight missing or of another shape is refused, and nothing leaks', async () => {
    await leavesNoTensors(async () => {
      const glow = trained();
      const { tensors, metadata } = readSafetensors(await exportSafetensors(glow));
      glow.dispose();
      const arrays = Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.read()]));
      const { 'bijector/multiscale/level0/step0/actnorm/bias': _, ...rest } = arrays;
      const broken = writeSafetensors({ ...rest, other: { shape: [1], data: Float32Array.of(1) } }, metadata);
      await expect(importCheckpoint(broken)).rejects.toThrow(FormatError);
      await expect(importCheckpoint(broken)).rejects.toThrow(
        /step0\/actnorm\/bias is missing; other is unknown/,
      );
    });
  });
});

describe('exportStateDict', () => {
  it.each(publishedGlows)('%s: what was imported goes back', async (name) => {
    const [code] = name.split('_') as ['chaiyujin' | 'rosinality'];
    const { glow } = await loadReference(name, 'checkpoint.pt');
    const original = readNpz(fixture(name, 'weights.npz'));
    const batchSize = original.prior_h?.shape[0];
    const bytes = await exportStateDict(glow, code, { container: 'npz', batchSize });
    const exported = readNpz(bytes);
    expect(Object.keys(exported).sort()).toEqual(Object.keys(original).sort());
    for (const [key, array] of Object.entries(exported)) {
      expect([key, array.shape]).toEqual([key, original[key].shape]);
      // Folded or decomposed: the function is compared below, not the values.
      const rewritten =
        /learn_top|project_ycond|invconv\.(p|l|u|sign_s|log_s|w_\w|s_sign)$|actnorm\.scale|blocks\.1\.prior/;
      if (!rewritten.test(key)) expect([key, ...array.data]).toEqual([key, ...original[key].data]);
    }
    const copy = await importCheckpoint(bytes, importOptions(name));
    expectSameFunction(copy, glow);
    if (name === 'chaiyujin_affine_invconv' || name === 'chaiyujin_additive_reverse_ycond') {
      expect(weightsOf(copy)).toEqual(weightsOf(glow));
    }
    glow.dispose();
    copy.dispose();
  });

  it.each<['chaiyujin' | 'rosinality', string, Partial<GlowOptions>]>([
    ['chaiyujin', 'by default', {}],
    ['chaiyujin', 'with biases in its networks, no top prior', { networkActnorm: false, learnTop: false }],
    ['chaiyujin', 'with classes, full matrices', { classes: 4, lu: false, multiLabel: true }],
    ['chaiyujin', 'with reversals, additive', { permutation: 'reverse', coupling: 'additive' }],
    ['rosinality', 'with actnorms in its networks', { lastPadding: 'one' }],
    [
      'rosinality',
      'without a top prior, additive',
      { lastPadding: 'one', learnTop: false, coupling: 'additive' },
    ],
    [
      'rosinality',
      'of 5 bits with full matrices',
      { lastPadding: 'one', learnTop: 'border', lu: false, nBits: 5 },
    ],
  ])('%s: a Glow trained here %s is the same function there', async (code, _, options) => {
    await leavesNoTensors(async () => {
      const glow = trained(options);
      const bytes = await exportStateDict(glow, code);
      const copy = await importCheckpoint(bytes, { imageShape: [8, 8, 3], nBits: glow.nBits });
      expectSameFunction(copy, glow);
      expect(copy.getConfig()).not.toEqual(glow.getConfig());
      glow.dispose();
      copy.dispose();
    });
  });

  it('says what to build the PyTorch model with', async () => {
    const glow = trained({ nBits: 5, lastPadding: 'one' });
    const { metadata } = readSafetensors(await exportStateDict(glow, 'rosinality'));
    expect(metadata.format).toBe('pt');
    expect(JSON.parse(metadata.arguments)).toEqual({
      in_channel: 3,
      n_flow: 2,
      n_block: 2,
      affine: true,
      conv_lu: true,
      filter_size: 8,
      img_size: 8,
      n_bits: 5,
    });
    glow.dispose();
  });

  it('lists everything that a code cannot express', async () => {
    const glow = trained({ scale: 'exp', nBits: 5, learnTop: 'spatial', permutation: 'shuffle', classes: 2 });
    await expect(exportStateDict(glow, 'chaiyujin')).rejects.toThrow(
      /a Glow that chaiyujin\/glow-pytorch can express, got .*'exp'; .*differs by position; .*shuffles.*; .*8 bits, this Glow 5/,
    );
    await expect(exportStateDict(glow, 'rosinality')).rejects.toThrow(
      /pad with ones.*'zero'.*knows no classes/,
    );
    glow.dispose();
  });
});

describe('publishedBits', () => {
  it('gives each code its own number beside the strict one', async () => {
    await leavesNoTensors(() => {
      const glow = trained({ preprocessing: 'unit' });
      const images = imagesOf(glow);
      const of = (compatibility: 'openai' | 'chaiyujin' | 'rosinality') => {
        const { bitsPerDim, reported, unit } = publishedBits(glow, images, { compatibility, seed: 5 });
        const values = [bitsPerDim, reported].map((x) => [...x.dataSync()]);
        tf.dispose([bitsPerDim, reported]);
        return { strict: values[0], reported: values[1], unit };
      };
      const openai = of('openai');
      expect(openai.reported).toEqual(openai.strict);
      expect(of('rosinality').reported[0]).toBeCloseTo(openai.strict[0], 5);
      const chaiyujin = of('chaiyujin');
      expect(chaiyujin.unit).toBe('bits/pixel');
      expect(chaiyujin.strict).toEqual(openai.strict);
      // Nearly the true figure by (nll - 8) / 3 + 8; what is left is the Gaussian noise.
      const converted = (chaiyujin.reported[0] - 8) / 3 + 8;
      expect(Math.abs(converted - chaiyujin.strict[0])).toBeLessThan(0.1);
      expect(converted).not.toBe(chaiyujin.strict[0]);
      images.dispose();
      glow.dispose();
    });
  });

  it('counts three channels for rosinality, whatever there are', () => {
    tf.tidy(() => {
      const glow = trained({ imageShape: [8, 8, 1] });
      const { bitsPerDim, reported } = publishedBits(glow, imagesOf(glow), {
        compatibility: 'rosinality',
        seed: 5,
      });
      // (nll over 64 values in [-0.5, 0.5] + 192 * 8 bits) / 192
      const expected = (64 * (bitsPerDim.dataSync()[0] - 8) + 192 * 8) / 192;
      expect(reported.dataSync()[0]).toBeCloseTo(expected, 4);
      glow.dispose();
    });
  });
});
