import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { getKernel, registerKernel, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import { Gpu } from './gpu';

/** What a kernel is called with: its tensors by name, or in a list. */
export interface KernelCall<Inputs, Attributes> {
  inputs: Inputs;
  attrs: Attributes;
  gpu: Gpu;
}

/** Computes the result, or several. */
export type GpuKernel<Inputs, Attributes> = (
  call: KernelCall<Inputs, Attributes>,
) => TensorInfo | TensorInfo[];

const registered = new Set<string>();

/** Registers a kernel for the webgpu backend, once. */
export function registerGpuKernel<Inputs, Attributes>(
  kernelName: string,
  kernel: GpuKernel<Inputs, Attributes>,
): void {
  if (registered.has(kernelName)) return;
  registered.add(kernelName);
  registerKernel({
    kernelName,
    backendName: 'webgpu',
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernel({ inputs: inputs as Inputs, attrs: attrs as Attributes, gpu: Gpu.of(backend as WebGPUBackend) }),
  });
}

/** Registers a kernel in place of the backend's own, which must be there by then, and takes what ours returns null for. */
export function replaceGpuKernel<Inputs, Attributes>(
  kernelName: string,
  kernel: (call: KernelCall<Inputs, Attributes>) => TensorInfo | TensorInfo[] | null,
): void {
  if (registered.has(kernelName)) return;
  const before = getKernel(kernelName, 'webgpu');
  if (before !== undefined) unregisterKernel(kernelName, 'webgpu');
  registerGpuKernel<Inputs, Attributes>(kernelName, ({ inputs, attrs, gpu }) => {
    const result = kernel({ inputs, attrs, gpu });
    if (result !== null) return result;
    if (before === undefined) throw new BackendError(`${kernelName}: no kernel for these inputs on webgpu.`);
    return before.kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend: gpu.backend });
  });
}

/** Names of the kernels that are ours. */
export function registeredKernels(): string[] {
  return [...registered];
}
