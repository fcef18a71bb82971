import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy, readNpz } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFloatRows } from '../../src/node/floatFiles';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-rows-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of three values, a few at a time. */
const batches = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(7, 8, 9)];
const index = { shape: [3], data: Int32Array.of(4, 5, 7) };

async function write(path: string, rows: readonly Float32Array[]): Promise<Buffer> {
  await writeFloatRows(path, 'z', 3, async (file) => {
    for (const batch of rows) await file.add(batch);
    return { index };
  });
  return readFileSync(path);
}

describe('rows of floats that are written as they come', () => {
  it('are an npz beside small arrays, or an npy', async () => {
    const bytes = await write(join(folder, 'a.npz'), batches);
    const { z, index: read, ...others } = readNpz(bytes);
    expect(others).toEqual({});
    expect(z).toEqual({ shape: [3, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) });
    expect(read).toEqual(index);
    expect(readNpy(await write(join(folder, 'a.NPY'), batches))).toEqual(z);
    expect(await write(join(folder, 'b.npz'), batches)).toEqual(bytes);
    expect(readdirSync(folder).sort()).toEqual(['a.NPY', 'a.npz', 'b.npz']);
  });

  it('may be none', async () => {
    expect(readNpz(await write(join(folder, 'none.npz'), [])).z).toEqual({
      shape: [0, 3],
      data: new Float32Array(0),
    });
  });

  it('lie on the disk and not in memory', async () => {
    const path = join(folder, 'large.npz');
    const rows = new Float32Array(2 ** 19 * 3);
    const onDisk = () =>
      readdirSync(folder)
        .filter((name) => name.startsWith('large.npz.'))
        .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const before = process.memoryUsage();
    let most = 0;
    await writeFloatRows(path, 'z', 3, async (file) => {
      for (let i = 0; i < 10; i++) {
        await file.add(rows.fill(i));
        expect(onDisk()).toBe((i + 1) * rows.byteLength);
        most = Math.max(most, process.memoryUsage().arrayBuffers - before.arrayBuffers);
      }
      return {};
    });
    // 60 MB passed; the rows themselves are 6 MB.
    expect(most).toBeLessThan(3 * rows.byteLength);
    const { z } = readNpz(readFileSync(path));
    expect([z.shape, z.data[0], z.data.at(-1)]).toEqual([[10 * 2 ** 19, 3], 0, 9]);
  });

  it('leave nothing where they end in an error', async () => {
    const path = join(folder, 'broken.npz');
    const broken = writeFloatRows(path, 'z', 3, async (file) => {
      await file.add(batches[0]);
      throw new Error('no more');
    });
    await expect(broken).rejects.toThrow('no more');
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('broken'))).toEqual([]);
  });
});
