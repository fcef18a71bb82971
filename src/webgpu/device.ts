import { BackendError } from '../core/errors';

/** An adapter with its device. */
export interface OpenDevice {
  adapter: GPUAdapter;
  device: GPUDevice;
}

/** Limits that are asked for as the adapter has them; all others stay as the standard has them. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Where WebGPU comes from: the page, or in Node the package `webgpu`, whose globals it sets. */
export async function findGpu(): Promise<GPU> {
  const found = globalThis.navigator?.gpu;
  if (found !== undefined) return found;
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (globalThis.navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  return gpu;
}

/** The adapter of the system, with a device that allows what the adapter allows. */
export async function openDevice(gpu: GPU, powerPreference?: GPUPowerPreference): Promise<OpenDevice> {
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (adapter === null) throw new BackendError('prepareWebGpu: no adapter.');
  const requiredLimits: Record<string, number> = {};
  for (const name of LIMITS) requiredLimits[name] = adapter.limits[name];
  const features = ['timestamp-query', 'bgra8unorm-storage'] as const;
  const requiredFeatures = features.filter((feature) => adapter.features.has(feature));
  return { adapter, device: await adapter.requestDevice({ requiredFeatures, requiredLimits }) };
}
