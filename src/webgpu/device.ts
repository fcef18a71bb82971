import { BackendError, NoGpuError } from '../core/errors';
import { nodeModule } from '../core/nodeModule';
import { openNodeGpu, whyNoAdapter } from './nodeGpu';

/** An adapter with its device. */
export interface OpenDevice {
  adapter: GPUAdapter;
  device: GPUDevice;
  /** Frees the device and what was set up for it. */
  release(): void;
}

/** Limits that are asked for as the adapter has them; all others stay as the standard has them. */
export const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** What the stock backend makes use of where it is there. */
const FEATURES = ['timestamp-query', 'bgra8unorm-storage'] as const;

/**
 * The adapter of the system, with a device that allows what the adapter allows. WebGPU is the page's, or in Node comes from the package
 * `webgpu`.
 *
 * @throws NoGpuError
 */
export async function openDevice(powerPreference?: GPUPowerPreference): Promise<OpenDevice> {
  const { gpu, release } = await findGpu();
  try {
    const adapter = await gpu.requestAdapter({ powerPreference });
    if (adapter === null) throw nodeModule('node:module') === undefined ? noAdapterInPage() : whyNoAdapter();
    const device = await requestDevice(adapter);
    return {
      adapter,
      device,
      release() {
        device.destroy();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function findGpu(): Promise<{ gpu: GPU; release(): void }> {
  const gpu = globalThis.navigator?.gpu;
  if (gpu !== undefined) return { gpu, release: () => {} };
  if (nodeModule('node:module') !== undefined) return openNodeGpu();
  if (globalThis.isSecureContext === false) {
    throw new NoGpuError(
      'prepareWebGpu: browsers give WebGPU to secure pages alone. Serve this page by https, or from localhost.',
      'secure page',
    );
  }
  throw new NoGpuError(
    'prepareWebGpu: this browser has no WebGPU. Current Chrome, Edge, Safari and Firefox have it, not on every system.',
    'browser',
  );
}

function noAdapterInPage(): NoGpuError {
  return new NoGpuError(
    "prepareWebGpu: the browser offers no GPU. Its settings may have hardware acceleration off, or it does not trust the GPU's driver (chrome://gpu says why).",
    'adapter',
  );
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = FEATURES.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (error) {
    throw new BackendError(`prepareWebGpu: the adapter gives no device. (${(error as Error).message})`);
  }
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

/** Whether an adapter is no GPU but a program that stands for one. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const { isFallbackAdapter = false } = info as { isFallbackAdapter?: boolean };
  const { architecture, device, description } = info;
  return isFallbackAdapter || SOFTWARE.test([architecture, device, description].join(' '));
}
