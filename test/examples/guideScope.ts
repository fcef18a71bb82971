import * as tf from '@tensorflow/tfjs-core';
import * as flows from 'tfjs-flows';
import type { Scope } from './run';

/** The names that guides take for granted beside those of `makeScope`: latents of subclasses, five of another, and what is made of them. */
export function makeGuideScope(scope: Scope): Scope {
  const { labeled, few, fewLatents, fewLabels, samplesOfTheOtherClasses } = scope as {
    labeled: { z: number[][]; subclass: number[]; attributes: number[][] };
    few: number[][];
  } & Scope;
  const { z, subclass, attributes } = labeled;
  const attribute = attributes.flat();
  const direction = flows.zDelta(labeled);
  // Pictures are their latents: what is measured on them is what the attribute moves.
  const decodeLatents = async (_: unknown, latents: flows.Matrix) =>
    tf.tensor2d(Float32Array.from(latents.data), [latents.rows, latents.cols]);
  const inkOf = (images: tf.Tensor) =>
    tf.tidy(() => [...tf.mean(tf.slice(images, [0, 8], [-1, -1]), 1).dataSync()]);
  return {
    ...scope,
    values: z.map((row) => row[0]),
    latents: z,
    latent: few[0],
    fiveLatents: few,
    digits: subclass,
    subclass,
    attributes,
    ink: attribute,
    inkOf,
    measure: inkOf,
    decode: (latents: flows.Matrix) => decodeLatents(undefined, latents),
    decodeLatents,
    direction,
    report: flows.mixedNormality({ z, subclass }, { along: direction, seed: 1 }),
    posterior: flows.fitPrior(labeled).posterior(few),
    reference: z,
    referenceLabels: subclass,
    fewLatents,
    fewLabels,
    others: samplesOfTheOtherClasses,
  };
}
