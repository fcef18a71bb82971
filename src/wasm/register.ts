import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import { KernelModule } from './kernelModule';

/** What a kernel is called with; `Inputs` are the names of its tensors, `Optional` of those that may be missing. */
export interface KernelCall<Inputs extends string, Attributes, Optional extends string = never> {
  inputs: Record<Inputs, TensorInfo> & Partial<Record<Optional, TensorInfo>>;
  attrs: Attributes;
  backend: BackendWasm;
  kernels: KernelModule;
}

/** Computes the result, or returns null for a case that it leaves to the kernel it replaced. */
export type Kernel<Inputs extends string, Attributes, Optional extends string> = (
  call: KernelCall<Inputs, Attributes, Optional>,
) => TensorInfo | TensorInfo[] | null;

const replaced = new Map<string, KernelConfig | undefined>();
const fallbacks = new Map<string, number>();

/** Registers a kernel for the wasm backend in place of what is there. */
export function replaceKernel<Inputs extends string, Attributes, Optional extends string = never>(
  kernelName: string,
  kernel: Kernel<Inputs, Attributes, Optional>,
): void {
  if (replaced.has(kernelName)) return;
  const before = getKernel(kernelName, 'wasm') as KernelConfig | undefined;
  replaced.set(kernelName, before);
  if (before !== undefined) unregisterKernel(kernelName, 'wasm');
  registerKernel({
    ...before,
    kernelName,
    backendName: 'wasm',
    disposeFunc: (backend) => {
      before?.disposeFunc?.(backend);
      KernelModule.release(backend);
    },
    kernelFunc: (call) => {
      const backend = call.backend as BackendWasm;
      const ours = kernel({
        inputs: call.inputs as KernelCall<Inputs, Attributes, Optional>['inputs'],
        attrs: call.attrs as Attributes,
        backend,
        kernels: KernelModule.of(backend),
      });
      if (ours !== null) return ours;
      fallbacks.set(kernelName, (fallbacks.get(kernelName) ?? 0) + 1);
      if (before === undefined) {
        throw new BackendError(`${kernelName}: the wasm backend has no kernel for these inputs.`);
      }
      return before.kernelFunc(call);
    },
  });
}

/** Names of the kernels that are ours. */
export function replacedKernels(): string[] {
  return [...replaced.keys()];
}

/** How often each of our kernels handed a call on to the one it replaced. */
export function kernelFallbacks(): Record<string, number> {
  return Object.fromEntries(fallbacks);
}
