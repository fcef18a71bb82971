import * as tf from '@tensorflow/tfjs-core';
import type { Bijector, Transformed } from './bijector';

/** A layer's value on the way back, and the gradient of the loss by it; both [batch, ...shape]. */
export interface Reversed {
  value: tf.Tensor;
  gradient: tf.Tensor;
}

/**
 * One way through a bijector and back: forward without a tape, then layer by layer from output to input, each layer's input
 * taken from its inverse (or from an anchor) and differentiated on its own.
 *
 * Holds what outlives a layer: anchors, and the gradients of the weights. `dispose` frees what was not taken.
 */
export class ReversePass {
  private readonly anchors = new Map<string, tf.Tensor>();
  private readonly gradients = new Map<number, tf.Tensor>();
  private logDetGradient?: tf.Tensor;

  /**
   * @param context what the layers are conditioned on
   * @param anchorEvery keep the input of every so-many-th layer, exact, in place of its inverse
   */
  constructor(
    readonly context: tf.Tensor | undefined,
    private readonly anchorEvery: number,
  ) {}

  /** Forward; run it in a tidy and without a tape. */
  forward(bijector: Bijector, x: tf.Tensor): Transformed {
    let layers = 0;
    return bijector.trace(
      x,
      ({ name, input }) => {
        if (layers++ % this.anchorEvery === 0) this.anchors.set(name, tf.keep(tf.clone(input)));
      },
      this.context,
    );
  }

  /** Back through all layers; the gradients of their weights are added to those already here. */
  backward(bijector: Bijector, output: Reversed, logDetGradient: tf.Tensor): void {
    this.logDetGradient = logDetGradient;
    tf.dispose({ ...bijector.reverse(output, this) });
  }

  /** The input that was kept for the layer of this name; undefined where none was. Given out once, to the present tidy. */
  takeAnchor(name: string): tf.Tensor | undefined {
    const anchor = this.anchors.get(name);
    if (anchor === undefined) return undefined;
    this.anchors.delete(name);
    const given = tf.clone(anchor);
    anchor.dispose();
    return given;
  }

  /**
   * Gradient by x of the part of the loss that passes through one layer,
   *
   *     sum(value * gradient) + sum(logDet * its gradient),    (value, logDet) = layer()
   *
   * adding the gradients by the weights to those of the pass.
   */
  throughLayer(
    layer: () => Transformed,
    gradient: tf.Tensor,
    x: tf.Tensor,
    weights: readonly tf.Variable[],
  ): tf.Tensor {
    return this.differentiate(() => this.objective(layer(), gradient), x, weights);
  }

  /** Gradient by x of a scalar, adding the gradients by the weights to those of the pass. */
  differentiate(objective: () => tf.Scalar, x: tf.Tensor, weights: readonly tf.Variable[]): tf.Tensor {
    const different = [...new Set(weights)];
    const [dx, ...others] = gradientsOf(objective, [x, ...different]);
    this.add(different, others);
    return dx ?? tf.zerosLike(x);
  }

  /** sum(value * gradient) + sum(logDet * its gradient): its derivatives are those of the loss. */
  objective({ value, logDet }: Transformed, gradient: tf.Tensor): tf.Scalar {
    const byValue = tf.sum(tf.mul(value, gradient));
    return tf.add(byValue, tf.sum(tf.mul(logDet, this.logDetGradient as tf.Tensor)));
  }

  /** Adds gradients of weights, one per weight and no weight twice, to what is here; takes them over. */
  add(weights: readonly tf.Variable[], gradients: readonly (tf.Tensor | null | undefined)[]): void {
    weights.forEach(({ id }, i) => {
      const gradient = gradients[i];
      if (gradient === null || gradient === undefined) return;
      const before = this.gradients.get(id);
      this.gradients.set(id, tf.keep(before === undefined ? gradient : tf.add(before, gradient)));
      if (before !== undefined) tf.dispose([before, gradient]);
    });
  }

  /** The gradients of these weights as tensors of the present tidy; null for weights that the loss does not depend on. */
  takeGradients(weights: readonly tf.Variable[]): (tf.Tensor | null)[] {
    const taken = new Map<number, tf.Tensor>();
    return weights.map(({ id }) => {
      const gradient = this.gradients.get(id) ?? taken.get(id);
      if (gradient === undefined) return null;
      const given = tf.clone(gradient);
      if (this.gradients.delete(id)) gradient.dispose();
      taken.set(id, given);
      return given;
    });
  }

  dispose(): void {
    tf.dispose([...this.anchors.values(), ...this.gradients.values()]);
    this.anchors.clear();
    this.gradients.clear();
  }
}

/** Gradients of a scalar by tensors and variables; undefined where it does not depend on one. */
export function gradientsOf(scalar: () => tf.Scalar, xs: tf.Tensor[]): (tf.Tensor | undefined)[] {
  const { value, grads } = tf.engine().gradients(scalar, xs, undefined, true);
  value.dispose();
  return grads;
}
