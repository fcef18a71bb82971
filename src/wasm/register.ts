import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  type DataType,
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import { InputChecks } from './inputChecks';
import { KernelModule } from './kernelModule';

/** What a kernel is called with; `Inputs` are the names of its tensors, `Optional` of those that may be missing. */
export interface KernelCall<Inputs extends string, Attributes, Optional extends string = never> {
  inputs: Record<Inputs, TensorInfo> & Partial<Record<Optional, TensorInfo>>;
  attrs: Attributes;
  backend: BackendWasm;
  kernels: KernelModule;
}

/** Where a kernel runs. */
export type Place = Pick<KernelCall<never, unknown>, 'backend' | 'kernels'>;

/** Computes the result, or returns null for a case that it leaves to the kernel it replaced. */
export type Kernel<Inputs extends string, Attributes, Optional extends string> = (
  call: KernelCall<Inputs, Attributes, Optional>,
) => TensorInfo | TensorInfo[] | null;

/** What a kernel takes; nothing else reaches it. */
export interface Declaration<Inputs extends string, Attributes, Optional extends string = never> {
  /** Types of the inputs. Default: float32 alone. */
  dtypes?: readonly DataType[];
  /** Types of single inputs, by name. */
  types?: { readonly [name in Inputs | Optional]?: readonly DataType[] };
  /** Looks at shapes and sizes, as far as they follow from the other inputs and the attributes; stops what does not fit. */
  check?(call: Pick<KernelCall<Inputs, Attributes, Optional>, 'inputs' | 'attrs'>, checks: InputChecks): void;
}

const FLOATS: readonly DataType[] = ['float32'];

const replaced = new Map<string, KernelConfig | undefined>();
const fallbacks = new Map<string, number>();

/**
 * Registers a kernel for the wasm backend in place of what is there.
 *
 * Kernels read and write addresses, so that an input of another type or size would give wrong numbers, or end the heap. Whatever was not
 * declared is refused here, before anything is written; a type goes to the kernel that was replaced, if there is one.
 */
export function replaceKernel<Inputs extends string, Attributes, Optional extends string = never>(
  kernelName: string,
  kernel: Kernel<Inputs, Attributes, Optional>,
  declaration: Declaration<Inputs, Attributes, Optional> = {},
): void {
  if (replaced.has(kernelName)) return;
  const before = getKernel(kernelName, 'wasm') as KernelConfig | undefined;
  replaced.set(kernelName, before);
  if (before !== undefined) unregisterKernel(kernelName, 'wasm');
  const checks = new InputChecks(kernelName);
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
      const inputs = call.inputs as KernelCall<Inputs, Attributes, Optional>['inputs'];
      const attrs = call.attrs as Attributes;
      if (declared(call.inputs as never, declaration, before === undefined ? checks : undefined)) {
        declaration.check?.({ inputs, attrs }, checks);
        const ours = kernel({ inputs, attrs, backend, kernels: KernelModule.of(backend) });
        if (ours !== null) return ours;
      }
      fallbacks.set(kernelName, (fallbacks.get(kernelName) ?? 0) + 1);
      if (before === undefined) {
        throw new BackendError(`${kernelName}: the wasm backend has no kernel for these inputs.`);
      }
      return before.kernelFunc(call);
    },
  });
}

/**
 * Whether all inputs, in a list or by name, have types that are declared.
 *
 * @param alone the checks, where there is no other kernel that could take them
 * @throws BackendError from these checks
 */
function declared<Inputs extends string, Attributes, Optional extends string>(
  inputs: readonly TensorInfo[] | Readonly<Record<string, TensorInfo | undefined>>,
  { dtypes = FLOATS, types }: Declaration<Inputs, Attributes, Optional>,
  alone: InputChecks | undefined,
): boolean {
  const fits = (name: string | number, tensor: TensorInfo, expected: readonly DataType[]) => {
    if (expected.includes(tensor.dtype)) return true;
    alone?.type(name, tensor, expected);
    return false;
  };
  if (Array.isArray(inputs)) return inputs.every((tensor, at) => fits(at, tensor, dtypes));
  const named = inputs as Readonly<Record<string, TensorInfo | undefined>>;
  const single = types as Readonly<Record<string, readonly DataType[] | undefined>> | undefined;
  for (const name in named) {
    const tensor = named[name];
    if (tensor !== undefined && !fits(name, tensor, single?.[name] ?? dtypes)) return false;
  }
  return true;
}

/** Names of the kernels that are ours. */
export function replacedKernels(): string[] {
  return [...replaced.keys()];
}

/** How often each of our kernels handed a call on to the one it replaced. */
export function kernelFallbacks(): Record<string, number> {
  return Object.fromEntries(fallbacks);
}
