import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import type { Arena } from './arena';
import { type OpenBackend, openBackend, type Range } from './backend';
import { Bindings } from './bindings';
import { type Compiled, checkTypes, compile } from './compile';
import { isSoftware } from './device';
import { DeviceWatch } from './deviceWatch';
import type { FlowBackend } from './flowBackend';
import type { Program } from './program';

/** Dispatches that are submitted together. A submit costs the host as much as several of them; waiting keeps the GPU idle. */
const SUBMIT_EVERY = 48;

/**
 * Runs programs on the device of a backend, in the order of all its work. Unlike the backend's own way it writes any number of buffers
 * in one dispatch, and makes uniforms and groups of bindings once for all steps.
 */
export class Gpu {
  private static readonly ofBackends = new WeakMap<WebGPUBackend, Gpu>();
  private readonly fields: OpenBackend;
  private readonly watch: DeviceWatch;
  private readonly programs = new Map<string, Compiled>();
  private readonly bindings: Bindings;
  /** Buffers as a whole. */
  private readonly wholes = new WeakMap<GPUBuffer, Range>();
  /** What stands for an empty tensor, as no binding may be empty. */
  private readonly nothing: Range;
  /** Dispatches so far. */
  dispatches = 0;
  /** Invocations that keep the device busy: with fewer, blocks are made smaller, or sums are taken in more parts. */
  readonly enoughInvocations: number;
  /** Whether what invocations of a workgroup share is best copied to its memory. In a program that stands for a GPU its barriers cost more. */
  readonly tilesInMemory: boolean;

  private constructor(readonly backend: FlowBackend) {
    this.fields = openBackend(backend);
    this.watch = DeviceWatch.of(backend.device);
    this.bindings = new Bindings(backend.device);
    // A program has the threads of the processor; browsers of before 2025 don't say what a device belongs to.
    const { adapterInfo } = backend.device;
    const software = adapterInfo !== undefined && isSoftware(adapterInfo);
    this.enoughInvocations = software ? 256 : 16384;
    this.tilesInMemory = !software;
    const buffer = backend.device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
    this.nothing = { buffer, offset: 0, size: 16 };
  }

  static of(backend: WebGPUBackend): Gpu {
    let gpu = Gpu.ofBackends.get(backend);
    if (gpu === undefined) {
      gpu = new Gpu(backend as FlowBackend);
      Gpu.ofBackends.set(backend, gpu);
    }
    return gpu;
  }

  get device(): GPUDevice {
    return this.backend.device;
  }

  /** Where tensors can share buffers. */
  get arena(): Arena {
    return this.backend.arena;
  }

  /** A new tensor, its values to be written by programs. */
  output(shape: readonly number[], dtype: DataType = 'float32'): TensorInfo {
    const empty = util.sizeFromShape(shape as number[]) === 0;
    return this.backend.makeTensorInfo([...shape], dtype, empty ? new Float32Array(0) : undefined);
  }

  /** What `compute` returns, given room of these numbers of floats, which lasts for it alone. */
  withScratch<T>(sizes: readonly number[], compute: (...rooms: TensorInfo[]) => T): T {
    const rooms = sizes.map((size) => this.output([size]));
    try {
      return compute(...rooms);
    } finally {
      for (const { dataId } of rooms) this.backend.disposeData(dataId);
    }
  }

  /** What `compute` returns, given a tensor with these values, which lasts for it alone: for what changes from step to step. */
  withValues<T>(values: readonly number[], compute: (tensor: TensorInfo) => T): T {
    return this.withUploaded('float32', Float32Array.from(values), compute);
  }

  /** As `withValues`, given words without a meaning. */
  withWords<T>(words: Int32Array, compute: (tensor: TensorInfo) => T): T {
    return this.withUploaded('int32', words, compute);
  }

  private withUploaded<T>(
    dtype: DataType,
    values: Float32Array | Int32Array,
    compute: (tensor: TensorInfo) => T,
  ): T {
    const tensor = this.backend.makeTensorInfo([values.length], dtype, values);
    try {
      return compute(tensor);
    } finally {
      this.backend.disposeData(tensor.dataId);
    }
  }

