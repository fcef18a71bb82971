import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import { type Arguments, UsageError } from './command';

/** Starts the backend that the options ask for. */
export async function startBackend(args: Arguments): Promise<void> {
  const backend = args.text('backend') ?? 'wasm';
  const threads = args.integer('threads', 1);
  try {
    if (backend === 'wasm') {
      const { prepareWasm } = await import('../wasm');
      await prepareWasm({ threads });
    } else if (backend === 'cpu') {
      await import('@tensorflow/tfjs-backend-cpu');
      await tf.setBackend('cpu');
    } else throw new UsageError(`--backend takes wasm or cpu, not '${backend}'.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new BackendError(
      `The ${backend} backend is not installed. npm install @tensorflow/tfjs-backend-${backend}`,
    );
  }
}
