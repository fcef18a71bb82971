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

  it('of what is not finite are NaN', async () => {
    const [sine, cosine] = await valuesOn('webgpu', () => {
      const x = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      return [tf.sin(x), tf.cos(x)];
    });
    expect([...sine, ...cosine].every(Number.isNaN)).toBe(true);
  });
});
