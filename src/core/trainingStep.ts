import { RandomStream } from './random';

/*
 * What layers do in training steps alone, as dropout does. Whoever computes the gradients of a step says so here; layers ask.
 */

interface Step {
  random: RandomStream;
  /** A seed for every layer that has drawn in this step. */
  seeds: Map<object, number>;
}

let present: Step | undefined;

/**
 * Runs `compute` as a training step, whose noise comes from `random`: one seed for each layer that asks, in the order in which they
 * first do. Where none does, nothing is drawn. A step within a step is one of its own.
 */
export function inTrainingStep<T>(random: RandomStream, compute: () => T): T {
  const outer = present;
  present = { random, seeds: new Map() };
  try {
    return compute();
  } finally {
    present = outer;
  }
}

/**
 * The noise of one layer in the present training step: a stream that begins anew each time it is asked for, so that a layer which is
 * computed again, or reversed, draws the same. Undefined outside of training steps.
 */
export function noiseInStep(layer: object): RandomStream | undefined {
  if (present === undefined) return undefined;
  const seed = present.seeds.get(layer) ?? present.random.childSeed();
  present.seeds.set(layer, seed);
  return new RandomStream(seed);
}
