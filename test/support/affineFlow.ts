import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, Flow } from 'tfjs-flows';

/** z = (x + shift) * scale with a standard normal base: every result can be computed by hand. */
export function affineFlow(shift: number[], scale: number[], seed?: number): Flow {
  return new Flow({ bijector: affine(shift, scale), seed });
}

/** The layer of `affineFlow`; with `inputShape` one pair of numbers per channel. */
export function affine(
  shift: number[],
  scale: number[],
  inputShape = [shift.length],
  name = 'affine',
): ActNorm {
  const layer = new ActNorm({ inputShape, name });
  const [bias, logScale] = layer.trainableWeights;
  tf.tidy(() => {
    bias.assign(tf.tensor(shift, bias.shape));
    logScale.assign(tf.tensor(scale.map(Math.log), logScale.shape));
  });
  layer.markInitialized();
  return layer;
}

/** The values of a tensor, which is disposed. */
export function valuesOf(x: tf.Tensor): number[] {
  const values = Array.from(x.dataSync());
  x.dispose();
  return values;
}
