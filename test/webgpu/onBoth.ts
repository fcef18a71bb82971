import '@tensorflow/tfjs-backend-cpu';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWebGpu } from 'tfjs-flows/webgpu';
import { expect, vi } from 'vitest';
import { Gpu } from '../../src/webgpu/gpu';
import { relativeDifference } from '../support/agreement';

/** Makes a backend the active one; webgpu is prepared where it is not. */
export async function activate(backend: 'cpu' | 'webgpu'): Promise<void> {
  if (backend === 'webgpu') await prepareWebGpu();
  await tf.setBackend(backend);
}

/** Values of what `compute` returns on a backend; all of its tensors are freed. */
export async function valuesOn(
  backend: 'cpu' | 'webgpu',
  compute: () => tf.Tensor[],
): Promise<Float32Array[]> {
  await activate(backend);
  const held = () => ({ tensors: tf.memory().numTensors, values: tf.backend().numDataIds() });
  const before = held();
  const tensors = tf.tidy(compute);
  const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  tf.dispose(tensors);
  expect(held()).toEqual(before);
  return values.map((list) => Float32Array.from(list));
}

/** Results of a computation, and the gradients of a weighted sum of all in its inputs. */
export function withGradients(
  compute: (...inputs: tf.Tensor[]) => tf.Tensor[],
  inputs: tf.Tensor[],
): tf.Tensor[] {
  const results = compute(...inputs);
  const random = new RandomStream(7);
  const weights = results.map(({ shape }) => random.normal(shape));
  const loss = (...given: tf.Tensor[]) =>
    tf.addN(compute(...given).map((result, i) => tf.sum(tf.mul(result, weights[i])))) as tf.Scalar;
  return [...results, ...tf.grads(loss)(inputs)];
}

/** How many dispatches of our programs `encode` takes. The backend is webgpu already. */
export function countDispatches(encode: () => void): number {
  const gpu = Gpu.of(tf.backend() as WebGPUBackend);
  const before = gpu.dispatches;
  encode();
  return gpu.dispatches - before;
}

/** The same of what `compute` takes, whose tensors are freed. */
export function dispatchesOf(compute: () => unknown): number {
  return countDispatches(() => tf.tidy(() => void compute()));
}

/**
 * What `compute` gives where the device counts as one that is best served by tiles; all its convolutions must be wide enough for them.
 *
 * @param enough invocations that keep it busy: few for blocks as large as registers hold
 */
export async function inTiles<T>(compute: () => Promise<T>, enough = 256): Promise<T> {
  await activate('webgpu');
  const gpu = Gpu.of(tf.backend() as WebGPUBackend);
  const { tilesInMemory, enoughInvocations } = gpu;
  Object.assign(gpu, { tilesInMemory: true, enoughInvocations: enough });
  const run = vi.spyOn(gpu, 'run');
  try {
    const result = await compute();
    const convolutions = run.mock.calls
      .map(([program]) => program)
      .filter(({ key }) => /^convolution/.test(key));
    expect(convolutions).not.toEqual([]);
    for (const program of convolutions) expect(program.code(), program.key).toContain('var<workgroup>');
    return result;
  } finally {
    run.mockRestore();
    Object.assign(gpu, { tilesInMemory, enoughInvocations });
  }
}

/** Expects webgpu to give the values of cpu; float32 on both, summed in other orders. */
export async function expectSameOnBoth(compute: () => tf.Tensor[], tolerance = 1e-5): Promise<void> {
  const expected = await valuesOn('cpu', compute);
  const received = await valuesOn('webgpu', compute);
  expected.forEach((values, i) => {
    expect(relativeDifference(values, received[i]), `result ${i}`).toBeLessThan(tolerance);
  });
}
