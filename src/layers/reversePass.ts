import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { checkOptions, type OptionNames } from '../core/options';
import { gradientsOf } from '../engine/gradients';
import { anotherHandle } from '../engine/handles';
import { record } from '../engine/tape';
import type { Transformed } from './transformed';

/** How gradients of weights are held until they are taken. */
export interface GradientStorage {
  /** The gradient as it is held. */
  put(gradient: tf.Tensor): tf.Tensor;
  /** The gradient, of this shape, that a held one stands for. */
  get(held: tf.Tensor, shape: readonly number[]): tf.Tensor;
}

/** Options of {@link ReversePass}. */
export interface ReversePassOptions {
  /** Gradient of the loss by the sum of the layers' logDets, [batch]. */
  logDetGradient: tf.Tensor;
  /** What the whole bijector is conditioned on; every layer takes its part. Default: nothing. */
  context?: ContextTensors;
  /** Tensors beside the weights whose gradients are wanted, as those of the context: `takeGradients` gives them. Default: none. */
  watched?: readonly tf.Tensor[];
  /** Inputs that were kept on the way forward, by the names that `trace` gives; a layer's is freed when it is used. Default: none. */
  anchors?: Map<string, tf.Tensor>;
  /**
   * How the gradients of the weights are held, and given out. Default: as they are.
   * @internal
   */
  storage?: GradientStorage;
}

const passOptions: OptionNames<ReversePassOptions> = {
  logDetGradient: true,
  context: true,
  watched: true,
  anchors: true,
  storage: true,
};

/**
 * A way back through a bijector that stored nothing on the way forward: `bijector.reverse` goes from output to input, layer by
 * layer, each layer's input taken from its inverse (or an anchor) and the layer differentiated on its own.
 *
 *     x = f^-1(y),    dL/dx = (df/dx)^T dL/dy + dL/dlogDet dlogDet/dx,    dL/dw likewise
 *
 * It hands the layers what they share and collects the gradients of their weights; `dispose` frees those that were not taken.
 *
 * @see Gomez et al., "The Reversible Residual Network" (2017), section 3.2, arXiv:1707.04585
 * @example
 * const actnorm = new ActNorm({ inputShape: [2] });
 * const { value, logDet } = actnorm.forward(tf.ones([4, 2]));
 * const pass = new ReversePass({ logDetGradient: tf.zerosLike(logDet) });
 * const before = actnorm.reverse({ value, gradient: value }, pass); // before.gradient: of sum(value^2) / 2 by the input
 * const [ofBias, ofLogScale] = pass.takeGradients(actnorm.trainableWeights);
 */
export class ReversePass {
  readonly context?: ContextTensors;
  /** Gradient of the loss by the sum of the layers' logDets, [batch]. */
  readonly logDetGradient: tf.Tensor;
  private readonly watched: ReadonlySet<tf.Tensor>;
  private readonly anchors: Map<string, tf.Tensor>;
  private readonly storage?: GradientStorage;
  private gradients = new Map<number, tf.Tensor>();

  constructor(options: ReversePassOptions) {
    checkOptions('ReversePass', options, passOptions);
    this.logDetGradient = options.logDetGradient;
    this.context = options.context;
    this.watched = new Set(options.watched);
    this.anchors = options.anchors ?? new Map();
    this.storage = options.storage;
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

  /** This pass for a layer that reads another context, parts of which are watched as well: all gradients come to one place. */
  within(context: ContextTensors | undefined, watched: readonly tf.Tensor[]): ReversePass {
    const { logDetGradient, anchors, storage } = this;
    const inner = new ReversePass({
      logDetGradient,
      context,
      watched: [...this.watched, ...watched],
      anchors,
      storage,
    });
    inner.gradients = this.gradients;
    return inner;
  }

  /**
   * Gradient by x of the part of the loss that passes through one layer,
   *
   *     sum(value * gradient) + sum(logDet * its gradient),    (value, logDet) = layer()
   *
   * adding the gradients by the weights, and by what is watched, to those of the pass.
   */
  throughLayer(
    layer: () => Transformed,
    gradient: tf.Tensor,
    x: tf.Tensor,
    weights: readonly tf.Variable[],
  ): tf.Tensor {
    return this.differentiate(() => this.objective(layer(), gradient), x, weights);
  }

  /** Gradient by x of a scalar, adding the gradients by the weights, and by what is watched, to those of the pass. */
  differentiate(objective: () => tf.Scalar, x: tf.Tensor, weights: readonly tf.Variable[]): tf.Tensor {
    const different = [...new Set([...weights, ...this.watched])];
    const { value, gradients } = gradientsOf(objective, [x, ...different]);
    value.dispose();
    const [dx, ...others] = gradients;
    this.add(different, others);
    return dx ?? tf.zerosLike(x);
  }

  /** A scalar with the derivatives of the loss, sum(value * gradient) + sum(logDet * its gradient). */
  objective({ value, logDet }: Transformed, gradient: tf.Tensor): tf.Scalar {
    return scalarWith([value, logDet], [gradient, this.logDetGradient]);
  }

  /** Adds gradients of weights or watched tensors, one for each and none twice, to what is here; takes them over. */
  add(weights: readonly tf.Tensor[], gradients: readonly (tf.Tensor | null | undefined)[]): void {
    weights.forEach((weight, i) => {
      const { id, shape } = weight;
      const gradient = gradients[i];
      if (gradient === null || gradient === undefined) return;
      const before = this.gradients.get(id);
      const storage = this.watched.has(weight) ? undefined : this.storage;
      const sum = tf.tidy(() => {
        if (before === undefined) return storage?.put(gradient) ?? gradient;
        const added = tf.add(storage?.get(before, shape) ?? before, gradient);
        return storage?.put(added) ?? added;
      });
      this.gradients.set(id, tf.keep(sum));
      before?.dispose();
      if (sum !== gradient) gradient.dispose();
    });
  }

  /** The gradients of these weights or watched tensors, of the present tidy; null for those that the loss does not depend on. */
  takeGradients(weights: readonly tf.Tensor[]): (tf.Tensor | null)[] {
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

  /** Frees the gradients that were not taken. */
  dispose(): void {
    tf.dispose([...this.gradients.values()]);
    this.gradients.clear();
  }
}

/** A scalar with these derivatives by tensors; nobody asks for its value, so that it takes no op. */
export function scalarWith(tensors: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): tf.Scalar {
  const [scalar] = record(tensors, () => ({
    results: [tf.scalar(0)],
    needed: gradients.map(anotherHandle),
    gradient: (_, held) => held.map(anotherHandle),
  }));
  return scalar as tf.Scalar;
}
