import * as tf from '@tensorflow/tfjs-core';
import { sumPerExample, untaped } from '../../core/tensors';
import { Bijector, type Transformed } from '../bijector';
import type { ElementwiseResult } from '../transformers/transformer';

/**
 * A map of part of the line onto all of it, for each value by itself; a subclass writes the map inside of its support, and what lies
 * there.
 *
 * Off the support the log-determinant is -Infinity, and the value that of a point inside: neither is NaN, nor are the gradients of
 * the other rows. Values of the inverse lie inside, where rounding would bring them to an end, too.
 *
 * @example
 * class Artanh extends ElementwiseSupport {
 *   static className = 'MyArtanh';
 *   protected override get limits(): readonly [number, number] {
 *     return [-1 + 2 ** -24, 1 - 2 ** -24];
 *   }
 *   protected toLine(x: tf.Tensor) {
 *     return { value: tf.atanh(x), logDerivative: tf.neg(tf.log(tf.sub(1, tf.square(x)))) };
 *   }
 *   protected fromLine(u: tf.Tensor) {
 *     const value = tf.tanh(u);
 *     return { value, logDerivative: tf.log(tf.sub(1, tf.square(value))) };
 *   }
 *   getConfig() {
 *     return { name: this.name, inputShape: [...this.inputShape] };
 *   }
 * }
 * new Artanh('artanh', [1]).forward(tf.tensor2d([[0], [2]])).logDet.print(); // [0, -Infinity]
 */
export abstract class ElementwiseSupport extends Bijector {
  /** Hook: data inside of the support to the line, with log du/dx. */
  protected abstract toLine(x: tf.Tensor): ElementwiseResult;

  /** Hook: the line to data, with log dx/du. */
  protected abstract fromLine(u: tf.Tensor): ElementwiseResult;

  /** Hook: least and largest number of the support. */
  protected get limits(): readonly [least: number, largest: number] {
    return [-LARGEST, LARGEST];
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const within = this.within(x);
    const inside = untaped(() => tf.equal(x, within));
    const { value, logDerivative } = this.toLine(tf.where(inside, x, within));
    const logs = tf.where(inside, logDerivative, tf.fill(x.shape, Number.NEGATIVE_INFINITY));
    return { value, logDet: sumPerExample(logs) };
  }

  protected computeInverse(u: tf.Tensor): Transformed {
    const { value, logDerivative } = this.fromLine(u);
    const within = this.within(value);
    const inside = untaped(() => tf.equal(value, within));
    return { value: tf.where(inside, value, within), logDet: sumPerExample(logDerivative) };
  }

  /** The nearest point of the support, off the tape. */
  private within(x: tf.Tensor): tf.Tensor {
    const [least, largest] = this.limits;
    // Not clipByValue: on wasm it makes a number of NaN.
    return untaped(() => tf.minimum(tf.maximum(x, least), largest));
  }
}

/** Largest number of float32. */
export const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** Smallest positive number that no backend takes for 0. */
export const LEAST_POSITIVE = 2 ** -126;

/** The next number of float32 above x. */
export function nextAbove(x: number): number {
  if (Math.abs(x) < LEAST_POSITIVE) return LEAST_POSITIVE;
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0] += x > 0 ? 1 : -1;
  return new Float32Array(bits.buffer)[0];
}

/** The next number of float32 below x. */
export function nextBelow(x: number): number {
  return -nextAbove(-x);
}
