import { NoGpuError } from '../core/errors';
import { checkOptions } from '../core/options';
import { checkInteger } from '../core/shapes';
import type { WasmOptions, WasmReport } from '../wasm';
import { type PreparedWebGpu, preparedWebGpu, prepareWebGpu, type WebGpuOptions } from './prepare';

/** Options of `prepare`. */
export interface PrepareOptions extends WebGpuOptions {
  /** Threads, where wasm computes. Default: one per core, up to 8. */
  threads?: WasmOptions['threads'];
}

/**
 * Prepares the backend that trains best here: webgpu where there is a GPU, else wasm. A program that stands for a GPU is no GPU.
 *
 * @returns the report of that backend; where it is wasm, `limits` says why
 * @throws ConfigError for a wrong option; BackendError where the backend does not start
 * @example
 * const { backend, limits } = await prepare();
 * console.log(backend, limits); // 'wasm', ['backend: wasm, because ...'] where there is no GPU
 */
export async function prepare(options: PrepareOptions = {}): Promise<PreparedWebGpu | WasmReport> {
  checkOptions('prepare', options, { powerPreference: ['power', 'preference'], threads: true });
  const { threads, ...ofGpu } = options;
  if (threads !== undefined) checkInteger('prepare', 'threads', threads);
  const taken = await takeGpu(ofGpu);
  if (typeof taken === 'object') return taken;
  const { prepareWasm } = await import('../wasm');
  const report = await prepareWasm({ threads });
  return { ...report, limits: [`backend: wasm, because ${taken}`, ...report.limits] };
}

/** The GPU, or why there is none. */
async function takeGpu(options: WebGpuOptions): Promise<PreparedWebGpu | string> {
  const runs = preparedWebGpu() !== undefined;
  try {
    const prepared = await prepareWebGpu(options);
    const { software, description, architecture } = prepared.adapter;
    if (runs || !software) return prepared;
    await prepared.release();
    return `${description || architecture} is a program that stands for a GPU.`;
  } catch (error) {
    if (!(error instanceof NoGpuError)) throw error;
    return error.message.replace(/^prepareWebGpu: /, '');
  }
}
