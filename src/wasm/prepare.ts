import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import {
  engine,
  env,
  findBackendFactory,
  registerBackend,
  removeBackend,
  setBackend,
} from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import { nodeModule } from '../core/nodeModule';
import { checkOptions } from '../core/options';
import { checkInteger } from '../core/shapes';
import { registerMissingKernels } from '../engine/missingKernels';
import { declareMemory } from './binary';
import { registerColumnCopies } from './columns';
import { registerConvolutions } from './convolution';
import { registerDepthwise } from './depthwise';
import { registerEinsum } from './einsum';
import { registerFlowKernels } from './flowKernels';
import { registerIdentity } from './identity';
import { KernelModule, sharesMemory } from './kernelModule';
import { registerMatrixProducts } from './matrixProduct';
import { registerReductions } from './reduction';
import { kernelFallbacks, replacedKernels } from './register';
import { defaultThreads, whyOneThread } from './threads';

/** Options of `prepareWasm`. */
export interface WasmOptions {
  /**
   * Threads that compute, the calling one included. Default: one per core, up to 8. Where threads cannot share memory (browsers,
   * outside of workers of cross-origin isolated pages) it is 1 in any case, and the report says why.
   */
  threads?: number;
  /**
   * Whether to use instructions that the engine keeps behind a flag of its own (default true): fused multiply-add in
   * Node 20, vectors of 256 bits from Node 24 on. The flags are set while the kernels compile, no longer, and only in versions
   * under which the kernels were tested.
   */
  hiddenInstructions?: boolean;
  /** URL of the folder with the backend's own .wasm files, for browsers. Default: as the backend finds them. */
  wasmFolder?: string;
}

/** What `prepareWasm` set up. */
export interface WasmReport {
  backend: 'wasm';
  /** Threads that our kernels use. */
  threads: number;
  /** Always true: the kernels need SIMD. */
  simd: boolean;
  /** Bits of the vectors that products are computed with: 256 from Node 24 on, on x64 with AVX2. */
  vectorBits: 128 | 256;
  /** Whether products are summed with fused multiply-add (relaxed SIMD: Node 20 and up, Chrome 114 and up). */
  fusedMultiplyAdd: boolean;
  /** Kernels of ours that are registered. */
  kernels: string[];
  /** What the place where this runs keeps from being used, and why: threads, fused multiply-add, wide vectors. */
  limits: string[];
  /** Calls that our kernels handed on to the ones they replaced, by kernel. */
  fallbacks: Record<string, number>;
}

/** The wasm backend's own priority among backends. */
const PRIORITY = 2;
/** How the backend starts; it forgets this when it is removed. */
const stockFactory = findBackendFactory('wasm');
const SIMD_FILE = 'tfjs-backend-wasm-simd.wasm';

/**
 * Prepares the wasm backend for training and makes it the active one.
 *
 * Registers the kernels that stock tfjs lacks or does slowly (convolutions with their gradients, matrix products),
 * so that flows and any other tfjs model train on wasm. With more than one thread the backend starts anew on a shared
 * memory, so call this before tensors are made; the threads do not keep a Node process alive.
 * Results are bit-identical for the same seed on the same machine, whatever the number of threads.
 *
 * @throws ConfigError for a wrong option; BackendError where the backend does not start, has no SIMD, or holds tensors
 * @example
 * import { prepareWasm } from 'tfjs-flows/wasm';
 * const report = await prepareWasm();
 * console.log(report.threads, report.fusedMultiplyAdd);
 */
export function prepareWasm(options: WasmOptions = {}): Promise<WasmReport> {
  const prepared = preparations.then(() => prepare(options));
  preparations = prepared.catch(() => {});
  return prepared;
}

/** Calls wait for each other: each may start the backend anew. */
let preparations: Promise<unknown> = Promise.resolve();

