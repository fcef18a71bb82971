import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { RandomStream } from '../core/random';
import { memoryLeft } from '../engine/memory';
import { type Gradients, storedGradients, trainableOf } from './gradients';
import { type ReversibleOptions, reversibleGradients } from './reversible';
import { firstExamples, storedBytes, type TapeBytes } from './tapeBytes';
import type { Batch, Trainable } from './trainable';

/** Where gradients get the layers' inputs from: 'stored' keeps all of them on the tape, 'reversible' recomputes them by inverses. */
export type ChosenGradients = 'stored' | 'reversible';

/** One of them, or 'auto': stored as long as a step takes at most half of the memory that is left when training begins. */
export type GradientMethod = ChosenGradients | 'auto';

export const gradientMethods: readonly GradientMethod[] = ['stored', 'reversible', 'auto'];

/**
 * Share of the memory that is left which a step may take by estimate: the way back needs room to compute in, a heap has gaps, and others
 * use the machine, too.
 */
const SHARE = 0.5;

/** Bytes that a trainable value takes besides itself: gradient, two moments, and its last good value or its average. */
const TRAINING_BYTES = 16;

/** What 'auto' chose, and by how many bytes; plain JSON. A resumed run goes on by it, whatever its machine has left. */
export interface GradientChoice {
  chosen: ChosenGradients;
  budget: number;
}

/**
 * Gradients of a batch by one method. 'auto' chooses at the first batch. A larger one may still turn stored gradients into reversible
 * ones, never the other way round.
 */
export class GradientComputer {
  private choice?: GradientChoice;
  private tapeBytes?: TapeBytes;

  /** @param left bytes that are left, asked once */
  constructor(
    private readonly model: Trainable,
    private readonly method: GradientMethod,
    private readonly options: ReversibleOptions,
    private readonly left: () => number = memoryLeft,
  ) {}

  /** The method in use; undefined before 'auto' has chosen. */
  get chosen(): ChosenGradients | undefined {
    return this.method === 'auto' ? this.choice?.chosen : this.method;
  }

  /** What a resumed run needs to choose the same. */
  state(): GradientChoice | null {
    return this.choice ?? null;
  }

  /** Goes on with the choice of an earlier run, which made none where it wrote null or nothing. */
  restore(choice: GradientChoice | null | undefined): void {
    this.choice = choice ?? undefined;
  }

  /** @throws ConfigError where the loss depends on no trainable weight, or has no reversible form and that was asked for */
  compute(batch: Batch, random: RandomStream): Gradients {
    const reversible = (this.method === 'auto' ? this.choose(batch) : this.method) === 'reversible';
    const result = reversible
      ? reversibleGradients(this.model, batch, random, this.options)
      : storedGradients(this.model, batch, random);
    if (result.gradients.some((gradient) => gradient !== null)) return result;
    tf.dispose([result.loss, result.metrics]);
    throw new ConfigError(complaint('fit', 'a loss that depends on the trainable weights', 'one of none'));
  }

  private choose(batch: Batch): ChosenGradients {
    this.choice ??= { chosen: 'stored', budget: Math.floor(SHARE * this.left()) };
    const { chosen, budget } = this.choice;
    if (chosen === 'stored' && this.bytes(batch) > budget && this.reverses(batch)) {
      this.choice = { chosen: 'reversible', budget };
    }
    return this.choice.chosen;
  }

  /** Bytes that a step by stored gradients takes. */
  private bytes(batch: Batch): number {
    this.tapeBytes ??= storedBytes(this.model, batch);
    const { fixed, perExample } = this.tapeBytes;
    const values = trainableOf(this.model).reduce((sum, { size }) => sum + size, 0);
    return fixed + perExample * batch.x.shape[0] + TRAINING_BYTES * values;
  }

  /** Whether there are reversible gradients, and no weight goes without one that has a stored one: seen on one example. */
  private reverses(batch: Batch): boolean {
    return tf.tidy(() => {
      const one = firstExamples(batch, 1);
      if (this.model.bijectiveLoss?.(one, new RandomStream(1)) === undefined) return false as never;
      const has = (compute: () => Gradients) =>
        tf.tidy(() => compute().gradients.map((gradient) => gradient !== null) as never) as boolean[];
      const stored = has(() => storedGradients(this.model, one, new RandomStream(1)));
      const reversible = has(() => reversibleGradients(this.model, one, new RandomStream(1), this.options));
      return stored.every((given, i) => !given || reversible[i]) as never;
    }) as boolean;
  }
}
