import * as tf from '@tensorflow/tfjs-core';
import { prepareWasm } from 'tfjs-flows/wasm';
import { prepareWebGpu } from 'tfjs-flows/webgpu';

/** What the command line says of a place. */
interface PlaceOptions {
  threads: number;
  hiddenInstructions?: boolean;
}

let counted = 0;

/** Programs that a GPU ran so far. */
export function dispatches(): number {
  return counted;
}

/** Node's WebGPU, every dispatch of which is counted; options as Dawn takes them. */
async function takeWebGpu(options: string[]): Promise<void> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  if (globalThis.navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: create(options), configurable: true });
  const { prototype } = globalThis.GPUComputePassEncoder;
  const { dispatchWorkgroups } = prototype;
  prototype.dispatchWorkgroups = function (...counts) {
    counted++;
    return dispatchWorkgroups.apply(this, counts);
  };
}

async function ourWebGpu(options: string[]): Promise<string> {
  await takeWebGpu(options);
  const { kernels } = await prepareWebGpu();
  return `webgpu, ${kernels.length} kernels`;
}

/** Where our side can run: each starts its backend and says what it is. */
export const places = {
  async wasm({ threads, hiddenInstructions }: PlaceOptions): Promise<string> {
    const report = await prepareWasm({ threads, hiddenInstructions });
    const arithmetic = report.fusedMultiplyAdd ? ', fused multiply-add' : '';
    return `wasm, ${report.vectorBits} bits${arithmetic}`;
  },
  /** The ordinary ops of tfjs, without a banner that recommends another backend and without checks. */
  async cpu(): Promise<string> {
    await import('@tensorflow/tfjs-backend-cpu');
    tf.enableProdMode();
    await tf.setBackend('cpu');
    return 'ordinary ops on cpu';
  },
  webgpu: () => ourWebGpu([]),
  /** An adapter that computes nothing: what is left is the host's work. */
  'webgpu without a device': () => ourWebGpu(['backend=null']),
  async 'ordinary webgpu'(): Promise<string> {
    await takeWebGpu([]);
    await import('@tensorflow/tfjs-backend-webgpu');
    await tf.setBackend('webgpu');
    return 'ordinary ops on webgpu';
  },
};
