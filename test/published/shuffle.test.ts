import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ConfigError,
  exportStateDict,
  type Glow,
  importCheckpoint,
  RandomStream,
  readSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture } from './reference';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const bytes = fixture('chaiyujin_additive_reverse_ycond', 'checkpoint.pt');
/** Channels of its four steps. */
const channels = [12, 12, 24, 24];
const reversed = channels.map((n) => Array.from({ length: n }, (_, i) => n - 1 - i));
const random = new RandomStream(5);
const orders = channels.map((n) => Array.from(random.permutation(n)));

function latentsOf(glow: Glow): Float32Array {
  const images = tf.tidy(() => tf.round(tf.mul(new RandomStream(1).uniform([2, 8, 8, 3]), 255)));
  const z = glow.encode(images, { context: [0, 3] });
  const values = z.dataSync() as Float32Array;
  tf.dispose([images, z]);
  return values;
}

describe("chaiyujin's permutations that are in no file", () => {
  it('are asked for', async () => {
    await expect(importCheckpoint(bytes)).rejects.toThrow(ConfigError);
    await expect(importCheckpoint(bytes)).rejects.toThrow(
      /permutation: 'reverse', or the orders of a shuffle, got none/,
    );
  });

  it('are the reversals that one says, by name or by their orders', async () => {
    const byName = await importCheckpoint(bytes, { permutation: 'reverse' });
    for (const lu of [false, true]) {
      const byOrders = await importCheckpoint(bytes, { permutation: reversed, lu });
      expect(byOrders.getConfig()).toMatchObject({ permutation: 'invconv', lu });
      const [expected, found] = [latentsOf(byName), latentsOf(byOrders)];
      // Sums of the same products in another order.
      expected.forEach((value, i) => {
        expect(Math.abs(found[i] - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
      });
      byOrders.dispose();
    }
    byName.dispose();
  });

  it('are the shuffles that one says, and go out as the matrices that they are', async () => {
    const glow = await importCheckpoint(bytes, { permutation: orders });
    const byName = await importCheckpoint(bytes, { permutation: 'reverse' });
    const [drawn, reversals] = [latentsOf(glow), latentsOf(byName)];
    expect(Math.max(...drawn.map((value, i) => Math.abs(value - reversals[i])))).toBeGreaterThan(0.5);
    const exported = await exportStateDict(glow, 'chaiyujin');
    const { tensors } = readSafetensors(exported);
    // Theirs is y = W x, and y[j] = x[order[j]].
    [1, 2, 5, 6].forEach((layer, i) => {
      const { shape, data } = tensors.get(`flow.layers.${layer}.invconv.weight`)!.read();
      expect(shape).toEqual([channels[i], channels[i]]);
      orders[i].forEach((from, to) => {
        const row = Array.from(data.subarray(to * channels[i], (to + 1) * channels[i]));
        expect(row).toEqual(row.map((_, column) => Number(column === from)));
      });
    });
    const copy = await importCheckpoint(exported, { nBits: 8 });
    expect(latentsOf(copy)).toEqual(drawn);
    for (const flow of [glow, byName, copy]) flow.dispose();
  });

  it('are in the files that this library writes', async () => {
    const glow = await importCheckpoint(bytes, { permutation: 'reverse' });
    const exported = await exportStateDict(glow, 'chaiyujin');
    const copy = await importCheckpoint(exported);
    expect(latentsOf(copy)).toEqual(latentsOf(glow));
    glow.dispose();
    copy.dispose();
  });

  it.each<[string, unknown, RegExp]>([
    ['orders of too few steps', orders.slice(1), /4 orders, one for each step, got 3/],
    [
      'an order of another length',
      [orders[0].slice(1), ...orders.slice(1)],
      /order 0 to be a permutation of 0 \.\. 11/,
    ],
    [
      'an order that takes a channel twice',
      [orders[0], orders[0].map(() => 1), orders[2], orders[3]],
      /order 1 to be/,
    ],
    ['no order at all', [null, ...orders.slice(1)], /order 0 to be a permutation of 0 \.\. 11, got null/],
    ['a word', 'shuffle', /4 orders, one for each step, got 'shuffle'/],
  ])('are refused as %s, and leave nothing', async (_, permutation, message) => {
    const before = tf.memory().numTensors;
    const attempt = () => importCheckpoint(bytes, { permutation: permutation as number[][] });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are refused where the file has matrices', async () => {
    const attempt = () =>
      importCheckpoint(fixture('chaiyujin_affine_invconv', 'checkpoint.pt'), { permutation: 'reverse' });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(/'invconv' in the file, and the option permutation/);
  });
});