  /**
   * Runs a program; nothing where there is no workgroup.
   *
   * @throws GpuFailedError after the device failed
   * @param buffers as the program names them; what it writes is written in place
   * @param workgroups their numbers in x, y and z
   * @param sizes values of the program's uniform, which are few different ones in all: what changes from step to step goes into a tensor
   */
  run(
    program: Program,
    buffers: readonly (TensorInfo | Range)[],
    workgroups: readonly [number, number, number],
    sizes: readonly number[] = [],
  ): void {
    const [x, y, z] = workgroups;
    this.watch.check();
    if (x * y * z === 0) return;
    const { backend, fields } = this;
    let compiled = this.programs.get(program.key);
    if (compiled === undefined) {
      compiled = compile(this.device, program);
      this.programs.set(program.key, compiled);
    }
    checkTypes(program, compiled.floats, buffers);
    const ranges: Range[] = [];
    for (const buffer of buffers) ranges.push(this.rangeOf(buffer));
    if (program.sizes !== undefined) ranges.push(this.bindings.uniform(compiled, program.sizes, sizes));
    const group = this.bindings.groupOf(compiled, ranges);
    // Uploads end a pass.
    backend.ensureCommandEncoderReady();
    fields.computePassEncoder ??= (fields.commandEncoder as GPUCommandEncoder).beginComputePass();
    const pass = fields.computePassEncoder;
    pass.setPipeline(compiled.pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y, z);
    this.dispatches++;
    if (++fields.dispatchCountInPass < SUBMIT_EVERY) return;
    backend.endComputePassEncoder();
    backend.submitQueue();
  }

  /** Where the values of a tensor lie; they are uploaded first where they do not yet. */
  rangeOf(buffer: TensorInfo | Range): Range {
    if (!('dataId' in buffer)) return buffer;
    if (util.sizeFromShape(buffer.shape) === 0) return this.nothing;
    const place = this.arena.rangeOf(buffer.dataId);
    if (place !== undefined) return place;
    const data = this.fields.tensorMap.get(buffer.dataId);
    if (data.dtype !== buffer.dtype) {
      throw new BackendError(`webgpu: a tensor of ${buffer.dtype} has values of ${data.dtype}.`);
    }
    if (data.resource == null) this.backend.uploadToGPU(buffer.dataId);
    const own = data.resource as GPUBuffer;
    let whole = this.wholes.get(own);
    if (whole === undefined) {
      whole = { buffer: own, offset: 0, size: own.size };
      this.wholes.set(own, whole);
    }
    return whole;
  }

  /** Room for so many words that no tensor stands for, the first of which are given. It goes when nothing refers to it any more. */
  constant(words: Uint32Array<ArrayBuffer>, count = words.length): Range {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = this.device.createBuffer({ size: count * 4, usage });
    this.device.queue.writeBuffer(buffer, 0, words);
    return { buffer, offset: 0, size: count * 4 };
  }

  /** Copies the values of a tensor into a range, some bytes from its beginning. */
  copy(tensor: TensorInfo, to: Range, at: number): void {
    const { backend, fields } = this;
    const bytes = util.sizeFromShape(tensor.shape) * 4;
    if (bytes === 0) return;
    const from = this.rangeOf(tensor);
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    const encoder = fields.commandEncoder as GPUCommandEncoder;
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset + at, bytes);
  }

  /** What `compute` returns, given the values of tensors side by side, each from its place in floats on. */
  withJoined<T>(
    tensors: readonly TensorInfo[],
    compute: (joined: TensorInfo, places: readonly number[]) => T,
  ): T {
    let floats = 0;
    const places = tensors.map(({ shape }) => {
      floats += util.sizeFromShape(shape);
      return floats - util.sizeFromShape(shape);
    });
    return this.withScratch([floats], (joined) => {
      for (const [i, tensor] of tensors.entries()) this.copy(tensor, this.rangeOf(joined), places[i] * 4);
      return compute(joined, places);
    });
  }
}
