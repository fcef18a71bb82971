import * as tf from '@tensorflow/tfjs-core';
import { type Flow, ImageFlow } from 'tfjs-flows';
import { PLANE_LIMIT } from '../plane';
import type { Preview } from '../protocol';
import { settle, toPictures } from './model';

const DENSITY_SIDE = 48;
const SAMPLES = 12;
const TEMPERATURE = 0.7;

/** What a flow has learned, to look at: its density in the plane, or samples. */
export async function previewOf(flow: Flow): Promise<Preview> {
  if (flow instanceof ImageFlow) {
    await settle(flow, tf.zeros([1, ...flow.eventShape]));
    const images = flow.sample(SAMPLES, { temperature: TEMPERATURE, seed: 1 });
    return { kind: 'samples', pictures: await toPictures(images, flow.nBits) };
  }
  const density = tf.tidy(() => tf.exp(flow.logProb(grid())));
  const values = (await density.data()) as Float32Array;
  density.dispose();
  return { kind: 'density', values: Float32Array.from(values), side: DENSITY_SIDE };
}

/** Centres of the cells of a square grid over the plane, row by row from the top. */
function grid(): tf.Tensor2D {
  const values = new Float32Array(2 * DENSITY_SIDE ** 2);
  const place = (i: number) => PLANE_LIMIT * ((2 * i + 1) / DENSITY_SIDE - 1);
  for (let row = 0; row < DENSITY_SIDE; row++) {
    for (let column = 0; column < DENSITY_SIDE; column++) {
      values.set([place(column), -place(row)], 2 * (row * DENSITY_SIDE + column));
    }
  }
  return tf.tensor2d(values, [DENSITY_SIDE ** 2, 2]);
}
