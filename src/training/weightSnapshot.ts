import * as tf from '@tensorflow/tfjs-core';
import { anotherHandle } from '../engine/handles';

/**
 * The values of some variables at one moment.
 *
 * tfjs tensors never change, so a snapshot shares the data until a variable is assigned anew: taking one copies nothing.
 */
export class WeightSnapshot {
  private remembered: { variable: tf.Variable; value: tf.Tensor }[] = [];

  constructor(private readonly variables: readonly tf.Variable[]) {}

  /** True once a moment was captured. */
  get taken(): boolean {
    return this.remembered.length > 0;
  }

  /** The captured values, in the order of the variables; still owned by the snapshot. */
  get values(): readonly tf.Tensor[] {
    return this.remembered.map(({ value }) => value);
  }

  /** Remembers the present values, or the given ones, in place of what was remembered. */
  capture(values: readonly tf.Tensor[] = this.variables): void {
    const captured = values.map((value, i) => ({
      variable: this.variables[i],
      value: tf.keep(anotherHandle(value)),
    }));
    this.dispose();
    this.remembered = captured;
  }

  /** Sets the variables to the remembered values. */
  restore(): void {
    for (const { variable, value } of this.remembered) variable.assign(value);
  }

  /** Forgets what the variables hold themselves, so that nothing shares it: it may then change in place. */
  letGo(): void {
    const held = this.remembered.filter(({ variable, value }) => variable.dataId === value.dataId);
    tf.dispose(held.map(({ value }) => value));
    this.remembered = this.remembered.filter((one) => !held.includes(one));
  }

  /** Frees what is remembered. */
  dispose(): void {
    tf.dispose(this.remembered.map(({ value }) => value));
    this.remembered = [];
  }
}
