import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { requireFields } from '../engine/check';

/** What we use of the backend beyond what it declares public. */
export interface BackendFields {
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Dispatches since the queue was submitted. */
  dispatchCountInPass: number;
  /** What the next submit reads or writes: its buffers are not reused before. */
  commandQueueOwnedIds: WeakSet<object>;
  tensorToBinding(tensor: TensorInfo): GPUBindingResource;
}

/** The backend's fields. @throws BackendError where this version of the backend has others */
export function fieldsOfBackend(backend: WebGPUBackend): BackendFields {
  requireFields(backend, 'the webgpu backend', {
    number: ['dispatchCountInPass'],
    object: ['commandQueueOwnedIds', 'tensorMap', 'bufferManager'],
    function: ['tensorToBinding', 'submitQueue', 'ensureCommandEncoderReady', 'endComputePassEncoder'],
  });
  return backend as unknown as BackendFields;
}
