import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  type DataType,
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
  util,
} from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
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

/** What one input must be, as far as it follows from the others and the attributes. */
export interface Expected {
  /** Default: those of the declaration. */
  dtypes?: readonly DataType[];
  shape?: readonly number[];
  /** Number of values, where the shape does not matter. */
  size?: number;
}

/** What a kernel takes; nothing else reaches it. */
export interface Declaration<Inputs extends string, Attributes, Optional extends string = never> {
  /** Types of the inputs, unless more is said of one. Default: float32 alone. */
  dtypes?: readonly DataType[];
  /** Single inputs by name, or all in the order in which they come. */
  inputs?(
    call: Pick<KernelCall<Inputs, Attributes, Optional>, 'inputs' | 'attrs'>,
  ): { readonly [name in Inputs | Optional]?: Expected } | readonly Expected[];
}

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
      const refusal = refuse(kernelName, { inputs, attrs }, declaration, before === undefined);
      const ours = refusal ? null : kernel({ inputs, attrs, backend, kernels: KernelModule.of(backend) });
      if (ours !== null) return ours;
      fallbacks.set(kernelName, (fallbacks.get(kernelName) ?? 0) + 1);
      if (before === undefined) {
        throw new BackendError(`${kernelName}: the wasm backend has no kernel for these inputs.`);
      }
      return before.kernelFunc(call);
    },
  });
}

/**
 * Whether an input has a type that was not declared.
 *
 * @throws BackendError where one has another shape, is missing, or has such a type and there is no other kernel to take it
 */
function refuse<Inputs extends string, Attributes, Optional extends string>(
  kernelName: string,
  call: Pick<KernelCall<Inputs, Attributes, Optional>, 'inputs' | 'attrs'>,
  { dtypes = ['float32'], inputs }: Declaration<Inputs, Attributes, Optional>,
  alone: boolean,
): boolean {
  const given = call.inputs as Record<string, TensorInfo | undefined>;
  const expected = inputs?.(call) as Record<string, Expected | undefined> | undefined;
  const complain = (name: string, what: string, got: string) => {
    const input = /^\d+$/.test(name) ? `input ${name}` : name;
    return new BackendError(complaint(`${kernelName} on wasm`, `${input} ${what}`, got));
  };
  let refused = false;
  for (const name in given) {
    const tensor = given[name];
    if (tensor === undefined) continue;
    const { shape, size, dtypes: types = dtypes } = expected?.[name] ?? {};
    if (!types.includes(tensor.dtype)) {
      if (alone) throw complain(name, `of type ${types.join(' or ')}`, tensor.dtype);
      refused = true;
    }
    if (shape !== undefined && !util.arraysEqual(shape as number[], tensor.shape)) {
      throw complain(name, `of shape [${shape.join(', ')}]`, `[${tensor.shape.join(', ')}]`);
    }
    if (size !== undefined && size !== util.sizeFromShape(tensor.shape)) {
      throw complain(name, `of ${size} values`, `${util.sizeFromShape(tensor.shape)}`);
    }
  }
  for (const name in expected) if (given[name] === undefined) throw complain(name, 'to be there', 'none');
  return refused;
}

/** Names of the kernels that are ours. */
export function replacedKernels(): string[] {
  return [...replaced.keys()];
}

/** How often each of our kernels handed a call on to the one it replaced. */
export function kernelFallbacks(): Record<string, number> {
  return Object.fromEntries(fallbacks);
}
