import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../src/webgpu/bufferPool';

/** A pool on a device that only counts. */
function countingPool() {
  const destroyed: number[] = [];
  let made = 0;
  const createBuffer = ({ size, usage }: GPUBufferDescriptor) => {
    const number = made++;
    return { size, usage, destroy: () => destroyed.push(number) };
  };
  const pool = new BufferPool({ createBuffer } as unknown as GPUDevice);
  return { pool, destroyed, made: () => made };
}

describe('the pool of buffers', () => {
  it('gives the first one that was made, however they came back', () => {
    const { pool, made } = countingPool();
    const [a, b, c] = [1, 2, 3].map(() => pool.acquireBuffer(8, 1));
    for (const buffer of [b, c, a]) pool.releaseBuffer(buffer);
    expect([1, 2, 3].map(() => pool.acquireBuffer(8, 1))).toEqual([a, b, c]);
    expect(made()).toBe(3);
    expect(pool.numBytesUsed).toBe(24);
  });

  it('keeps sizes and uses apart', () => {
    const { pool, made } = countingPool();
    pool.releaseBuffer(pool.acquireBuffer(8, 1));
    pool.acquireBuffer(8, 2);
    pool.acquireBuffer(16, 1);
    expect(made()).toBe(3);
  });

  it('gives the queue none that came back since the last submit', () => {
    const { pool } = countingPool();
    const buffer = pool.acquireBuffer(8, 1);
    pool.releaseBuffer(buffer);
    const other = pool.acquireIdle(8, 1);
    expect(other).not.toBe(buffer);
    // To programs it does: they run behind what used it.
    expect(pool.acquireBuffer(8, 1)).toBe(buffer);
    pool.releaseBuffer(buffer);
    pool.submitted();
    expect(pool.acquireIdle(8, 1)).toBe(buffer);
    expect([pool.numFreeBuffers, pool.numUsedBuffers, pool.numBytesUsed]).toEqual([0, 2, 16]);
  });

  it('destroys at once what is not used again', () => {
    const { pool, destroyed } = countingPool();
    const buffer = pool.acquireBuffer(8, 1, true, false);
    pool.releaseBuffer(buffer, false);
    expect(destroyed).toEqual([0]);
    expect([pool.numBytesAllocated, pool.numBytesUsed, pool.numUsedBuffers]).toEqual([0, 0, 0]);
  });

  it('keeps what is free where that is little, however long nobody asks', () => {
    const { pool, destroyed } = countingPool();
    pool.releaseBuffer(pool.acquireBuffer(1e6, 1));
    for (let i = 0; i < 40000; i++) pool.releaseBuffer(pool.acquireBuffer(8, 1));
    pool.submitted();
    expect(destroyed).toEqual([]);
  });

  it('keeps what is asked for now and then, and destroys the others', () => {
    const { pool, destroyed } = countingPool();
    for (const size of [1e8, 2e8]) pool.releaseBuffer(pool.acquireBuffer(size, 1));
    for (let i = 0; i < 80000; i++) {
      pool.releaseBuffer(pool.acquireBuffer(i % 20000 === 0 ? 1e8 : 8, 1));
    }
    // Not before: what is encoded may use them.
    expect(destroyed).toEqual([]);
    pool.submitted();
    expect(destroyed).toEqual([1]);
  });

  it('destroys a size that nobody asks for any more, and keeps those in use', () => {
    const { pool, destroyed, made } = countingPool();
    pool.releaseBuffer(pool.acquireBuffer(1e8, 1));
    const held = pool.acquireBuffer(4, 1);
    for (let i = 0; i < 40000; i++) pool.releaseBuffer(pool.acquireBuffer(8, 1));
    pool.submitted();
    expect(destroyed).toEqual([0]);
    expect(made()).toBe(3);
    expect([pool.numBytesAllocated, pool.numFreeBuffers]).toEqual([12, 1]);
    pool.releaseBuffer(held);
    pool.dispose();
    expect(destroyed).toEqual([0, 1, 2]);
  });
});
