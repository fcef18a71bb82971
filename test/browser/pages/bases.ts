import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { contextOf, variants } from '../../distributions/variants';

/** What the test in Node calls in the page. */
export interface BasesPage {
  /** False where the browser has no such backend. */
  useBackend(backend: string): Promise<boolean>;
  /** Largest difference between a backend and cpu over densities, samples and gradients, relative to 1 + the largest value. */
  difference(backend: string, base: string): Promise<number>;
}

/** Density, samples and gradients in a fixed order. Reads asynchronously only. */
async function run(backend: string, name: string): Promise<ArrayLike<number>[]> {
  await tf.setBackend(backend);
  const variant = variants[name];
  const base = variant.create();
  const tensors = tf.tidy(() => {
    const context = contextOf(variant, 8);
    const z = base.sample(8, { random: new RandomStream(1), context });
    // Not at the very ends of a box, which backends round apart.
    const events = tf.mul(z, 0.9);
    const loss = (given: tf.Tensor) => tf.sum(base.logProb(given, context)) as tf.Scalar;
    const weights = base.trainableWeights;
    const slopes = weights.length === 0 ? {} : tf.variableGrads(() => loss(events), weights).grads;
    const ordered = weights.map((weight) => slopes[weight.name]).filter((slope) => slope != null);
    return [z, base.logProb(events, context), tf.grad(loss)(events), ...ordered] as never;
  }) as unknown as tf.Tensor[];
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose(tensors);
  base.dispose();
  return values;
}

const page: BasesPage = {
  useBackend: (backend) => tf.setBackend(backend).catch(() => false),
  async difference(backend, name) {
    const [expected, received] = [await run('cpu', name), await run(backend, name)];
    let most = 0;
    expected.forEach((values, k) => {
      const scale = Array.from(values).reduce((largest, value) => Math.max(largest, 1 + Math.abs(value)), 1);
      Array.from(values).forEach((value, i) => {
        const difference = Math.abs(value - received[k][i]) / scale;
        most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
      });
    });
    return most;
  },
};

Object.assign(globalThis, { page });
