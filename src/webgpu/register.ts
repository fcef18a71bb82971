import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { registerKernel, type TensorInfo } from '@tensorflow/tfjs-core';
import { Gpu } from './gpu';

/** What a kernel is called with: its tensors by name, or in a list. */
export interface KernelCall<Inputs, Attributes> {
  inputs: Inputs;
  attrs: Attributes;
  gpu: Gpu;
}

/** A kernel of a fused operation. */
export type GpuKernel<Inputs, Attributes> = (call: KernelCall<Inputs, Attributes>) => TensorInfo[];

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

/** Names of the kernels that are ours. */
export function registeredKernels(): string[] {
  return [...registered];
}
