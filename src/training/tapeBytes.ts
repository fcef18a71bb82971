import * as tf from '@tensorflow/tfjs-core';
import { mapContext } from '../core/context';
import { RandomStream } from '../core/random';
import { inTrainingStep } from '../core/trainingStep';
import { gradientsOf } from '../engine/gradients';
import { bytesOnTape } from '../engine/tape';
import type { Batch, Trainable } from './trainable';

/** What the tape of a batch holds: bytes whatever the number of examples, and bytes for each. */
export interface TapeBytes {
  fixed: number;
  perExample: number;
}

/** Fused networks keep rows of vectors by fours: only steps of four tell what one takes. */
const VECTOR_STEP = 4;

/** What stored gradients hold at once, by the tapes of one example and of a few. On the way back it is freed node by node, in exchange for the gradients. */
export function storedBytes(model: Trainable, batch: Batch): TapeBytes {
  const step = batch.x.rank === 2 ? VECTOR_STEP : 1;
  const [one, more] = [1, 1 + step].map((count) => bytesOfTape(model, batch, count));
  const perExample = (more - one) / step;
  return { fixed: one - perExample, perExample };
}

/** `count` copies of a batch's first example, in a batch of the caller's. */
export function firstExamples({ x, context }: Batch, count: number): Batch {
  const first = (tensor: tf.Tensor) => tf.concat(new Array<tf.Tensor>(count).fill(tf.slice(tensor, 0, 1)));
  return { x: first(x), context: mapContext(context, first) };
}

function bytesOfTape(model: Trainable, batch: Batch, count: number): number {
  let bytes = 0;
  tf.tidy(() => {
    const examples = firstExamples(batch, count);
    const random = new RandomStream(1);
    const taped = () => {
      const { loss } = inTrainingStep(random, () => model.loss(examples, random));
      bytes = bytesOnTape(model.weights.map(({ variable }) => variable));
      return loss;
    };
    gradientsOf(taped, []);
  });
  return bytes;
}
