import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { hasAdapter } from './adapter';
import { valuesOn } from './onBoth';

describe.skipIf(!hasAdapter)('sine and cosine on webgpu', () => {
  const angles = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) * 0.05);

  // Two roundings of values up to 1, and of an angle of 100 turned to near 0.
  it('are those of float64 to 3e-7', async () => {
    const [sine, cosine] = await valuesOn('webgpu', () => [tf.sin(angles), tf.cos(angles)]);
    angles.forEach((angle, i) => {
      expect(Math.abs(sine[i] - Math.sin(angle))).toBeLessThan(3e-7);
      expect(Math.abs(cosine[i] - Math.cos(angle))).toBeLessThan(3e-7);
    });
  });

  // To the last places up to 1e5, with the roundings of three products; beyond, what the device gives.
  it('of large angles are sines', async () => {
    const large = Float32Array.of(2e4, -9e4, 99_999, 1.2e5, -1e6, 1e8, -1e12, 3e38);
    const [sine, cosine] = await valuesOn('webgpu', () => [tf.sin(large), tf.cos(large)]);
    large.forEach((angle, i) => {
      expect(Math.abs(sine[i]), `sine of ${angle}`).toBeLessThanOrEqual(1);
      expect(Math.abs(cosine[i]), `cosine of ${angle}`).toBeLessThanOrEqual(1);
      if (Math.abs(angle) > 2e5) return;
      const allowed = Math.abs(angle) > 1e5 ? 0.05 : 2e-6;
      expect(Math.abs(sine[i] - Math.sin(angle))).toBeLessThan(allowed);
      expect(Math.abs(cosine[i] - Math.cos(angle))).toBeLessThan(allowed);
    });
  });

  it('of what is not finite are NaN', async () => {
    const [sine, cosine] = await valuesOn('webgpu', () => {
      const x = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      return [tf.sin(x), tf.cos(x)];
    });
    expect([...sine, ...cosine].every(Number.isNaN)).toBe(true);
  });
});
