import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { BackendValues, DataStorage, DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { requireFields } from '../engine/check';

/** Names of values in a backend. */
export type DataId = TensorInfo['dataId'];

/** Part of a buffer, beginning at a multiple of 256 bytes. */
export interface Range {
  buffer: GPUBuffer;
  offset: number;
  size: number;
  /** The number by which programs find what they bound, from their first run with it on. */
  place?: number;
}

/** What the backend knows of a tensor's values. */
export interface TensorData {
  /** On the host; null where they are on the device alone. */
  values: BackendValues | null;
  dtype: DataType;
  shape: number[];
  /** On the device. */
  resource?: unknown;
  /** The resource is somebody else's: the backend does not release it. */
  external?: boolean;
}

/** The backend with what we use of it beyond what it declares public. */
export interface OpenBackend extends KernelBackend {
  device: GPUDevice;
  tensorMap: DataStorage<TensorData>;
  bufferManager: WebGPUBackend['bufferManager'];
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Dispatches since the queue was submitted. */
  dispatchCountInPass: number;
  /** What the next submit reads or writes: the backend keeps its buffers until then. */
  commandQueueOwnedIds: WeakSet<object>;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  tensorToBinding(tensor: TensorInfo): GPUBindingResource | null;
  uploadToGPU(dataId: DataId): void;
  disposeData(dataId: DataId, force?: boolean): boolean;
  releaseResource(dataId: DataId): void;
  convertAndCacheOnCPU(dataId: DataId, values: BackendValues): BackendValues;
  read(dataId: object): Promise<BackendValues>;
  readSync(dataId: object): BackendValues;
  readToGPU(dataId: object): ReturnType<WebGPUBackend['readToGPU']>;
}

/** The backend, opened. @throws BackendError where this version of the backend has other fields */
export function openBackend(backend: WebGPUBackend): OpenBackend {
  requireFields(backend, 'the webgpu backend', {
    number: ['dispatchCountInPass'],
    object: ['commandQueueOwnedIds', 'tensorMap', 'bufferManager'],
    function: [
      'tensorToBinding',
      'submitQueue',
      'ensureCommandEncoderReady',
      'endComputePassEncoder',
      'releaseResource',
      'convertAndCacheOnCPU',
      'uploadToGPU',
    ],
  });
  return backend as unknown as OpenBackend;
}

/** What buffers of tensors serve for. The global is there no sooner than the adapter. */
export function tensorUsage(): GPUBufferUsageFlags {
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
