import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, BackendError, fit, RandomStream, realNvp, Squeeze } from 'tfjs-flows';
import { afterAll, expect, it } from 'vitest';
import { unpackTensors } from '../../src/io/tensors';

// No backend is imported here: what a new user meets who forgot one.

afterAll(() => {
  tf.removeBackend('late');
});

it.each<[string, () => unknown]>([
  ['ActNorm', () => realNvp({ dimensions: 2 })],
  ['Squeeze', () => new Squeeze({ inputShape: [2, 2, 1] })],
  ['RandomStream.normal', () => new RandomStream(1).normal([2])],
  ['RandomStream.uniform', () => new RandomStream(1).uniform([2])],
  ['fit', () => fit({} as never, [[1, 2]])],
  [
    'load',
    async () => unpackTensors('load', { weightSpecs: [], weightData: new ArrayBuffer(0) }, '00000000'),
  ],
])('%s says that there is no backend, and what to do', async (name, use) => {
  const error = await Promise.resolve()
    .then(use)
    .catch((thrown: unknown) => thrown as Error);
  expect(error).toBeInstanceOf(BackendError);
  const { message } = error as Error;
  expect(message).toMatch(new RegExp(`^${name}: expected a backend .* that is ready, got none\\.`));
  expect(message).toContain('await prepareWasm()');
});

it('says the same of a backend that nobody waited for', () => {
  tf.registerBackend('late', () => new Promise(() => {}));
  expect(() => new ActNorm({ inputShape: [2] })).toThrow(/await tf\.ready\(\).*has not yet been initialized/);
});
