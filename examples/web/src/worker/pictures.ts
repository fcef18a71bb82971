import * as tf from '@tensorflow/tfjs-core';
import { selectPictures } from '../pictures';
import type { Params, Pictures } from '../protocol';
import { model, toPictures, toTensor } from './model';

/** New pictures, one temperature per level. */
export async function sample({ count, temperatures, seed }: Params<'sample'>): Promise<Pictures> {
  const { glow } = model();
  return toPictures(glow.sample(count, { temperature: temperatures, seed }), glow.nBits);
}

/** From the first of two pictures to the second, through latent space. */
export async function interpolate({ ends, steps }: Params<'interpolate'>): Promise<Pictures> {
  const { glow } = model();
  const frames = tf.tidy(() => {
    const [from, to] = [0, 1].map((end) => toTensor(selectPictures(ends, [end])));
    return glow.interpolate(from, to, { steps });
  });
  return toPictures(frames, glow.nBits);
}
