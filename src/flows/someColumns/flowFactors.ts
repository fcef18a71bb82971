import * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, isNamed } from '../../core/context';
import type { RandomStream } from '../../core/random';
import { sizeOf } from '../../core/shapes';
import { sumPerExample } from '../../core/tensors';
import { StandardNormal } from '../../distributions';
import { HALF_LOG_TWO_PI } from '../../distributions/fusedNormal';
import { ColumnHead } from '../../layers/supports/columnHead';
import { BEFORE, Factorized } from '../../layers/supports/factorized';
import type { Context } from '../context';
import type { ColumnFlow } from './columnFlow';

/** Factors of a flow that stand on their own: they read each other, and no other factor. */
export interface ColumnFactors {
  /** [n] in nats, of rows of all columns, of which the others are not looked at; whole numbers get noise from the stream. */
  logProb(rows: tf.Tensor, context: Context | undefined, random: RandomStream): tf.Tensor1D;
  /** Latents of the whole flow: those of these factors from n rows, the others drawn. */
  completed(rows: tf.Tensor, context: Context | undefined, random: RandomStream): tf.Tensor;
}

/** Factors of a flow that hold exactly these columns and read no others; undefined where there are none. */
export function factorsOf(flow: ColumnFlow, places: readonly number[]): ColumnFactors | undefined {
  const { bijector, base } = flow;
  if (!(bijector instanceof Factorized && base instanceof StandardNormal)) return undefined;
  const chosen = standalone(bijector, places);
  if (chosen === undefined) return undefined;
  const forward = (rows: tf.Tensor, context: Context | undefined, random?: RandomStream) => {
    const { points, context: read } = flow.prepared(rows, context, random);
    return bijector.forwardOf(chosen, points, read);
  };
  return {
    logProb: (rows, context, random) => {
      const { value, logDet } = forward(rows, context, random);
      const constant = -(value.shape[1] as number) * HALF_LOG_TWO_PI;
      return tf.add(tf.add(tf.mul(sumPerExample(tf.square(value)), -0.5), constant), logDet);
    },
    completed: (rows, context, random) => {
      const { value } = forward(rows, context);
      const sizes = bijector.factors.map((factor) => sizeOf(factor.bijector.outputShape));
      const lengths = chosen.map((i) => sizes[i]);
      const known = tf.split(value, lengths, 1);
      const latents = sizes.map((size, i) =>
        chosen.includes(i) ? known[chosen.indexOf(i)] : random.normal([rows.shape[0], size]),
      );
      return tf.concat(latents, 1);
    },
  };
}

function standalone({ factors }: Factorized, places: readonly number[]): number[] | undefined {
  const chosen = factors.flatMap(({ columns }, i) => (columns.every((j) => places.includes(j)) ? [i] : []));
  const held = chosen.flatMap((i) => factors[i].columns);
  if (held.length !== places.length) return undefined;
  const alone = chosen.every((i) => {
    if (!readsBefore(factors[i].bijector.contextShape)) return true;
    const before = factors.slice(0, i);
    return before.every(({ bijector }, j) => !(bijector instanceof ColumnHead) || chosen.includes(j));
  });
  return alone ? chosen : undefined;
}

function readsBefore(shape: ContextShape | undefined): boolean {
  return shape !== undefined && isNamed(shape) && BEFORE in shape;
}
