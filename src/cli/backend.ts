import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../core/errors';
import { type Arguments, type Terminal, UsageError } from './command';

const backends: Readonly<Record<string, (args: Arguments, terminal: Terminal) => Promise<Stop>>> = {
  async wasm(args) {
    const { prepareWasm } = await import('../wasm');
    await prepareWasm({ threads: args.integer('threads', 1) });
    return async () => {};
  },
  async webgpu(_, terminal) {
    const { prepareWebGpu } = await import('../webgpu');
    const { adapter, limits, release } = await prepareWebGpu();
    if (!terminal.quiet) terminal.note(`computing on ${adapter.description || adapter.architecture}`);
    for (const limit of limits.filter((text) => text.startsWith('speed'))) terminal.note(limit);
    return release;
  },
  async cpu() {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    return async () => {};
  },
};

/** Gives back what a backend holds. */
type Stop = () => Promise<void>;

/** Starts the backend that the options ask for. */
export async function startBackend(args: Arguments, terminal: Terminal): Promise<Stop> {
  const name = args.text('backend') ?? 'wasm';
  if (!Object.hasOwn(backends, name)) {
    throw new UsageError(`--backend takes ${Object.keys(backends).join(', ')}; not '${name}'.`);
  }
  if (name === 'webgpu' && args.integer('threads', 1) !== undefined) {
    throw new UsageError(`--threads are those of wasm, not of ${name}.`);
  }
  try {
    return await backends[name](args, terminal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new BackendError(
      `The ${name} backend is not installed. npm install @tensorflow/tfjs-backend-${name}`,
    );
  }
}
