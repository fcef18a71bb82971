import * as tf from '@tensorflow/tfjs-core';
import { importCheckpoint, type NdArray, readNpz, type VectorFlow } from 'tfjs-flows';
import { relativeDifference } from './agreement';
import { imageOf, makeReference, publishedGlows } from './publishedGlows';
import { publishedVectors, tensorOf } from './publishedVectors';

/*
 * Flows of published code on the active backend, held against what that code gave, by asynchronous reads alone, in a page and in Node.
 */

/** Reads files of a folder of test/fixtures. */
export type ReadFixtures = (folder: string, names: readonly string[]) => Promise<Uint8Array[]>;

/** Largest differences of a flow from its fixture, relative to 1 + the largest value. */
export interface PublishedDifferences {
  logProb: number;
  /** Of latents and samples, or of images that come back from latents. */
  values: number;
}

/** Values of what `compute` returns; all of its tensors are freed. */
async function valuesOf(compute: () => tf.Tensor[]): Promise<Float32Array[]> {
  const tensors = tf.tidy(compute);
  const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  tf.dispose(tensors);
  return values;
}

const numbers = ({ data }: NdArray) => Array.from(data, Number);

/** @param lu the form of 1x1 convolutions */
async function glowDifferences(
  read: ReadFixtures,
  name: string,
  lu?: boolean,
): Promise<PublishedDifferences> {
  const files = await read(`glow/${name}`, ['checkpoint.pt', 'config.json', 'io.npz']);
  const { glow, bijector, config, io } = await makeReference(files, { lu });
  const [images, logProb, back] = await valuesOf(() => {
    const labels = config.y_condition ? imageOf(io.y) : undefined;
    const x = io.noise === undefined ? imageOf(io.x) : tf.add(imageOf(io.x), imageOf(io.noise));
    const { value: z, logDet } = bijector.forward(x, labels);
    return [x, tf.add(glow.base.logProb(z), logDet), bijector.inverse(z, labels).value];
  });
  glow.dispose();
  const [, , height, width] = io.x.shape;
  // chaiyujin's objective has the constant -log(256) per position, rosinality's parts come apart.
  const expected =
    io.objective === undefined
      ? numbers(io.log_p).map((value, i) => value + Number(io.logdet.data[i]))
      : numbers(io.objective).map((value) => value + Math.log(256) * height * width);
  return {
    logProb: relativeDifference(expected, logProb),
    values: relativeDifference(images, back),
  };
}

async function vectorDifferences(read: ReadFixtures, name: string): Promise<PublishedDifferences> {
  const [weights, results] = await read(`vector/${name}`, ['checkpoint.pt', 'io.npz']);
  const io: Readonly<Record<string, NdArray>> = readNpz(results);
  const flow = await importCheckpoint<VectorFlow>(weights, { config: publishedVectors[name] });
  const given = (part: string) => (io[part] ? { context: tensorOf(io[part]) } : {});
  const [logProb, latents, samples] = await valuesOf(() => {
    const x = tensorOf(io.x);
    return [
      flow.logProb(x, given('context')),
      flow.encode(x, given('context')),
      flow.decode(tensorOf(io.u), given('context_u')),
    ];
  });
  flow.dispose();
  return {
    logProb: relativeDifference(numbers(io.log_prob64), logProb),
    values: Math.max(
      relativeDifference(numbers(io.z64), latents),
      relativeDifference(numbers(io.samples64), samples),
    ),
  };
}

/** Every published Glow, its 1x1 convolutions in either form where it has any, and every published flow of vectors. */
export const publishedFlows: Readonly<Record<string, (read: ReadFixtures) => Promise<PublishedDifferences>>> =
  Object.fromEntries([
    ...publishedGlows.flatMap((name) =>
      (name.includes('reverse') ? [undefined] : [true, false]).map((lu) => {
        const form = lu === undefined ? '' : lu ? ', 1x1 as LU' : ', full 1x1';
        return [`${name}${form}`, (read: ReadFixtures) => glowDifferences(read, name, lu)] as const;
      }),
    ),
    ...Object.keys(publishedVectors).map(
      (name) => [name, (read: ReadFixtures) => vectorDifferences(read, name)] as const,
    ),
  ]);
