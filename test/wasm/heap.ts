import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { prepareWasm } from 'tfjs-flows/wasm';
import { vi } from 'vitest';
import { KernelModule } from '../../src/wasm/kernelModule';

interface Heap {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(at: number): void;
}

export function heap(): Heap {
  return (tf.backend() as BackendWasm).wasm as unknown as Heap;
}

/** The backend started anew, with the smallest heap. */
export async function freshBackend(threads: number): Promise<void> {
  if (tf.findBackendFactory('wasm') !== null) tf.removeBackend('wasm');
  await prepareWasm({ threads });
}

/** Takes all of the heap's first 2 GB and a little more, untouched, so that it costs no memory; gives back what frees it. */
export function fillLowHalf(): () => void {
  const taken: number[] = [];
  for (let bytes = 2 ** 30 - 2 ** 20; bytes >= 2 ** 10; bytes /= 2) {
    while (true) {
      const at = heap()._malloc(bytes) >>> 0;
      if (at + bytes > 2 ** 31 + 2 ** 28) {
        heap()._free(at);
        break;
      }
      taken.push(at);
    }
  }
  return () => {
    for (const at of taken) heap()._free(at);
  };
}

/** Lets the heap grow before each of the next kernels of ours; gives back how often it did and what ends that. */
export function growBetweenKernels(times: number): { grown(): number; stop(): void } {
  const taken: number[] = [];
  const run = KernelModule.prototype.run;
  let grown = 0;
  const spy = vi.spyOn(KernelModule.prototype, 'run').mockImplementation(function (
    this: KernelModule,
    ...given
  ) {
    if (grown < times) {
      const before = heap().HEAPU8.length;
      // What is free below the end can serve small requests: ask until the heap has grown.
      while (heap().HEAPU8.length === before) taken.push(heap()._malloc(2 ** 22));
      grown++;
    }
    run.apply(this, given);
  });
  return {
    grown: () => grown,
    stop: () => {
      spy.mockRestore();
      for (const at of taken) heap()._free(at);
    },
  };
}
