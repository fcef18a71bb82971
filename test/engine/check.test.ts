import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from 'tfjs-flows';
import { expect, it } from 'vitest';
import { checkFields, requireFields } from '../../src/engine/check';

type Changed = Record<string, unknown>;

/** TensorFlow.js of another version, whose engine (and its state) differ in some fields. */
function doctored(engine: Changed, state: Changed = {}, others: Changed = {}): typeof tf {
  const real = tf.engine() as unknown as Changed;
  const changedState = inherit(real.state as object, state);
  const other = inherit(real, { state: changedState, ...engine });
  return { ...tf, version_core: '5.0.0', engine: () => other, ...others } as never;
}

function inherit(object: object, changes: Changed): Changed {
  const descriptors = Object.fromEntries(
    Object.entries(changes).map(([name, value]) => [name, { value, writable: true, enumerable: true }]),
  );
  return Object.create(object, descriptors);
}

it('takes the version that is installed', () => {
  expect(() => checkFields()).not.toThrow();
  expect(() => checkFields(doctored({}))).not.toThrow();
});

it.each<[string, typeof tf]>([
  ['isTapeOn', doctored({ isTapeOn: undefined })],
  ['addTapeNode', doctored({ addTapeNode: undefined })],
  ['runKernel', doctored({ runKernel: 1 })],
  ['makeTensorFromTensorInfo', doctored({ makeTensorFromTensorInfo: undefined })],
  ['state', doctored({ state: undefined })],
  ['registry', doctored({ registry: undefined })],
  ['registeredVariables', doctored({ registeredVariables: undefined })],
  ['gradientDepth', doctored({}, { gradientDepth: undefined })],
  ['kernelDepth', doctored({}, { kernelDepth: undefined })],
  ['kernelDepth', doctored({ isTapeOn: () => true })],
  ['activeScope', doctored({}, { activeScope: undefined })],
  ['id', doctored({}, { activeScope: { name: 'forward' } })],
  ['activeTape', doctored({ startTape: () => {} })],
  ['saved', doctored({ addTapeNode: withNode({ inputs: {}, outputs: [], gradient: () => ({}) }) })],
  ['gradient', doctored({ addTapeNode: withNode({ inputs: {}, outputs: [], saved: [] }) })],
  ['inputs', doctored({ addTapeNode: withNode({ outputs: [], saved: [], gradient: () => ({}) }) })],
  ['outputs', doctored({ addTapeNode: withNode({ inputs: {}, saved: [], gradient: () => ({}) }) })],
  [
    'refCount',
    doctored(
      {},
      {},
      {
        KernelBackend: class {
          incRef() {}
        },
      },
    ),
  ],
  [
    'incRef',
    doctored(
      {},
      {},
      {
        KernelBackend: class {
          refCount() {}
        },
      },
    ),
  ],
  ['incrementIterations', doctored({}, {}, { Optimizer: class {} })],
  ['setLearningRate', doctored({}, {}, { SGDOptimizer: class {} })],
])('names the version found, and %s where it is missing', (field, tensorFlow) => {
  const check = () => checkFields(tensorFlow);
  expect(check).toThrow(BackendError);
  expect(check).toThrow(new RegExp(`expected '${field}' .*4\\.22 has it, got none in version 5\\.0\\.0\\.`));
});

function withNode(node: object): unknown {
  return function (this: { state: { activeTape: object[] } }) {
    this.state.activeTape.push(node);
  };
}

it('names the kind of what it misses', () => {
  expect(() => requireFields({ c: 1 }, 'SGD', { object: ['c'] })).toThrow("'c' (object) in SGD");
  expect(() => requireFields(undefined, 'SGD', { array: ['c'] })).toThrow("'c' (array) in SGD");
});
