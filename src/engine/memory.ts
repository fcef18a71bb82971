import * as tf from '@tensorflow/tfjs-core';
import { capabilities } from './capabilities';

const GIB = 2 ** 30;
/** GiB that a device is taken to have where it does not say. */
const USUAL_DEVICE = 4;

/** What a place tells about its memory. */
interface Place {
  /** Node: bytes that are free for this process, by the limits of a container too. */
  process?: { availableMemory?(): number };
  /** Pages: GiB of the device, free or not, 8 at most. */
  navigator?: { deviceMemory?: number };
}

/**
 * Bytes that values can still take: what the backend has left of the most that it can hold, and what the machine has. A page, which is
 * told no more than the device's whole memory, counts on half of that.
 */
export function memoryLeft(place: Place = globalThis as Place): number {
  const used = tf.memory().numBytes;
  const ofDevice = () => ((place.navigator?.deviceMemory ?? USUAL_DEVICE) / 2) * GIB - used;
  const ofMachine = place.process?.availableMemory?.() ?? ofDevice();
  return Math.max(0, Math.min(ofMachine, capabilities().mostBytes - used));
}
