import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type BackendValues, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { Arena } from './arena';
import {
  type DataId,
  type OpenBackend,
  openBackend,
  type Range,
  type TensorData,
  tensorUsage,
} from './backend';
import { BufferPool } from './bufferPool';
import { DeviceWatch } from './deviceWatch';

type OpenClass = new (device: GPUDevice, info?: GPUAdapterInfo) => OpenBackend;

/** The backend with an arena of tensors that share buffers. */
export type FlowBackend = WebGPUBackend & { readonly arena: Arena };

/**
 * Makes the backend of TensorFlow.js with three things changed: tensors may share a buffer (ops bind and read their part of it), uploads
 * go by the queue, so that they end no pass, and buffers come from a pool of ours, where they are free as soon as their tensor is gone.
 */
export function makeFlowBackend(
  Stock: typeof WebGPUBackend,
  device: GPUDevice,
  info: GPUAdapterInfo,
): FlowBackend {
  class WithArena extends (Stock as unknown as OpenClass) {
    private readonly pool = new BufferPool(device);
    override bufferManager = this.pool as unknown as OpenBackend['bufferManager'];
    readonly arena = new Arena(openBackend(this as unknown as WebGPUBackend));

    override tensorToBinding(tensor: TensorInfo): GPUBindingResource | null {
      const place = tensor && this.arena.rangeOf(tensor.dataId);
      if (place === undefined || place === null) return super.tensorToBinding(tensor);
      const { buffer, offset, size } = place;
      return { buffer, offset, size };
    }

    override releaseResource(dataId: DataId): void {
      if (this.arena.release(dataId)) this.tensorMap.get(dataId).resource = null;
      else super.releaseResource(dataId);
    }

    /** The queue writes ahead of what is encoded: into a buffer that nothing in there uses. */
    override uploadToGPU(dataId: DataId): void {
      const data = this.tensorMap.get(dataId);
      const words = data.resource == null ? wordsOf(data) : undefined;
      if (words === undefined) {
        super.uploadToGPU(dataId);
        return;
      }
      const buffer = this.pool.acquireIdle(words.byteLength, tensorUsage());
      this.device.queue.writeBuffer(buffer, 0, words);
      Object.assign(data, { resource: buffer, values: null });
    }

    /** Its buffer is free at once for what programs write later: they run in their order. */
    override disposeData(dataId: DataId, force?: boolean): boolean {
      this.commandQueueOwnedIds.delete(dataId);
      return super.disposeData(dataId, force);
    }

    override submitQueue(): void {
      super.submitQueue();
      this.pool.submitted();
    }

    /** Values that the host may still ask for stay there. */
    upload({ dataId }: TensorInfo): void {
      const data = this.tensorMap.get(dataId);
      const { values } = data;
      this.uploadToGPU(dataId);
      data.values = values;
    }

    override async read(dataId: object): Promise<BackendValues> {
      const place = this.arena.rangeOf(dataId);
      if (place === undefined) return super.read(dataId);
      const { dtype } = this.tensorMap.get(dataId);
      const bytes = await DeviceWatch.of(this.device).reading(() => this.bytesOf(place));
      return util.convertBackendValuesAndArrayBuffer(bytes, dtype);
    }

    /** A tensor may be disposed of while its values are on their way. */
    override convertAndCacheOnCPU(dataId: DataId, values: BackendValues): BackendValues {
      return this.tensorMap.has(dataId) ? super.convertAndCacheOnCPU(dataId, values) : values;
    }

    private async bytesOf({ buffer, offset, size }: Range): Promise<ArrayBuffer> {
      const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
      const staging = this.bufferManager.acquireBuffer(size, usage);
      this.ensureCommandEncoderReady();
      this.endComputePassEncoder();
      this.commandEncoder?.copyBufferToBuffer(buffer, offset, staging, 0, size);
      this.submitQueue();
      await staging.mapAsync(GPUMapMode.READ);
      const bytes = staging.getMappedRange().slice(0);
      staging.unmap();
      this.bufferManager.releaseBuffer(staging);
      return bytes;
    }

    override readSync(dataId: object): BackendValues {
      this.arena.moveOut(dataId);
      return super.readSync(dataId);
    }

    override readToGPU(dataId: object): ReturnType<WebGPUBackend['readToGPU']> {
      this.arena.moveOut(dataId);
      return super.readToGPU(dataId);
    }
  }
  return new WithArena(device, info) as unknown as FlowBackend;
}

/** Values on the host as the device has them; undefined where there are none. */
function wordsOf({
  values,
  dtype,
}: TensorData): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | undefined {
  if (!values || dtype === 'string' || dtype === 'complex64') return undefined;
  const words = dtype === 'float32' ? Float32Array : Int32Array;
  return (
    values instanceof words ? values : words.from(values as ArrayLike<number>)
  ) as Float32Array<ArrayBuffer>;
}
