import { type BackendName, backendNames } from './protocol';

/** Why a backend cannot run in this browser; null where it can. */
export type BackendLack = string | null;

/** A module that uses one SIMD instruction: `i8x16.splat` of 0. */
const SIMD_MODULE = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  65,
  0,
  253,
  15,
  11,
);

/** What each backend lacks here. */
export async function probeBackends(): Promise<Record<BackendName, BackendLack>> {
  return { wasm: lackOfWasm(), webgl: lackOfWebgl(), webgpu: await lackOfWebgpu() };
}

/** The backend to begin with: the one asked for where it can run, else the first that can. */
export function firstBackend(
  lacks: Record<BackendName, BackendLack>,
  wanted: string | null,
): BackendName | undefined {
  const able = backendNames.filter((name) => lacks[name] === null);
  return able.find((name) => name === wanted) ?? able[0];
}

function lackOfWasm(): BackendLack {
  if (typeof WebAssembly === 'undefined') return 'this browser has no WebAssembly';
  return WebAssembly.validate(SIMD_MODULE) ? null : 'this browser’s WebAssembly has no SIMD';
}

function lackOfWebgl(): BackendLack {
  if (typeof OffscreenCanvas === 'undefined') return 'this browser has no canvas for workers';
  return new OffscreenCanvas(1, 1).getContext('webgl2') === null
    ? 'WebGL 2 is missing or switched off'
    : null;
}

async function lackOfWebgpu(): Promise<BackendLack> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  if (gpu === undefined) {
    return isSecureContext ? 'this browser has no WebGPU' : 'WebGPU needs https or localhost';
  }
  return (await gpu.requestAdapter().catch(() => null)) === null ? 'no graphics adapter for WebGPU' : null;
}
