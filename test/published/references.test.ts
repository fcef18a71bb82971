import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Glow } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { conventions } from '../../src/published/publishedBits';
import { leavesNoTensors, tidyWaiting } from '../support/leaks';
import { imageOf, publishedGlows, type Reference } from '../support/publishedGlows';
import { loadReference } from './reference';

/** Latents and images agree within 1e-4 absolute, log-likelihoods within 1e-5 relative: float32 on both sides. */
const ABSOLUTE = 1e-4;
const RELATIVE = 1e-5;

function expectClose(received: tf.Tensor, expected: tf.Tensor, absolute = ABSOLUTE): void {
  expect(received.size).toBe(expected.size);
  expect(
    tf.tidy(() => tf.max(tf.abs(tf.sub(received, tf.reshape(expected, received.shape)))).dataSync()[0]),
  ).toBeLessThan(absolute);
}

function expectRelative(received: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(received.length).toBe(expected.length);
  Array.from(received).forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThan(RELATIVE * Math.abs(expected[i]));
  });
}

/** z in pieces, one per level, as [n, h, w, c]. */
function levelsOf(glow: Glow, z: tf.Tensor): tf.Tensor[] {
  return glow.latentLayout.map(({ offset, size, shape }) =>
    tf.reshape(tf.slice(z, [0, offset], [-1, size]), [z.shape[0], ...shape]),
  );
}

const chaiyujin = publishedGlows.filter((name) => name.startsWith('chaiyujin'));

describe.each(['cpu', 'wasm', 'prepared wasm, 1', 'prepared wasm, 2'])('published Glows on %s', (backend) => {
  beforeAll(async () => {
    if (backend.startsWith('prepared')) await prepareWasm({ threads: Number(backend.at(-1)) });
    else await tf.setBackend(backend);
  });

  describe.each([undefined, true, false])('1x1 convolutions as LU: %s', (lu) => {
    it.each(chaiyujin)('%s: latents, log-likelihoods and decoded images', async (name) => {
      await tidyWaiting(async () => {
        const reference = await loadReference(name, 'checkpoint.pt', { lu });
        checkChaiyujin(reference);
        reference.glow.dispose();
      });
    });

    it('rosinality_affine_lu: latents, log-likelihoods, reconstruction and samples', async () => {
      await tidyWaiting(async () => {
        const { glow, bijector, io, config } = await loadReference('rosinality_affine_lu', 'checkpoint.pt', {
          lu,
        });
        const x = imageOf(io.x);
        const { value: z, logDet } = bijector.forward(x);
        const dims = x.size / x.shape[0];
        const total = tf.add(glow.base.logProb(z), logDet);
        const expected = tf.add(imageOf(io.log_p), imageOf(io.logdet)).dataSync();
        expectRelative(total.dataSync(), expected);
        const bits = Array.from(
          expected,
          (value) => (Math.log(config.n_bins) * dims - value) / (Math.LN2 * dims),
        );
        expectRelative(io.bits_per_dim.data as Float32Array, bits);
        expectClose(bijector.inverse(z).value, imageOf(io.reconstruct));
        // Their latents are raw, ours standardized: undo the prior of each level.
        const raw = levelsOf(glow, z).map((latent, level) => rawLatents(bijector, latent, level, x));
        raw.forEach((latent, level) => {
          expectClose(latent, imageOf(io[`z${level}`]));
        });
        expectClose(bijector.inverse(tf.fill(z.shape, 0.1)).value, imageOf(io.sample_eps01));
        glow.dispose();
      });
    });
  });

  it.each(publishedGlows)('%s: all kinds of files give the same weights', async (name) => {
    await leavesNoTensors(async () => {
      const weightsIn = async (file: string) => {
        const { glow } = await loadReference(name, file);
        const weights = glow.weights.map((weight) => [weight.name, [...weight.variable.dataSync()]]);
        expect(glow.initialized).toBe(true);
        glow.dispose();
        return weights;
      };
      const files = ['checkpoint.pt', 'checkpoint_legacy.pt', 'weights.npz'];
      const [first, ...others] = await Promise.all(files.map(weightsIn));
      for (const weights of others) expect(weights).toEqual(first);
    });
  });
});

function checkChaiyujin({ glow, bijector, io, config }: Reference): void {
  const labels = config.y_condition ? imageOf(io.y) : undefined;
  const x = tf.add(imageOf(io.x), imageOf(io.noise));
  const { value: z, logDet } = bijector.forward(x, labels);
  const standardized = levelsOf(glow, z);
  standardized.slice(0, -1).forEach((eps, level) => {
    expectClose(eps, imageOf(io[`split${level}_eps`]));
  });
  // Their top latents are raw: ours times the prior's scale, plus its mean.
  const top = standardized[standardized.length - 1];
  const raw = tf.add(tf.mul(top, tf.exp(imageOf(io.prior_logs))), imageOf(io.prior_mean));
  expectClose(raw, imageOf(io.z));
  const [, height, width] = x.shape;
  const pixels = height * (width as number);
  // Their objective: log p with the constant -log(256) per pixel position.
  const objective = tf.sub(tf.add(glow.base.logProb(z), logDet), Math.log(256) * pixels).dataSync();
  expectRelative(objective, io.objective.data as Float32Array);
  // Over levels, not over [0, 1], every value has ln 255 less.
  const overLevels = tf.sub(tf.add(glow.base.logProb(z), logDet), (x.size / x.shape[0]) * Math.log(255));
  const reported = conventions.chaiyujin.fromLogProb(overLevels, glow.eventShape, 8);
  expectRelative(reported.dataSync(), io.nll.data as Float32Array);
  const modes = tf.concat(
    [...standardized.slice(0, -1).map(tf.zerosLike), top].map((part) => tf.reshape(part, [x.shape[0], -1])),
    1,
  );
  expectClose(bijector.inverse(modes, labels).value, imageOf(io.decode_mean));
  if (glow.classifier !== undefined) expectClose(glow.classifier.logits(raw), imageOf(io.y_logits));
}

/** Raw latents of one level: what enters its split or prior, second half or whole. */
function rawLatents(
  bijector: Reference['bijector'],
  latent: tf.Tensor,
  level: number,
  x: tf.Tensor,
): tf.Tensor {
  let input: tf.Tensor | undefined;
  bijector.trace(x, ({ name, input: entering }) => {
    if (new RegExp(`level${level}/(split|prior)$`).test(name)) input = tf.clone(entering);
  });
  const channels = latent.shape[3] as number;
  const entering = input as tf.Tensor;
  return tf.slice(entering, [0, 0, 0, (entering.shape[3] as number) - channels], [-1, -1, -1, channels]);
}
