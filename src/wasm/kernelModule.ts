import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import { ARGUMENT_BYTES, TRIAL_BYTES } from '../core/kernelConstants';
import { declareMemory, fromBase64 } from './binary';
import { type BlockViews, type Entry, entries, type Fields, writeBlock } from './blocks';
import { compileKernels, fasterPanel } from './engine';
import { plainKernels, relaxedKernels } from './kernelBinaries';
import { type Helper, startHelper } from './threads';

/** Functions that the compiled kernels export; pointers are byte addresses. */
interface Exports extends Record<Entry, () => void> {
  blockBytes(): number;
  attach(block: number, workers: number, number: number): void;
  joined(): number;
  usePanels(columns: number): void;
  tryTile(columns: number, repetitions: number, room: number): void;
  argumentsAt(): number;
  winogradLocalBytes(tiles: number, channels: number): number;
  narrowBytes(tiles: number, channels: number): number;
  winogradFilterLocalBytes(narrowChannels: number): number;
  segmentSum(
    values: number,
    ids: number,
    rows: number,
    columns: number,
    segments: number,
    output: number,
  ): void;
  splineRoomBytes(bins: number): number;
  luBytes(channels: number): number;
  luMatrix(
    channels: number,
    permutation: number,
    lower: number,
    upper: number,
    diagonal: number,
    output: number,
  ): void;
  luMatrixGradient(
    channels: number,
    permutation: number,
    lower: number,
    upper: number,
    diagonal: number,
    ofMatrix: number,
    ofLogDet: number,
    ofLower: number,
    ofUpper: number,
    ofLogScale: number,
  ): void;
  addParts(at: number, parts: number, count: number): void;
  exponentials(from: number, to: number, count: number): void;
  scaleLines(from: number, factors: number, to: number, rows: number, columns: number): void;
  perceptronLocalBytes(gradientBytes: number): number;
  productLocalBytes(taps: number, depth: number, unfolded: number): number;
  tapsFirst(from: number, to: number, channels: number, taps: number, columns: number): void;
  correlationPanelBytes(rows: number, columns: number, width: number): number;
  correlationLocalBytes(patchColumns: number): number;
}

/** Every piece of scratch starts on a cache line of its own. */
const ALIGNMENT = 64;

/** Our kernels, bound to the heap of one wasm backend: they compute on its tensors where they lie. */
export class KernelModule {
  private static readonly bound = new WeakMap<object, KernelModule>();

  /** The kernels of a backend; binds them, single-threaded, where that has not happened. */
  static of(backend: unknown): KernelModule {
    return KernelModule.bound.get(backend as object) ?? KernelModule.bind(backend as BackendWasm, 1);
  }

  /**
   * Binds kernels to a backend with this many threads; more than one needs a shared memory.
   *
   * @param hiddenInstructions whether to use instructions that the engine keeps behind a flag
   */
  static bind(backend: BackendWasm, threads: number, hiddenInstructions = true): KernelModule {
    KernelModule.release(backend);
    const kernels = new KernelModule(backend, threads, hiddenInstructions);
    KernelModule.bound.set(backend, kernels);
    return kernels;
  }

  /** Ends the threads of a backend that is going away. */
  static release(backend: object): void {
    KernelModule.bound.get(backend)?.dispose();
  }

  readonly exports: Exports;
  /** Whether products are summed with fused multiply-add. */
  readonly relaxed: boolean;
  /** Whether the kernels were compiled for vectors of 256 bits. */
  readonly wide: boolean;
  /** Columns of a packed panel: 16 where vectors have 256 bits, else 8. */
  readonly panelColumns: 8 | 16;
  private readonly memory: WebAssembly.Memory;
  private readonly helpers: Helper[];
  private readonly control: number;
  private argumentViews: BlockViews;
  private scratchAt = 0;
  private scratchBytes = 0;
  private zerosAt = 0;
  private zerosBytes = 0;

  private constructor(
    private readonly backend: BackendWasm,
    readonly threads: number,
    hiddenInstructions: boolean,
  ) {
    this.memory = memoryOf(backend);
    const compiled = compileKernels(
      this.fitted(relaxedKernels),
      this.fitted(plainKernels),
      hiddenInstructions,
    );
    if (compiled === undefined) {
      const hint = 'Update it, or train on another backend: tf.setBackend("webgl") or "cpu".';
      throw new BackendError(
        complaint('prepareWasm', 'a WebAssembly engine with SIMD and atomics', 'one without', hint),
      );
    }
    const { module, relaxed, wide } = compiled;
    this.relaxed = relaxed;
    this.wide = wide;
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.exports = instance.exports as unknown as Exports;
    this.panelColumns = wide ? this.fasterPanel() : 8;
    this.exports.usePanels(this.panelColumns);

    const bytes = this.exports.blockBytes();
    this.control = this.allocate(bytes);
    this.clear(this.control, bytes);
    const workers = threads - 1;
    this.exports.attach(this.control, workers, 0);
    this.argumentViews = this.viewArguments();
    this.helpers = Array.from({ length: workers }, (_, i) =>
      startHelper({
        module,
        memory: this.memory,
        panelColumns: this.panelColumns,
        control: this.control,
        workers,
        number: i + 1,
      }),
    );
  }

