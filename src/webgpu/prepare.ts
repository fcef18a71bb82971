import * as tf from '@tensorflow/tfjs-core';
import { findGpu, openDevice } from './device';
import { makeFlowBackend } from './flowBackend';
import { registerFlowKernels } from './flowKernels';
import { registeredKernels } from './register';

/** Options of `prepareWebGpu`. */
export interface WebGpuOptions {
  /** Which GPU of several. Default: as the system chooses. */
  powerPreference?: 'low-power' | 'high-performance';
}

/** What `prepareWebGpu` set up. */
export interface WebGpuReport {
  backend: 'webgpu';
  /** Kernels of ours that are registered. */
  kernels: string[];
}

/** Prepares the webgpu backend for training and makes it the active one. */
export async function prepareWebGpu(options: WebGpuOptions = {}): Promise<WebGpuReport> {
  const gpu = await findGpu();
  const { adapter, device } = await openDevice(gpu, options.powerPreference);
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  registerFlowKernels();
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => makeFlowBackend(WebGPUBackend, device, adapter.info), 3);
  await tf.setBackend('webgpu');
  return { backend: 'webgpu', kernels: registeredKernels() };
}
