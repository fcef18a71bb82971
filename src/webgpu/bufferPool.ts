/** Free bytes that are kept in any case. */
const KEPT = 64e6;
/** A size that nobody asked for while so many buffers were given out, those of ten steps and more, is no longer of use. */
const PATIENCE = 32768;

/** Free buffers of one size and use. */
interface Shelf {
  /** By their numbers, the highest first. */
  free: GPUBuffer[];
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
  private readonly numbers = new Map<GPUBuffer, number>();
  /** The one that was asked for last is the last. */
  private readonly shelves = new Map<string, Shelf>();
  /** Free ones that came back since the last submit. */
  private readonly encoded = new Set<GPUBuffer>();

  constructor(private readonly device: GPUDevice) {}

  /** @param reuse false for one that is destroyed when it comes back, and must be new */
  acquireBuffer(size: number, usage: number, mappedAtCreation = false, reuse = true): GPUBuffer {
    const free = reuse ? this.take(size, usage, () => true) : undefined;
    return this.giveOut(free ?? this.make(size, usage, mappedAtCreation));
  }

  /** A buffer that nothing uses that is encoded, for the queue to write. */
  acquireIdle(size: number, usage: number): GPUBuffer {
    const free = this.take(size, usage, (buffer) => !this.encoded.has(buffer));
    return this.giveOut(free ?? this.make(size, usage, false));
  }

  /** All that was encoded is submitted. */
  idle(): void {
    this.encoded.clear();
    this.trim();
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const number = this.numbers.get(buffer);
    if (number === undefined) return;
    const { size, usage } = buffer;
    this.numUsedBuffers--;
    this.numBytesUsed -= size;
    if (!reuse) {
      this.destroy(buffer);
      return;
    }
    const { free } = this.shelfOf(size, usage);
    let at = free.length;
    while (at > 0 && (this.numbers.get(free[at - 1]) as number) < number) at--;
    free.splice(at, 0, buffer);
    this.encoded.add(buffer);
    this.numFreeBuffers++;
  }

  getNumUsedBuffers(): number {
    return this.numUsedBuffers;
  }

  getNumFreeBuffers(): number {
    return this.numFreeBuffers;
  }

  dispose(): void {
    for (const buffer of this.numbers.keys()) buffer.destroy();
    this.numbers.clear();
    this.shelves.clear();
    this.encoded.clear();
    this.numUsedBuffers = this.numFreeBuffers = this.numBytesUsed = this.numBytesAllocated = 0;
  }

  private giveOut(buffer: GPUBuffer): GPUBuffer {
    this.encoded.delete(buffer);
    this.numUsedBuffers++;
    this.numBytesUsed += buffer.size;
    this.givenOut++;
    return buffer;
  }

  private take(size: number, usage: number, suits: (buffer: GPUBuffer) => boolean): GPUBuffer | undefined {
    const key = keyOf(size, usage);
    const shelf = this.shelves.get(key);
    if (shelf === undefined) return undefined;
    shelf.asked = this.givenOut;
    // The last in their order, as Map keeps that in which they came.
    this.shelves.delete(key);
    this.shelves.set(key, shelf);
    const at = shelf.free.findLastIndex(suits);
    if (at < 0) return undefined;
    this.numFreeBuffers--;
    return shelf.free.splice(at, 1)[0];
  }

  private make(size: number, usage: number, mappedAtCreation: boolean): GPUBuffer {
    const buffer = this.device.createBuffer({ size, usage, mappedAtCreation });
    this.numbers.set(buffer, this.made++);
    this.numBytesAllocated += size;
    return buffer;
  }

  private shelfOf(size: number, usage: number): Shelf {
    const key = keyOf(size, usage);
    let shelf = this.shelves.get(key);
    if (shelf === undefined) {
      shelf = { free: [], asked: this.givenOut };
      this.shelves.set(key, shelf);
    }
    return shelf;
  }

  private trim(): void {
    if (this.numBytesAllocated - this.numBytesUsed <= KEPT) return;
    for (const [key, { free, asked }] of this.shelves) {
      if (this.givenOut - asked < PATIENCE) return;
      for (const buffer of free) this.destroy(buffer);
      this.numFreeBuffers -= free.length;
      this.shelves.delete(key);
    }
  }

  private destroy(buffer: GPUBuffer): void {
    this.numbers.delete(buffer);
    this.numBytesAllocated -= buffer.size;
    buffer.destroy();
  }
}

function keyOf(size: number, usage: number): string {
  return `${size}_${usage}`;
}
