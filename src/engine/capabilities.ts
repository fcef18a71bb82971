import * as tf from '@tensorflow/tfjs-core';

/** What a backend can do beyond computing. */
export interface Capabilities {
  /**
   * Values can be read at once (`dataSync`) without waiting for a device that others wait for, too. Default false: a small matrix is
   * then inverted on the device in float32 and not on the host in float64.
   */
  readsAtOnce?: boolean;
  /** Values lie in the host's memory and ops cost a call each, so that sums of a few numbers are best done on the host. Default false. */
  valuesOnHost?: boolean;
  /** Bytes that all values together can take. Default: as many as the machine has. */
  mostBytes?: number;
}

type Complete = Capabilities & { mostBytes: number };

const UNDECLARED: Complete = { mostBytes: Number.POSITIVE_INFINITY };

const declared = new Map<string, Complete>();

/**
 * Declares what a backend can do, in place of what was declared. A backend's door calls it; of a backend that nobody declared nothing
 * is asked that might stall or fail.
 */
export function declareBackend(name: string, capabilities: Capabilities): void {
  declared.set(name, { ...UNDECLARED, ...capabilities });
}

/** What the active backend can do. */
export function capabilities(): Readonly<Complete> {
  return declared.get(tf.getBackend()) ?? UNDECLARED;
}

// Backends that come with TensorFlow.js. On webgpu a read stalls the device and takes a canvas, which not every place provides. The
// ops of cpu are loops on the host already.
declareBackend('cpu', { readsAtOnce: true });
declareBackend('tensorflow', { readsAtOnce: true });
declareBackend('webgl', { readsAtOnce: true });
declareBackend('wasm', { readsAtOnce: true, valuesOnHost: true, mostBytes: 2 ** 32 });
// WebGPU tells nobody how much memory a GPU has: as much as most have at least.
declareBackend('webgpu', { mostBytes: 2 ** 32 });
