import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint } from './errors';
import { anotherHandle } from './tape';

type TapeNode = ReturnType<typeof tf.engine>['state']['activeTape'][number];

/**
 * A scalar and its gradients by tensors and variables, undefined where it does not depend on one: as the engine's `gradients`, in
 * one walk back. Each node's inputs take one scope together, and on an outermost tape everything is freed as soon as no gradient to
 * come needs it: what was saved for a node, and the gradients by its results.
 */
export function gradientsOf(
  scalar: () => tf.Scalar,
  xs: readonly tf.Tensor[],
): { value: tf.Scalar; gradients: (tf.Tensor | undefined)[] } {
  const { state } = tf.engine();
  if (state.gradientDepth === 0) state.activeTape = [];
  state.gradientDepth++;
  let value: tf.Scalar;
  try {
    value = tf.tidy(scalar);
  } finally {
    state.gradientDepth--;
  }
  const tape = state.activeTape;
  const gradients = tf.tidy(() => {
    const found = walkBack(tape, value, xs, state.gradientDepth === 0);
    return xs.map(({ id }) => found.get(id)) as tf.Tensor[];
  });
  if (state.gradientDepth === 0) {
    for (const node of tape) free(node);
    state.activeTape = null as never;
  }
  return { value, gradients };
}

function walkBack(
  tape: readonly TapeNode[],
  y: tf.Tensor,
  xs: readonly tf.Tensor[],
  outermost: boolean,
): Map<number, tf.Tensor> {
  const wanted = new Set(xs.map(({ id }) => id));
  const depends = dependents(tape, wanted);
  const gradients = new Map([[y.id, tf.onesLike(y)]]);
  const add = (id: number, dx: tf.Tensor) => {
    const before = gradients.get(id);
    const sum = before === undefined ? dx : (tf.engine().runKernel('Add', { a: before, b: dx }) as tf.Tensor);
    if (before !== undefined && outermost) {
      before.dispose();
      dx.dispose();
    }
    gradients.set(id, sum);
  };
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i];
    const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
    const names = Object.keys(node.inputs).filter((name) => depends.has(node.inputs[name].id));
    if (names.length === 0 || dys.every((dy) => dy === null)) continue;
    const dxs = tf.tidy(() => {
      if (node.gradient === undefined) throw withoutGradient(node);
      const byName = node.gradient(dys as tf.Tensor[]);
      const given = names.map((name) => byName[name]());
      return outermost ? given.map(owned) : given;
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
  const made = !dx.kept && dx.scopeId === tf.engine().state.activeScope.id && all.indexOf(dx) === place;
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

function free({ saved }: TapeNode): void {
  for (const tensor of saved ?? []) tensor.dispose();
}

function withoutGradient({ kernelName }: TapeNode): BackendError {
  const hint = 'Compose it of other ops, or give it a gradient by tf.registerGradient.';
  return new BackendError(complaint('gradients', 'ops that have one', kernelName, hint));
}
