import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { prepareWasm } from 'tfjs-flows/wasm';
import type { BackendName, BackendReport } from '../protocol';

let active: BackendName = 'wasm';
let folder = '';

/** Makes a backend the active one. */
export async function startBackend(params: {
  backend: BackendName;
  wasmFolder: string;
}): Promise<BackendReport> {
  active = params.backend;
  folder = params.wasmFolder;
  if (active === 'wasm') {
    const { threads, fusedMultiplyAdd } = await prepareWasm({ wasmFolder: folder });
    const parts = ['WASM', threads === 1 ? '1 thread' : `${threads} threads`, 'SIMD'];
    return { name: active, description: [...parts, ...(fusedMultiplyAdd ? ['FMA'] : [])].join(', ') };
  }
  // All weights then go to the device at their first use, and stay readable on the host once they were read back.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  if (!(await tf.setBackend(active))) throw new Error(`${active} did not start in this browser.`);
  return { name: active, description: active === 'webgl' ? describeWebgl() : 'WebGPU' };
}

/** Runs work that reads tensors synchronously: on wasm where WebGPU is active, as it does that slowly or not at all. */
export async function whereReadable<T>(work: () => Promise<T>): Promise<T> {
  if (active !== 'webgpu') return work();
  await prepareWasm({ threads: 1, wasmFolder: folder });
  try {
    return await work();
  } finally {
    await tf.setBackend(active);
  }
}

function describeWebgl(): string {
  const half = tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED') ? '' : ', 16-bit floats';
  return `WebGL ${tf.env().getNumber('WEBGL_VERSION')}${half}`;
}
