import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { decodePng } from 'tfjs-flows';
import { expect, it, vi } from 'vitest';
import { writeGrid } from '../../src/cli/pictures';

it('a picture with values that are not finite is drawn black there and told, and ends nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const path = join(folder, 'samples.png');
    const levels = [Number.NaN, 255, Number.POSITIVE_INFINITY, 128];
    const before = tf.memory().numTensors;
    await writeGrid(path, tf.tensor4d(levels, [1, 2, 2, 1]), { nBits: 8, padding: 0 });
    expect(tf.memory().numTensors).toBe(before);
    expect([...decodePng(readFileSync(path)).data]).toEqual([0, 255, 0, 128]);
    expect(told.mock.calls.flat().join()).toContain('2 of 4 values');
    await writeGrid(path, tf.zeros([1, 2, 2, 1]), { nBits: 8 });
    expect(told).toHaveBeenCalledTimes(1);
  } finally {
    told.mockRestore();
    rmSync(folder, { recursive: true });
  }
});
