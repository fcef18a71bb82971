import * as tf from '@tensorflow/tfjs-core';
import { mapContext } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { RandomStream } from '../core/random';
import { gradientsOf } from '../engine/gradients';
import { type Gradients, storedGradients } from './gradients';
import { type ReversibleOptions, reversibleGradients } from './reversible';
import type { Batch, Trainable } from './trainable';

/**
 * Where gradients get the layers' inputs from: 'stored' keeps all of them on the tape, 'reversible' recomputes them by inverses;
 * 'auto' stores as long as a step's activations take at most 1 GiB by estimate.
 */
export type GradientMethod = 'stored' | 'reversible' | 'auto';

export const gradientMethods: readonly GradientMethod[] = ['stored', 'reversible', 'auto'];

/** What 'auto' lets the tape hold, in bytes. */
const STORED_BUDGET = 2 ** 30;

/** Gradients of a batch by one method; 'auto' chooses by the batch's size alone, so that a resumed run chooses the same. */
export class GradientComputer {
  private stored?: { fixed: number; perExample: number };

  constructor(
    private readonly model: Trainable,
    private readonly method: GradientMethod,
    private readonly options: ReversibleOptions,
    private readonly budget = STORED_BUDGET,
  ) {}

  /** @throws ConfigError where the loss depends on no trainable weight, or has no reversible form and that was asked for */
  compute(batch: Batch, random: RandomStream): Gradients {
    const result = this.takesReversible(batch)
      ? reversibleGradients(this.model, batch, random, this.options)
      : storedGradients(this.model, batch, random);
    if (result.gradients.some((gradient) => gradient !== null)) return result;
    tf.dispose([result.loss, result.metrics]);
    throw new ConfigError(complaint('fit', 'a loss that depends on the trainable weights', 'one of none'));
  }

  private takesReversible(batch: Batch): boolean {
    if (this.method !== 'auto') return this.method === 'reversible';
    this.stored ??= this.estimate(batch);
    const { fixed, perExample } = this.stored;
    return fixed + perExample * batch.x.shape[0] > this.budget;
  }

  /** Bytes of stored gradients, from one example and two; none where there is no other way. */
  private estimate(batch: Batch): { fixed: number; perExample: number } {
    let reversible = false;
    tf.tidy(() => {
      reversible = this.model.bijectiveLoss?.(batch, new RandomStream(1)) !== undefined;
    });
    if (!reversible) return { fixed: 0, perExample: 0 };
    const [one, two] = [1, 2].map((count) => storedBytes(this.model, batch, count));
    return { fixed: 2 * one - two, perExample: two - one };
  }
}

/**
 * Bytes that stored gradients of `count` copies of the batch's first example hold at once: what the tape saves. On the way back it is
 * freed node by node, in exchange for the gradients.
 */
function storedBytes(model: Trainable, { x, context }: Batch, count: number): number {
  let bytes = 0;
  const first = (tensor: tf.Tensor) => tf.concat(new Array<tf.Tensor>(count).fill(tf.slice(tensor, 0, 1)));
  tf.tidy(() => {
    const examples = { x: first(x), context: mapContext(context, first) };
    const taped = () => {
      const { loss } = model.loss(examples, new RandomStream(1));
      bytes = bytesOnTape(model);
      return loss;
    };
    gradientsOf(taped, []);
  });
  return bytes;
}

function bytesOnTape(model: Trainable): number {
  const bytes = (tensor: tf.Tensor) => tensor.size * tf.util.bytesPerElement(tensor.dtype);
  const counted = new Set<object>(model.weights.map(({ variable }) => variable.dataId));
  let sum = 0;
  for (const { saved = [] } of tf.engine().state.activeTape) {
    for (const tensor of saved) {
      if (!counted.has(tensor.dataId)) sum += bytes(tensor);
      counted.add(tensor.dataId);
    }
  }
  return sum;
}
