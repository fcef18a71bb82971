import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { type Bijector, type ContextTensors, Glow, RandomStream } from 'tfjs-flows';
import type { CheckOptions } from 'tfjs-flows/testing';
import { registry } from '../../conformance/registry';

/** What the test in Node calls in the page. */
export interface AgreementPage {
  /** False where the browser has no WebGPU. */
  hasWebgpu(): Promise<boolean>;
  /** Largest difference between webgpu and cpu over the results of one bijector, relative to 1 + the largest value. */
  difference(bijector: string): Promise<number>;
  /** Losses of a few training steps of a small Glow. */
  losses(backend: string): Promise<number[]>;
}

/** Values, log-dets and gradients of both directions, in a fixed order. */
function results(bijector: Bijector, x: tf.Tensor, probe: tf.Tensor, context?: ContextTensors): tf.Tensor[] {
  const variables = bijector.trainableWeights;
  const loss = (input: tf.Tensor) => {
    const { value, logDet } = bijector.forward(input, context);
    const back = bijector.inverse(tf.mul(value, 0.9), context);
    // Shares of a whole have fewer latents than values.
    const weighted = [value, back.value].map(({ size }, i) =>
      tf.sum(tf.mul(tf.reshape([value, back.value][i], [-1]), tf.slice(probe, 0, size))),
    );
    return tf.add(tf.add(weighted[0], weighted[1]), tf.sum(tf.add(logDet, back.logDet))) as tf.Scalar;
  };
  const { value, logDet } = bijector.forward(x, context);
  const inverse = bijector.inverse(value, context);
  const slopes = variables.length === 0 ? {} : tf.variableGrads(() => loss(x), variables).grads;
  const ordered = variables.map((variable) => slopes[variable.name]).filter((slope) => slope != null);
  return [value, logDet, inverse.value, inverse.logDet, tf.grad(loss)(x), ...ordered];
}

/** The same run on one backend; `weights` replace those that it would begin with. Reads asynchronously only. */
async function run(backend: string, options: CheckOptions, weights?: Float32Array[]) {
  await tf.setBackend(backend);
  const random = new RandomStream(1);
  const bijector = options.create();
  const draw = (n: number) => options.sample?.(n, random) ?? random.normal([n, ...bijector.inputShape]);
  const x = draw(16);
  const context = options.context?.(16, random);
  const probe = random.normal([x.size]);
  if (weights === undefined) bijector.initialize(x, context).dispose();
  else bijector.markInitialized();
  for (const [i, { variable, trainable }] of bijector.weights.entries()) {
    const noise = random.normalArray(variable.size);
    const values =
      weights?.[i] ?? (await variable.data()).map((value, k) => (trainable ? value + 0.1 * noise[k] : value));
    variable.assign(tf.tensor(values as Float32Array, variable.shape, variable.dtype));
  }
  const tensors = tf.tidy(() => results(bijector, x, probe, context));
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  const used = await Promise.all(bijector.weights.map(({ variable }) => variable.data<'float32'>()));
  bijector.dispose();
  tf.dispose([x, probe, context ?? [], tensors]);
  return { values, weights: used };
}

/** Largest |a - b| over 1 + largest |a|; NaN counts as infinite. */
function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  let scale = 1;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
    scale = Math.max(scale, 1 + Math.abs(a[i]));
  }
  return most / scale;
}

const page: AgreementPage = {
  hasWebgpu: () => tf.setBackend('webgpu').catch(() => false),
  async difference(name) {
    const cpu = await run('cpu', registry[name]);
    const gpu = await run('webgpu', registry[name], cpu.weights);
    return Math.max(...cpu.values.map((expected, i) => relativeDifference(expected, gpu.values[i])));
  },
  async losses(backend) {
    await tf.setBackend(backend);
    const random = new RandomStream(1);
    const images = Uint8Array.from({ length: 16 * 64 }, () => random.integer(256));
    const glow = new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 8, seed: 1 });
    const history = await glow.fit(
      { x: images, shape: [8, 8, 1] },
      { steps: 3, batchSize: 8, seed: 1, progress: 'none' },
    );
    return history.losses;
  },
};

Object.assign(globalThis, { page });
