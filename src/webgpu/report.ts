import { nodeModule } from '../core/nodeModule';
import { isSoftware, LIMITS } from './device';
import { registeredKernels } from './register';
import type { StockDispatches } from './watchedBackend';

/** The GPU that computes, in the words of its driver; browsers keep most of them to themselves. */
export interface WebGpuAdapter {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Whether it is no GPU but a program that stands for one: right, and slower than wasm. */
  software: boolean;
}

/** What `prepareWebGpu` set up. */
export interface WebGpuReport {
  backend: 'webgpu';
  adapter: WebGpuAdapter;
  /** Limits of the device, sizes in bytes: those of the adapter. */
  deviceLimits: Record<string, number>;
  /** Optional features of the device. */
  features: string[];
  /** Kernels of ours that are registered. */
  kernels: string[];
  /** What the place where this runs keeps from being used, and why. */
  limits: string[];
  /** Programs of ours that ran. */
  dispatches: number;
  /** Programs of the stock backend that ran, by what they do: what no kernel of ours covers. */
  fallbacks: Record<string, number>;
}

/** What an adapter says of itself. */
export function describeAdapter({ info }: GPUAdapter): WebGpuAdapter {
  const { vendor, architecture, device, description } = info;
  return { vendor, architecture, device, description, software: isSoftware(info) };
}

/** What is active. */
export function reportOf(
  adapter: GPUAdapter,
  device: GPUDevice,
  dispatches: number,
  stockDispatches: StockDispatches,
): WebGpuReport {
  const described = describeAdapter(adapter);
  return {
    backend: 'webgpu',
    adapter: described,
    deviceLimits: Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]])),
    features: [...device.features].sort(),
    kernels: registeredKernels(),
    limits: limitsOf(described),
    dispatches,
    fallbacks: Object.fromEntries(stockDispatches),
  };
}

function limitsOf({ software, description, architecture }: WebGpuAdapter): string[] {
  const limits: string[] = [];
  if (software) {
    limits.push(`speed: ${description || architecture} is a program that stands for a GPU; wasm is faster.`);
  }
  if (nodeModule('node:module') !== undefined) {
    limits.push('dataSync(): not on webgpu in Node, where only data() and array() read values.');
  }
  return limits;
}
