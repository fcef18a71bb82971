/** Free bytes that are kept in any case. */
const KEPT = 64e6;
/** A size that nobody asked for while so many buffers were given out, those of ten steps and more, is no longer of use. */
const PATIENCE = 32768;
/** More than all uses of a buffer together. */
const USES = 1024;

/** A buffer of the pool. What it is asked for often stands here: to ask the device's object takes longer. */
interface Pooled {
  buffer: GPUBuffer;
  /** In the order in which they were made. */
  number: number;
  size: number;
  shelf: Shelf;
  /** How many submits there had been when it came back. */
  backAt: number;
}

/** Free buffers of one size and use. */
interface Shelf {
  /** By their numbers, the highest first. */
  free: Pooled[];
  /** How many buffers had been given out when this size was asked for last. */
  asked: number;
}

/**
 * Buffers that are used again, in place of the backend's own: the one that was made first is given out first. So steps that ask for the
 * same get the same, and groups of bindings that were made for one are found by all. Sizes that nobody asks for
 * any more are destroyed where much is free.
 *
 * What comes back may still be in use by what is encoded and not submitted: programs, which run behind that, may write it; the queue, which
 * writes ahead, may not, and it must not be destroyed.
 */
export class BufferPool {
  numUsedBuffers = 0;
  numFreeBuffers = 0;
  numBytesUsed = 0;
  numBytesAllocated = 0;
  private made = 0;
  private givenOut = 0;
  private submits = 0;
  private readonly pooled = new Map<GPUBuffer, Pooled>();
  private readonly shelves = new Map<number, Shelf>();

  constructor(private readonly device: GPUDevice) {}

  /** @param reuse false for one that is destroyed when it comes back, and must be new */
  acquireBuffer(size: number, usage: number, mappedAtCreation = false, reuse = true): GPUBuffer {
    const free = reuse ? this.take(size, usage, false) : undefined;
    return this.giveOut(free ?? this.make(size, usage, mappedAtCreation));
  }

  /** A buffer that nothing uses that is encoded, for the queue to write. */
  acquireIdle(size: number, usage: number): GPUBuffer {
    return this.giveOut(this.take(size, usage, true) ?? this.make(size, usage, false));
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const pooled = this.pooled.get(buffer);
    if (pooled === undefined) return;
    this.numUsedBuffers--;
    this.numBytesUsed -= pooled.size;
    if (!reuse) {
      this.destroy(pooled);
      return;
    }
    pooled.backAt = this.submits;
    const { free } = pooled.shelf;
    let at = free.length;
    while (at > 0 && free[at - 1].number < pooled.number) at--;
    free.splice(at, 0, pooled);
    this.numFreeBuffers++;
  }

  /** All that was encoded is submitted. */
  submitted(): void {
    this.submits++;
    if (this.numBytesAllocated - this.numBytesUsed > KEPT) this.trim();
  }

  getNumUsedBuffers(): number {
    return this.numUsedBuffers;
  }

  getNumFreeBuffers(): number {
    return this.numFreeBuffers;
  }

  dispose(): void {
    for (const buffer of this.pooled.keys()) buffer.destroy();
    this.pooled.clear();
    this.shelves.clear();
    this.numUsedBuffers = this.numFreeBuffers = this.numBytesUsed = this.numBytesAllocated = 0;
  }

  /** @param idle whether what is encoded must not use it */
  private take(size: number, usage: number, idle: boolean): Pooled | undefined {
    const shelf = this.shelfOf(size, usage);
    shelf.asked = this.givenOut;
    const { free } = shelf;
    let at = free.length - 1;
    while (idle && at >= 0 && free[at].backAt === this.submits) at--;
    if (at < 0) return undefined;
    this.numFreeBuffers--;
    return free.splice(at, 1)[0];
  }

  private make(size: number, usage: number, mappedAtCreation: boolean): Pooled {
    const buffer = this.device.createBuffer({ size, usage, mappedAtCreation });
    const pooled = { buffer, number: this.made++, size, shelf: this.shelfOf(size, usage), backAt: 0 };
    this.pooled.set(buffer, pooled);
    this.numBytesAllocated += size;
    return pooled;
  }

  private giveOut({ buffer, size }: Pooled): GPUBuffer {
    this.numUsedBuffers++;
    this.numBytesUsed += size;
    this.givenOut++;
    return buffer;
  }

  private shelfOf(size: number, usage: number): Shelf {
    const key = size * USES + usage;
    let shelf = this.shelves.get(key);
    if (shelf === undefined) {
      shelf = { free: [], asked: this.givenOut };
      this.shelves.set(key, shelf);
    }
    return shelf;
  }

  private trim(): void {
    for (const { free, asked } of this.shelves.values()) {
      if (this.givenOut - asked < PATIENCE) continue;
      for (const pooled of free) this.destroy(pooled);
      this.numFreeBuffers -= free.length;
      free.length = 0;
    }
  }

  private destroy({ buffer, size }: Pooled): void {
    this.pooled.delete(buffer);
    this.numBytesAllocated -= size;
    buffer.destroy();
  }
}
