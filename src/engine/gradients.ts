import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import { engine } from './fields';
import { anotherHandle } from './handles';
import type { TapeNode } from './types';

/** A computation that can be gone back through, later and once. */
export interface Tape<T extends tf.TensorContainer> {
  /** What the computation returned; the caller's, like every result of an op. */
  readonly results: T;
  /** Whether any of the results depends on each of these tensors or variables, as far as ops tell; itself included. */
  dependsOn(xs: readonly tf.Tensor[]): boolean[];
  /**
   * From the gradients by some tensors of the computation, mostly its results, to those by others; undefined where nothing depends on
   * one. The given gradients stay the caller's. It frees the tape: what needs several gradients asks for all of them at once.
   *
   * @throws BackendError where an op on the way has no gradient, or the tape is gone
   */
  pullBack(
    outputs: readonly tf.Tensor[],
    gradients: readonly (tf.Tensor | null | undefined)[],
    xs: readonly tf.Tensor[],
  ): (tf.Tensor | undefined)[];
  /** Frees what the tape holds, where nobody went back. Once more does nothing. */
  dispose(): void;
}

/**
 * Runs `compute` on a tape of its own, which lasts until somebody goes back through it or disposes it: inside a tidy or outside,
 * with any other computation in between.
 *
 * Where gradients are under way already, the tape is theirs: they see what happens here, and it lasts no longer than they do.
 */
export function tapeOf<T extends tf.TensorContainer>(compute: () => T): Tape<T> {
  const { state } = engine();
  const outermost = state.gradientDepth === 0;
  const before = state.activeTape;
  if (outermost) state.activeTape = [];
  const nodes = state.activeTape as TapeNode[];
  const first = outermost ? 0 : nodes.length;
  state.gradientDepth++;
  let results: T;
  try {
    results = tf.tidy(compute);
  } catch (error) {
    if (outermost) nodes.forEach(free);
    throw error;
  } finally {
    state.gradientDepth--;
    if (outermost) state.activeTape = before;
  }
  // Others go on writing on a shared tape.
  let tape: readonly TapeNode[] | undefined = outermost ? nodes : [...nodes];
  const dispose = () => {
    if (outermost) tape?.forEach(free);
    tape = undefined;
  };
  return {
    results,
    dependsOn(xs) {
      const reached = ancestors(usable(tape).slice(first), tf.tensor_util.getTensorsInContainer(results));
      return xs.map(({ id }) => reached.has(id));
    },
    pullBack(outputs, gradients, xs) {
      const walked = usable(tape);
      // Off any tape that is written by now: this one is over.
      if (outermost) state.kernelDepth++;
      try {
        return tf.tidy(() => {
          const found = walkBack(walked, outputs, gradients, xs, outermost);
          return xs.map(({ id }) => {
            const dx = found.get(id);
            return dx !== undefined && gradients.includes(dx) ? tf.clone(dx) : dx;
          }) as tf.Tensor[];
        });
      } finally {
        if (outermost) state.kernelDepth--;
        dispose();
      }
    },
    dispose,
  };
}

/**
 * A scalar and its gradients by tensors and variables, undefined where it does not depend on one: as the engine's `gradients`, in
 * one walk back. Each node's inputs take one scope together, and on an outermost tape everything is freed as soon as no gradient to
 * come needs it: what was saved for a node, and the gradients by its results.
 */
export function gradientsOf(
  scalar: () => tf.Scalar,
  xs: readonly tf.Tensor[],
): { value: tf.Scalar; gradients: (tf.Tensor | undefined)[] } {
  const { results: value, pullBack } = tapeOf(scalar);
  // Made on the host: a device is sent it where an op reads it, and many a scalar's gradient reads it nowhere.
  const one = tf.ones(value.shape);
  try {
    return { value, gradients: pullBack([value], [one], xs) };
  } catch (error) {
    value.dispose();
    throw error;
  } finally {
    one.dispose();
  }
}
function walkBack(
  tape: readonly TapeNode[],
  outputs: readonly tf.Tensor[],
  given: readonly (tf.Tensor | null | undefined)[],
  xs: readonly tf.Tensor[],
  outermost: boolean,
): Map<number, tf.Tensor> {
  const wanted = new Set(xs.map(({ id }) => id));
  const depends = dependents(tape, wanted);
  const gradients = new Map<number, tf.Tensor>();
  const add = (id: number, dx: tf.Tensor) => {
    const before = gradients.get(id);
    const sum = before === undefined ? dx : (engine().runKernel('Add', { a: before, b: dx }) as tf.Tensor);
    if (before !== undefined && outermost) {
      before.dispose();
      dx.dispose();
    }
    gradients.set(id, sum);
  };
  outputs.forEach(({ id }, i) => {
    const dy = given[i];
    if (dy !== null && dy !== undefined) add(id, outermost ? anotherHandle(dy) : dy);
  });
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i];
    const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
    const names = Object.keys(node.inputs).filter((name) => depends.has(node.inputs[name].id));
    if (names.length === 0 || dys.every((dy) => dy === null)) continue;
    const dxs = tf.tidy(() => {
      if (node.gradient === undefined) throw withoutGradient(node);
      const byName = node.gradient(dys);
      const found = names.map((name) => byName[name]());
      return outermost ? found.map(owned) : found;
    });
    names.forEach((name, k) => {
      add(node.inputs[name].id, dxs[k]);
    });
    if (!outermost) continue;
    free(node);
    for (const { id } of node.outputs) if (!wanted.has(id)) gradients.get(id)?.dispose();
  }
  return gradients;
}

/** A gradient that may be freed: another handle where it is somebody else's too (one by the result, a saved tensor, one of two inputs). */
function owned(dx: tf.Tensor, place: number, all: readonly tf.Tensor[]): tf.Tensor {
  const made = !dx.kept && dx.scopeId === engine().state.activeScope.id && all.indexOf(dx) === place;
  return made ? dx : anotherHandle(dx);
}

/** Everything on the tape that comes from the given tensors, themselves included. */
function dependents(tape: readonly TapeNode[], ids: ReadonlySet<number>): Set<number> {
  const found = new Set(ids);
  for (const { inputs, outputs } of tape) {
    for (const name in inputs) {
      if (!found.has(inputs[name].id)) continue;
      for (const { id } of outputs) found.add(id);
      break;
    }
  }
  return found;
}

/** Everything on the tape that the given tensors come from, themselves included. */
function ancestors(tape: readonly TapeNode[], results: readonly tf.Tensor[]): Set<number> {
  const found = new Set(results.map(({ id }) => id));
  for (const { inputs, outputs } of [...tape].reverse()) {
    if (outputs.some(({ id }) => found.has(id))) for (const name in inputs) found.add(inputs[name].id);
  }
  return found;
}

function usable(tape: readonly TapeNode[] | undefined): readonly TapeNode[] {
  if (tape !== undefined) return tape;
  throw new BackendError(complaint('gradients', 'a tape that nobody has gone back through', 'one that was'));
}

function free({ saved }: TapeNode): void {
  for (const tensor of saved) tensor.dispose();
}

function withoutGradient({ kernelName }: TapeNode): BackendError {
  const hint = 'Compose it of other ops, or give it a gradient by tf.registerGradient.';
  return new BackendError(complaint('gradients', 'ops that have one', kernelName, hint));
}
