import * as tf from '@tensorflow/tfjs-core';
import { anotherHandle } from '../engine/handles';

/**
 * The values of some variables at one moment.
 *
 * tfjs tensors never change, so a snapshot shares the data until a variable is assigned anew: taking one copies nothing.
 */
export class WeightSnapshot {
  private tensors: tf.Tensor[] = [];

  constructor(private readonly variables: readonly tf.Variable[]) {}

  /** True once a moment was captured. */
  get taken(): boolean {
    return this.tensors.length > 0;
  }

  /** The captured values, in the order of the variables; still owned by the snapshot. */
  get values(): readonly tf.Tensor[] {
    return this.tensors;
  }

  /** Remembers the present values, or the given ones, in place of what was remembered. */
  capture(values: readonly tf.Tensor[] = this.variables): void {
    const captured = values.map((value) => tf.keep(anotherHandle(value)));
    this.dispose();
    this.tensors = captured;
  }

  /** Sets the variables to the remembered values. */
  restore(): void {
    for (const [i, tensor] of this.tensors.entries()) this.variables[i].assign(tensor);
  }

  /** Frees what is remembered. */
  dispose(): void {
    tf.dispose(this.tensors);
    this.tensors = [];
  }
}
