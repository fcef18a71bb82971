import { nodeModule } from '../core/nodeModule';

/** What a worker needs to join the kernels on the backend's memory. */
export interface WorkerSetup {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  panelColumns: number;
  /** Address of the control block. */
  control: number;
  /** Number of worker threads. */
  workers: number;
  /** Number of this thread, 1 and up. */
  number: number;
}

/** A running worker thread. */
export interface Helper {
  terminate(): void;
}

/** Why no second thread can work on the backend's memory here; undefined where one can. */
export function whyOneThread(): string | undefined {
  const inBrowser = nodeModule('node:os') === undefined;
  if (inBrowser && !globalThis.crossOriginIsolated) {
    return 'the page is not cross-origin isolated (headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy)';
  }
  if (typeof SharedArrayBuffer === 'undefined') return 'there is no SharedArrayBuffer here';
  const inWorker = typeof (globalThis as { importScripts?: unknown }).importScripts === 'function';
  return inBrowser && !inWorker
    ? "a page's main thread may not wait for others: train in a worker"
    : undefined;
}

/** Threads that make sense by default: one per core, up to eight; one where workers cannot share memory. */
export function defaultThreads(): number {
  if (whyOneThread() !== undefined) return 1;
  const os = nodeModule<typeof import('node:os')>('node:os');
  return Math.min(8, os?.availableParallelism() ?? navigator.hardwareConcurrency ?? 1);
}

/** Runs in the worker: binds the kernels to the shared memory and takes chunks for ever. */
const join = `({ module, memory, panelColumns, control, workers, number }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.usePanels(panelColumns);
  exports.attach(control, workers, number);
  exports.join();
}`;

/** Starts a worker thread that does not keep the process alive. */
export function startHelper(setup: WorkerSetup): Helper {
  const threads = nodeModule<typeof import('node:worker_threads')>('node:worker_threads');
  if (threads !== undefined) {
    // Neither depends on the flags of the process: with --input-type=module there is no require, and loaders only cost time.
    const code = `(${join})(process.getBuiltinModule('node:worker_threads').workerData)`;
    const worker = new threads.Worker(code, { eval: true, execArgv: [], workerData: setup });
    worker.unref();
    return { terminate: () => void worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([`onmessage = ({ data }) => (${join})(data)`]));
  const worker = new Worker(url);
  worker.postMessage(setup);
  return {
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
