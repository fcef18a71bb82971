import { type KnownAttribute, type LearnableRange, Matrix } from 'tfjs-flows';
import { selectPictures } from '../pictures';
import type { StrengthRange } from '../protocol';
import { type LoadedModel, toTensor } from './model';

/** Latents of some of the model's pictures, [n, d]. */
export async function latentsOf(
  { glow, pictures }: LoadedModel,
  indices: readonly number[],
): Promise<Matrix> {
  const images = toTensor(selectPictures(pictures, indices));
  const z = glow.encode(images);
  const values = await z.data();
  images.dispose();
  z.dispose();
  return new Matrix(Float64Array.from(values), indices.length, values.length / indices.length);
}

/**
 * The first of some latents, [1, d]. Encoded anew, alone, it would differ in the last digit: then it would not lie between the samples where
 * it is the outermost of them.
 */
export function firstOf(z: Matrix): Matrix {
  return Matrix.fromRows([z.row(0)]);
}

/** What the model's file says of one attribute. */
export function knownAttribute({ statistics, prior }: LoadedModel, index: number): KnownAttribute {
  const { nearNormal, ...direction } = statistics.attributes[index];
  return { direction, mixing: { nearNormal, along: direction.delta }, prior };
}

/** A range as the page shows it. */
export function describeRange({ own, transferable, prior, refusal }: LearnableRange): StrengthRange {
  return {
    own: own && [...own],
    transferable: transferable.map(([low, high]) => [low, high]),
    prior: prior.map(([low, high]) => [low, high]),
    refusal,
  };
}
