import '@tensorflow/tfjs-backend-webgl';
import * as tf from '@tensorflow/tfjs-core';
import { prepareWasm } from 'tfjs-flows/wasm';
import { prepareWebGpu, webGpuReport } from 'tfjs-flows/webgpu';
import type { BackendName, BackendReport } from '../protocol';

let active: BackendName = 'wasm';

/** Makes a backend the active one. */
export async function startBackend(params: {
  backend: BackendName;
  wasmFolder: string;
}): Promise<BackendReport> {
  active = params.backend;
  if (active === 'wasm') {
    const { threads, fusedMultiplyAdd } = await prepareWasm({ wasmFolder: params.wasmFolder });
    const parts = ['WASM', threads === 1 ? '1 thread' : `${threads} threads`, 'SIMD'];
    return { name: active, description: [...parts, ...(fusedMultiplyAdd ? ['FMA'] : [])].join(', ') };
  }
  if (active === 'webgpu') return { name: active, description: await startWebgpu() };
  if (!(await tf.setBackend(active))) throw new Error(`${active} did not start in this browser.`);
  return { name: active, description: describeWebgl() };
}

async function startWebgpu(): Promise<string> {
  const { adapter, kernels } = await prepareWebGpu({ powerPreference: 'high-performance' });
  // All weights then go to the device at their first use, and stay readable on the host once they were read back.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  const gpu = adapter.description || [adapter.vendor, adapter.architecture].join(' ').trim();
  return `WebGPU (${gpu || 'a GPU without a name'}), ${kernels.length} fused kernels`;
}

/** Which kernels have run so far; '' where that is not told. */
export function kernelsThatRan(): string {
  if (active !== 'webgpu') return '';
  const { dispatches, fallbacks } = webGpuReport();
  const ordinary = Object.values(fallbacks).reduce((sum, count) => sum + count, 0);
  const share = Math.round((100 * dispatches) / Math.max(dispatches + ordinary, 1));
  const others = Object.keys(fallbacks).sort().join(', ');
  return `${share} % of the GPU’s programs were fused kernels of this library, the others (${others || 'none'}) of TensorFlow.js.`;
}

function describeWebgl(): string {
  const half = tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED') ? '' : ', 16-bit floats';
  return `WebGL ${tf.env().getNumber('WEBGL_VERSION')}${half}`;
}