  /** Address of a tensor's values. */
  pointer(tensor: TensorInfo): number {
    return this.backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** Room for intermediate values: one address per size. Valid until the next call. */
  scratch(...sizes: number[]): number[] {
    const total = sizes.reduce((sum, bytes) => sum + align(bytes), ALIGNMENT);
    if (total > this.scratchBytes) {
      if (this.scratchAt !== 0) this.free(this.scratchAt);
      this.scratchBytes = Math.ceil(total * 1.25);
      this.scratchAt = this.allocate(this.scratchBytes);
    }
    let at = align(this.scratchAt);
    return sizes.map((bytes) => {
      const place = at;
      at += align(bytes);
      return place;
    });
  }

  /** Calls `use` with an address per size; the room is free again afterwards. */
  withRoom<T>(sizes: readonly number[], use: (...addresses: number[]) => T): T {
    const addresses = sizes.map((bytes) => this.allocate(bytes));
    try {
      return use(...addresses);
    } finally {
      for (const address of addresses) this.free(address);
    }
  }

  /** Address of at least so many bytes of zeros. */
  zeros(bytes: number): number {
    if (bytes > this.zerosBytes) {
      if (this.zerosAt !== 0) this.free(this.zerosAt);
      this.zerosBytes = bytes * 2;
      this.zerosAt = this.allocate(this.zerosBytes);
      this.clear(this.zerosAt, this.zerosBytes);
    }
    return this.zerosAt;
  }

  /** Sets bytes to zero. */
  clear(at: number, bytes: number): void {
    new Uint8Array(this.memory.buffer, at, bytes).fill(0);
  }

  /** Writes words to the heap. */
  write(at: number, words: Int32Array): void {
    new Int32Array(this.memory.buffer, at, words.length).set(words);
  }

  /** Copies bytes within the heap. */
  copy(from: number, to: number, bytes: number): void {
    new Uint8Array(this.memory.buffer).copyWithin(to, from, from + bytes);
  }

  /** Runs a computation on the fields of its block, by name. */
  run<Name extends Entry>(entry: Name, fields: Fields<(typeof entries)[Name]>): void {
    if (this.argumentViews.words.buffer !== this.memory.buffer) this.argumentViews = this.viewArguments();
    writeBlock(entries[entry], fields, this.argumentViews);
    this.exports[entry]();
  }

  /** Resolves when every thread has joined, or rejects after ten seconds. */
  async ready(): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (this.exports.joined() < this.helpers.length) {
      if (Date.now() > deadline) {
        this.dispose();
        throw new BackendError(
          `prepareWasm: only ${this.exports.joined() + 1} of ${this.threads} threads started. ` +
            'Ask for fewer by the option threads.',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /**
   * Ends the threads and frees what was allocated, except for the control block: a worker reads it until it has ended,
   * and must never take other bytes for a chunk of work.
   */
  dispose(): void {
    for (const helper of this.helpers) helper.terminate();
    for (const at of [this.scratchAt, this.zerosAt]) if (at !== 0) this.free(at);
    KernelModule.bound.delete(this.backend);
  }

  private fasterPanel(): 8 | 16 {
    return this.withRoom([TRIAL_BYTES], (room) => {
      this.clear(room, TRIAL_BYTES);
      return fasterPanel(this.exports, room);
    });
  }

  private fitted(base64: string): Uint8Array<ArrayBuffer> {
    return declareMemory(fromBase64(base64), sharesMemory(this.backend));
  }

  /** The heap's buffer changes when it grows, and views on the old one go stale. */
  private viewArguments(): BlockViews {
    const at = this.exports.argumentsAt() >>> 0;
    const { buffer } = this.memory;
    return {
      words: new Int32Array(buffer, at, ARGUMENT_BYTES / 4),
      floats: new Float32Array(buffer, at, ARGUMENT_BYTES / 4),
    };
  }

  private allocate(bytes: number): number {
    const at = heapOf(this.backend)._malloc(bytes) >>> 0;
    if (at === 0) {
      throw new BackendError(
        `wasm kernels: the backend's heap (at most 4 GB) has no room for ${bytes} bytes.`,
      );
    }
    return at;
  }

  private free(at: number): void {
    heapOf(this.backend)._free(at);
  }
}

/** The parts of the backend's Emscripten module that its declarations leave out. */
interface Heap {
  _malloc(bytes: number): number;
  _free(at: number): void;
  HEAPU8: Uint8Array;
  /** Exports, the memory among them in the single-threaded builds. */
  asm: Record<string, unknown>;
  /** The memory in the threaded build. */
  wasmMemory?: WebAssembly.Memory;
}

function heapOf(backend: BackendWasm): Heap {
  return backend.wasm as unknown as Heap;
}

/** Whether threads can work on the backend's tensors. */
export function sharesMemory(backend: BackendWasm): boolean {
  return (
    typeof SharedArrayBuffer !== 'undefined' && heapOf(backend).HEAPU8.buffer instanceof SharedArrayBuffer
  );
}

function memoryOf(backend: BackendWasm): WebAssembly.Memory {
  const { asm, wasmMemory } = heapOf(backend);
  const memory = [wasmMemory, ...Object.values(asm)].find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) {
    throw new BackendError('wasm kernels: this build of the wasm backend does not show its memory.');
  }
  return memory;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
