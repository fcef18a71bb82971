import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import type { Engine, TapeNode } from './types';

/** The parts of TensorFlow.js that are looked at. */
type TensorFlow = Pick<
  typeof tf,
  'engine' | 'tidy' | 'KernelBackend' | 'Optimizer' | 'SGDOptimizer' | 'version_core'
>;

const kinds = {
  function: (value: unknown) => typeof value === 'function',
  number: (value: unknown) => typeof value === 'number',
  object: (value: unknown) => typeof value === 'object' && value !== null,
  array: Array.isArray,
};

/** Names of fields by the kind of what is in them. */
export type Fields = Partial<Record<keyof typeof kinds, readonly string[]>>;

/**
 * Throws a BackendError that names the version of TensorFlow.js and the first of these fields that the owner lacks: what is private
 * there may change in any version.
 *
 * @param owner the object
 * @param whose it is, as in `the engine's state`
 */
export function requireFields(
  owner: unknown,
  whose: string,
  fields: Fields,
  version: string = tf.version_core,
): void {
  for (const [kind, names] of Object.entries(fields) as [keyof typeof kinds, readonly string[]][]) {
    for (const name of names) {
      const value = (owner as Record<string, unknown> | null | undefined)?.[name];
      if (kinds[kind](value)) continue;
      const hint = 'Install a version of it that tfjs-flows names among its peer dependencies.';
      const expected = `'${name}' (${kind}) in ${whose}, as TensorFlow.js 4.22 has it`;
      throw new BackendError(complaint('tfjs-flows', expected, `none in version ${version}`, hint));
    }
  }
}

/** Checks every field of TensorFlow.js that is used in this folder, as far as that goes without a backend; done once, on import. */
export function checkFields(tensorFlow: TensorFlow = tf): void {
  const { version_core: version } = tensorFlow;
  const check = (owner: unknown, whose: string, fields: Fields) =>
    requireFields(owner, whose, fields, version);
  const engine = tensorFlow.engine() as unknown as Engine & { startTape(): void; endTape(): void };
  check(engine, 'the engine', {
    function: ['isTapeOn', 'addTapeNode', 'startTape', 'endTape', 'runKernel', 'makeTensorFromTensorInfo'],
    object: ['state', 'registry', 'registeredVariables'],
  });
  const { state } = engine;
  check(state, "the engine's state", { number: ['gradientDepth', 'kernelDepth'] });
  tensorFlow.tidy(() => {
    check(state, "the engine's state", { object: ['activeScope'] });
    check(state.activeScope, 'a scope', { number: ['id'] });
  });
  checkTape(engine, check);
  check(tensorFlow.KernelBackend.prototype, 'a backend', { function: ['incRef', 'refCount'] });
  check(tensorFlow.Optimizer.prototype, 'an optimizer', { function: ['incrementIterations'] });
  check(tensorFlow.SGDOptimizer.prototype, 'SGD', { function: ['setLearningRate'] });
}

/** A node on a tape that nobody sees. */
function checkTape(
  engine: Engine & { startTape(): void; endTape(): void },
  check: (owner: unknown, whose: string, fields: Fields) => void,
): void {
  const { state } = engine;
  const before = state.activeTape;
  engine.startTape();
  try {
    check(state, "the engine's state", { array: ['activeTape'] });
    engine.addTapeNode('FlowCheck', {}, [], () => ({}), [], {});
    const node = (state.activeTape as TapeNode[]).pop();
    check(node, 'a node of the tape', {
      array: ['outputs', 'saved'],
      object: ['inputs'],
      function: ['gradient'],
    });
    const on = engine.isTapeOn();
    state.kernelDepth++;
    const inside = engine.isTapeOn();
    state.kernelDepth--;
    if (!on || inside) check({}, "the engine's state", { number: ['kernelDepth'] });
  } finally {
    engine.endTape();
    state.activeTape = before;
  }
}
