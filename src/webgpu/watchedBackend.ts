import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { DataId } from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import type { DeviceWatch } from './deviceWatch';

/** Dispatches of programs that are not ours, by what they do. */
export type StockDispatches = Map<string, number>;

type Run = WebGPUBackend['runWebGPUProgram'];

/** The stock backend reads at once by a canvas, which pages have. */
function checkReadsAtOnce(watch: DeviceWatch): void {
  watch.check();
  if (typeof OffscreenCanvas !== 'undefined') return;
  throw new BackendError(
    'webgpu: values on the GPU cannot be read at once here (dataSync, arraySync, print, an op on another backend). ' +
      'Wait for them: await tensor.data(). A flow goes to another backend by its save and loadFlow there.',
  );
}

/** The stock backend, which neither runs a program nor reads a value after the device failed, and counts what it runs. */
export function watchedClass(
  Stock: typeof WebGPUBackend,
  watch: DeviceWatch,
  stockDispatches: StockDispatches,
): typeof WebGPUBackend {
  return class extends Stock {
    override runWebGPUProgram(...given: Parameters<Run>): ReturnType<Run> {
      watch.check();
      const kind = given[0].shaderKey.split('_')[0];
      stockDispatches.set(kind, (stockDispatches.get(kind) ?? 0) + 1);
      return super.runWebGPUProgram(...given);
    }

    override getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer> {
      return watch.reading(() => super.getBufferData(buffer));
    }

    override readSync(dataId: object): ReturnType<WebGPUBackend['readSync']> {
      if (this.tensorMap.get(dataId).values == null) checkReadsAtOnce(watch);
      return super.readSync(dataId);
    }

    override disposeData(dataId: DataId, force?: boolean): boolean {
      if (watch.failure !== 'released') return super.disposeData(dataId, force);
      // The buffers and, in Node, the classes that they are told by are gone.
      this.tensorMap.delete(dataId);
      return true;
    }
  };
}
