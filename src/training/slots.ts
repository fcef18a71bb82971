import * as tf from '@tensorflow/tfjs-core';
import { isShared } from '../engine/handles';
import type { Slot } from '../engine/optimizers';

/** A slot of zeros for a weight. */
export function zeroSlot(weight: tf.Variable, suffix: string, dtype: 'float32' | 'int32' = 'float32'): Slot {
  // Made on the backend: `tf.zeros` would make an array on the host first.
  const zeros = tf.fill(weight.shape, 0, dtype);
  const slot = { originalName: `${weight.name}/${suffix}`, variable: tf.variable(zeros, false) };
  // The zeros share their data with the slot, which the first step frees: as long as nothing else holds them.
  zeros.dispose();
  return slot;
}

/** What changes in place is copied first where somebody else, a clone for one, holds its values too. */
export function stopSharing(variables: readonly tf.Variable[]): void {
  for (const variable of variables) {
    if (!isShared(variable)) continue;
    // Computed, not read: a read may wait for a device, or fail.
    const copy = tf.tidy(() => tf.mul(variable, tf.scalar(1, variable.dtype as 'float32')));
    variable.assign(copy);
    copy.dispose();
  }
}
