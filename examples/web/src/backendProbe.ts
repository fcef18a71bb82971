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
  if (!isSecureContext) return 'browsers give it to pages by https or from localhost alone';
  const { gpu } = navigator as Partial<Navigator>;
  if (gpu === undefined) return 'this browser does not have it, or not on this system';
  if ((await gpu.requestAdapter().catch(() => null)) !== null) return null;
  return 'the browser offers no GPU (is hardware acceleration switched off, or the driver too old?)';
}

/** What is to be known of WebGPU where it runs, but on no GPU: '' where there is nothing to tell. */
export async function noteOnWebgpu(): Promise<string> {
  const adapter = await (navigator as Partial<Navigator>).gpu?.requestAdapter().catch(() => null);
  const { architecture = '', description = '' } = adapter?.info ?? {};
  const software = /swiftshader|llvmpipe|basic render/i.test(architecture + description);
  return software ? 'WebGPU finds no GPU here, only a program that stands for one: WASM is faster.' : '';
}
