import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type BackendValues, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { Arena } from './arena';
import { type DataId, type OpenBackend, openBackend, type Range, type TensorData } from './backend';
import { BufferPool } from './bufferPool';
import { DeviceWatch } from './deviceWatch';

type OpenClass = new (device: GPUDevice, info?: GPUAdapterInfo) => OpenBackend;

/** The backend with an arena of tensors that share buffers. */
export type FlowBackend = WebGPUBackend & { readonly arena: Arena };

/**
 * Makes the backend of TensorFlow.js with three things changed: tensors may share a buffer (ops bind and read their part of it), uploads
 * go by the queue, so that they end no pass, and buffers come from a pool of ours.
 */
export function makeFlowBackend(
  Stock: typeof WebGPUBackend,
  device: GPUDevice,
  info: GPUAdapterInfo,
): FlowBackend {
  class WithArena extends (Stock as unknown as OpenClass) {
    override bufferManager = new BufferPool(device) as unknown as OpenBackend['bufferManager'];
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

    /** The queue may write ahead of what is encoded: nothing in there uses a buffer that the backend gives out. */
    override uploadToGPU(dataId: DataId): void {
      const data = this.tensorMap.get(dataId);
      const words = data.resource == null ? wordsOf(data) : undefined;
      if (words !== undefined) data.values = null;
      super.uploadToGPU(dataId);
      if (words !== undefined) this.device.queue.writeBuffer(data.resource as GPUBuffer, 0, words);
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
