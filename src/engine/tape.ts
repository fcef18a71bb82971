import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import { engine } from './fields';
import { anotherHandle } from './handles';

/** What an operation hands the tape; see {@link record}. */
export interface Operation {
  results: tf.Tensor[];
  /** What the gradient needs: inputs, results, and tensors of its own, which the tape then owns. */
  needed: tf.Tensor[];
  /** From the gradients by the results to those by the inputs, in their order; `needed` comes back as handles that still live. */
  gradient: (dys: tf.Tensor[], needed: tf.Tensor[]) => tf.Tensor[];
}

/**
 * Puts one node on the tape for all that `compute` does: as `tf.customGrad`, but with any number of results, and without the two
 * ops and the node that tfjs takes for every tensor that is saved. Variables are not saved at all: they keep their values from a
 * pass to its gradients.
 *
 * @param inputs what the gradient is by
 * @param compute runs off the tape; it may read values and use ops that have no gradient
 * @returns the results, differentiable once (second derivatives fail where the gradient needs what was saved)
 * @see Griewank and Walther, "Evaluating Derivatives" (2008), chapter 3, doi:10.1137/1.9780898717761
 * @example
 * const cube = (x: tf.Tensor) =>
 *   record([x], () => ({
 *     results: [tf.mul(x, tf.square(x))],
 *     needed: [x],
 *     gradient: ([dy], [given]) => [tf.mul(dy, tf.mul(3, tf.square(given)))],
 *   }))[0];
 * tf.grad(cube)(tf.tensor1d([2])).print(); // [12]
 */
export function record(inputs: readonly tf.Tensor[], compute: () => Operation): tf.Tensor[] {
  const { state } = engine();
  const taped = isTaped();
  let saved: tf.Tensor[] = [];
  let gradient: Operation['gradient'] | undefined;
  // Off the tape, as inside a kernel.
  state.kernelDepth++;
  let results: tf.Tensor[];
  try {
    results = tf.tidy(() => {
      const operation = compute();
      if (taped) {
        const shared = new Set([...inputs, ...operation.results]);
        saved = operation.needed.map((tensor) => hold(tensor, shared.has(tensor)));
        gradient = operation.gradient;
      }
      return operation.results;
    });
  } finally {
    state.kernelDepth--;
  }
  if (gradient !== undefined) addNode(inputs, results, saved, gradient);
  return results;
}

/** Whether what happens now is recorded, so that it can be gone back through. */
export function isTaped(): boolean {
  return engine().isTapeOn();
}

/** A handle that lives until the tape lets go of it: another one where the caller may dispose the tensor. */
function hold(tensor: tf.Tensor, shared: boolean): tf.Tensor {
  return tensor instanceof tf.Variable ? tensor : tf.keep(shared ? anotherHandle(tensor) : tensor);
}

function addNode(
  inputs: readonly tf.Tensor[],
  results: tf.Tensor[],
  held: tf.Tensor[],
  gradient: Operation['gradient'],
): void {
  const { state } = engine();
  // Who made the tape disposes these when the gradients are there.
  const saved = held.filter((tensor) => !(tensor instanceof tf.Variable));
  const back = (given: tf.Tensor | tf.Tensor[]) => {
    const dys = Array.isArray(given) ? given : [given];
    const gradients = onTheWayBack(dys, inputs, () => gradient(dys, held), held.length === 0);
    // In an outermost pass nobody comes by again.
    if (state.gradientDepth === 0) for (const tensor of saved) tensor.dispose();
    return gradients.map((dx) => () => dx) as never;
  };
  // The inputs by their places.
  engine().addTapeNode('record', inputs as never, results, back, saved, {});
}

/**
 * Gradients that a tape may watch. What was saved has no place on it, so gradients that need something saved are a node of their
 * own there: a second derivative fails instead of missing a term.
 */
function onTheWayBack(
  dys: tf.Tensor[],
  inputs: readonly tf.Tensor[],
  compute: () => tf.Tensor[],
  linear: boolean,
): tf.Tensor[] {
  if (linear || !isTaped()) return compute();
  const gradient = (): never => {
    const hint = "Compute them on another backend: tf.setBackend('cpu').";
    throw new BackendError(complaint('gradients', 'first derivatives of fused ops', 'second ones', hint));
  };
  return record([...dys, ...inputs], () => ({ results: compute(), needed: [], gradient }));
}

/** Bytes of what the present tape saves, each value once; without those of some tensors. */
export function bytesOnTape(without: readonly tf.Tensor[]): number {
  const counted = new Set(without.map(({ dataId }) => dataId));
  let sum = 0;
  for (const { saved } of engine().state.activeTape ?? []) {
    for (const { dataId, size, dtype } of saved) {
      if (!counted.has(dataId)) sum += size * tf.util.bytesPerElement(dtype);
      counted.add(dataId);
    }
  }
  return sum;
}