async function prepare(options: WasmOptions): Promise<WasmReport> {
  checkOptions('prepareWasm', options, {
    threads: true,
    hiddenInstructions: 'boolean',
    wasmFolder: ['path'],
  });
  const wanted = options.threads ?? defaultThreads();
  checkInteger('prepareWasm', 'threads', wanted);
  const threads = whyOneThread() === undefined ? wanted : 1;
  registerMissingKernels();
  registerColumnCopies();
  registerConvolutions();
  registerMatrixProducts();
  registerReductions();
  registerDepthwise();
  registerEinsum();
  registerFlowKernels();
  registerIdentity();
  if (options.wasmFolder !== undefined) setWasmPaths(options.wasmFolder);
  // In isolated pages the backend would start its own threaded build, with eight workers beside ours.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const running = runningBackend();
  if (threads > 1 && (running === undefined || !sharesMemory(running))) await shareMemory(options.wasmFolder);
  if (!findBackendFactory('wasm')) registerBackend('wasm', stockFactory, PRIORITY);
  if (!(await setBackend('wasm'))) {
    throw new BackendError('prepareWasm: the wasm backend did not start.');
  }
  const kernels = KernelModule.bind(runningBackend()!, threads, options.hiddenInstructions);
  await kernels.ready();
  return report(kernels);
}

/**
 * What is active on the wasm backend: threads, instructions, kernels, and the calls that fell back to stock ones.
 *
 * @throws BackendError before the backend has started
 * @example
 * console.log(wasmReport().fallbacks); // {} when every call ran on our kernels
 */
export function wasmReport(): WasmReport {
  const backend = runningBackend();
  if (backend === undefined) throw new BackendError('wasmReport: call prepareWasm first.');
  return report(KernelModule.of(backend));
}

function report(kernels: KernelModule): WasmReport {
  return {
    backend: 'wasm',
    threads: kernels.threads,
    simd: true,
    vectorBits: kernels.panelColumns === 16 ? 256 : 128,
    fusedMultiplyAdd: kernels.relaxed,
    kernels: replacedKernels(),
    limits: limitsOf(kernels),
    fallbacks: kernelFallbacks(),
  };
}

function limitsOf({ relaxed, wide, panelColumns }: KernelModule): string[] {
  const limits: string[] = [];
  const oneThread = whyOneThread();
  if (oneThread !== undefined) limits.push(`threads: 1, because ${oneThread}.`);
  if (!relaxed) {
    limits.push('fusedMultiplyAdd: false, because this engine has no relaxed SIMD (Node 20, Chrome 114).');
  }
  if (panelColumns === 8) {
    const why = wide ? 'this processor has no AVX2' : 'this engine has none of 256 (Node 24 on x64 has)';
    limits.push(`vectorBits: 128, because ${why}.`);
  }
  return limits;
}

/** The wasm backend if it has started. (tf.findBackend would start it.) */
function runningBackend(): BackendWasm | undefined {
  return engine().registry.wasm as BackendWasm | undefined;
}

async function shareMemory(folder?: string): Promise<void> {
  const running = runningBackend();
  if (running !== undefined && running.numDataIds() > 0) {
    throw new BackendError('prepareWasm: the wasm backend holds tensors already. Call prepareWasm first.');
  }
  const bytes = declareMemory(await stockBinary(folder), true);
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/wasm' }));
  setWasmPaths(
    { 'tfjs-backend-wasm.wasm': url, [SIMD_FILE]: url, 'tfjs-backend-wasm-threaded-simd.wasm': url },
    true,
  );
  if (running !== undefined) removeBackend('wasm');
}

async function stockBinary(folder?: string): Promise<Uint8Array> {
  const modules = nodeModule<typeof import('node:module')>('node:module');
  const files = nodeModule<typeof import('node:fs/promises')>('node:fs/promises');
  if (modules !== undefined && files !== undefined) {
    const path = modules
      .createRequire(import.meta.url)
      .resolve(`@tensorflow/tfjs-backend-wasm/dist/${SIMD_FILE}`);
    return files.readFile(path);
  }
  const response = await fetch(`${folder ?? ''}${SIMD_FILE}`);
  return new Uint8Array(await response.arrayBuffer());
}
