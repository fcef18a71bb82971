import * as tf from '@tensorflow/tfjs-core';
import { type Bijector, type ContextTensors, Glow, RandomStream } from 'tfjs-flows';
import type { CheckOptions } from 'tfjs-flows/testing';

/*
 * One backend held against another by asynchronous reads alone, in a page and in Node.
 */

/** Largest |a - b| over 1 + largest |a|; NaN counts as infinite, and so does another number of values. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  let scale = 1;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
    scale = Math.max(scale, 1 + Math.abs(a[i]));
  }
  return most / scale;
}

/** Differences of one bijector's results between two backends. */
export interface Differences {
  /** Of values and log-determinants, both ways. */
  values: number;
  /** Of gradients by the input and by all weights. */
  gradients: number;
}

interface Results {
  values: tf.Tensor[];
  gradients: tf.Tensor[];
}

/** Values, log-dets and gradients of both directions, in a fixed order. */
function results(bijector: Bijector, x: tf.Tensor, probe: tf.Tensor, context?: ContextTensors): Results {
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
  return {
    values: [value, logDet, inverse.value, inverse.logDet],
    gradients: [tf.grad(loss)(x), ...ordered],
  };
}

type Values = Record<keyof Results, Float32Array[]> & { weights: Float32Array[] };

/** The same run on one backend; `weights` replace those that it would begin with. */
async function run(backend: string, options: CheckOptions, weights?: Float32Array[]): Promise<Values> {
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
    const assigned = tf.tensor(values as Float32Array, variable.shape, variable.dtype);
    variable.assign(assigned);
    assigned.dispose();
  }
  const tensors = tf.tidy(() => results(bijector, x, probe, context) as never) as Results;
  const read = (list: tf.Tensor[]) => Promise.all(list.map((tensor) => tensor.data<'float32'>()));
  const [values, gradients] = [await read(tensors.values), await read(tensors.gradients)];
  const used = await read(bijector.weights.map(({ variable }) => variable));
  bijector.dispose();
  tf.dispose([x, probe, context ?? [], tensors.values, tensors.gradients]);
  return { values, gradients, weights: used };
}

/** Largest differences of a backend from cpu over the results of one bijector, relative to 1 + the largest value. */
export async function differencesFromCpu(backend: string, options: CheckOptions): Promise<Differences> {
  const cpu = await run('cpu', options);
  const other = await run(backend, options, cpu.weights);
  const most = (of: keyof Results) =>
    Math.max(...cpu[of].map((expected, i) => relativeDifference(expected, other[of][i])));
  return { values: most('values'), gradients: most('gradients') };
}

/** Losses of training steps of a small Glow on a backend. */
export async function trainingCurve(backend: string, steps: number): Promise<number[]> {
  await tf.setBackend(backend);
  const random = new RandomStream(1);
  const images = Uint8Array.from({ length: 16 * 64 }, () => random.integer(256));
  const glow = new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 8, seed: 1 });
  const history = await glow.fit(
    { x: images, shape: [8, 8, 1] },
    { steps, batchSize: 8, seed: 1, progress: 'none' },
  );
  glow.dispose();
  return history.losses;
}
