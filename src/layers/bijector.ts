import type * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, partOf } from '../core/context';
import { enter } from '../core/door';
import { complaint, ShapeError } from '../core/errors';
import { largest } from '../core/lists';
import { Module } from '../core/module';
import { isNewer } from '../core/overriding';
import { type Shape, sizeOf } from '../core/shapes';
import { type Measure, readMeasures } from './measures';
import type { ReversePass } from './reversePass';
import type { Reversed, Transformed } from './transformed';

export type { Reversed, Transformed } from './transformed';

/** One layer's part in a pass, as `trace` reports it. Tensors are freed soon after the visit: clone what has to outlive it. */
export interface TraceEntry {
  /** Place in the tree, as in `level0/step2/coupling`; of two that are joined, that of the first. */
  name: string;
  /** Of two that are joined, the second. */
  bijector: Bijector;
  input: tf.Tensor;
  output: Transformed;
  /** What the layer was conditioned on; absent where on nothing. */
  context?: ContextTensors;
}

/** A map in both directions: a bijector's, or that of neighbours in a chain which are computed together. */
export interface BothWays {
  /** What of the context it reads; absent where nothing. */
  readonly contextShape?: ContextShape;
  forward(x: tf.Tensor, context?: ContextTensors): Transformed;
  inverse(y: tf.Tensor, context?: ContextTensors): Transformed;
  /**
   * `reverse` through both, where that is less work than through one after the other, which is done where it is absent. An anchor has
   * the name, that of the first of them.
   */
  reverse?(output: Reversed, pass: ReversePass, name: string): Reversed;
}

/** A number for each direction of a bijector: passes of its network, or steps. */
export interface Cost {
  forward: number;
  inverse: number;
}

/** How close to singular a layer is on some data; as measures, where its numbers are yet to be read. */
export interface Conditioning<Value = number> {
  /** Smallest factor by which forward scales anything; the inverse divides by it. */
  smallestScale?: Value;
  /** Condition number of a matrix, 1-norm. */
  conditionNumber?: Value;
  /** Largest |f(f^-1(y)) - y| of an inverse that is found numerically. */
  inverseResidual?: Value;
}

/** One level's place in the flat latent vector z. */
export interface LatentSlice {
  level: number;
  /** First index in z. */
  offset: number;
  /** Number of values. */
  size: number;
  /** Event shape of these values, [h, w, c] or [d]. */
  shape: Shape;
}

/** Options that every bijector takes. */
export interface BijectorOptions {
  /** Event shape without the batch: [h, w, c] or [d]. */
  inputShape: Shape;
  /** Name in the weight tree. Default: the kind of layer, as in `actnorm`. */
  name?: string;
}

/**
 * A differentiable one-to-one map between event spaces of equal size (of equal degrees of freedom, where a support binds its values).
 *
 * `forward` normalizes, data to latent: z = f(x). `inverse` generates. Each returns its own log-determinant, so
 *
 *     log p(x) = log p(z) + forward(x).logDet,    forward(x).logDet + inverse(z).logDet = 0
 *
 * Subclasses implement three hooks; shapes are checked and intermediates freed here, once.
 * Callers own what is returned; inputs are never disposed.
 *
 * Source of the rule: Rezende and Mohamed, "Variational Inference with Normalizing Flows" (2015), section 3, arXiv:1505.05770.
 *
 * @example
 * class Shift extends Bijector {
 *   static className = 'MyShift';
 *   protected computeForward(x: tf.Tensor) {
 *     return { value: tf.add(x, 1), logDet: tf.zeros([x.shape[0]]) as tf.Tensor1D };
 *   }
 *   protected computeInverse(y: tf.Tensor) {
 *     return { value: tf.sub(y, 1), logDet: tf.zeros([y.shape[0]]) as tf.Tensor1D };
 *   }
 *   getConfig() {
 *     return { name: this.name, inputShape: [...this.inputShape] };
 *   }
 * }
 * new Shift('shift', [2]).forward(tf.zeros([1, 2])).value.print(); // [[1, 1]]
 */
export abstract class Bijector extends Module {
  /** Event shape that `forward` takes. */
  readonly inputShape: Shape;
  /** Event shape that `forward` returns. */
  readonly outputShape: Shape;

  /**
   * @param sizes 'different' where an equation binds the values of one side, as the shares of a whole do: the log-determinant is then that
   * of the values that vary freely
   */
  constructor(
    name: string,
    inputShape: Shape,
    outputShape: Shape = inputShape,
    sizes: 'equal' | 'different' = 'equal',
  ) {
    super(name);
    this.inputShape = [...inputShape];
    this.outputShape = [...outputShape];
    if (sizes === 'equal' && sizeOf(inputShape) !== sizeOf(outputShape)) {
      throw new ShapeError(
        complaint(this.label, `an output of ${sizeOf(inputShape)} values`, `${sizeOf(outputShape)}`),
      );
    }
  }

  /** Hook: value and log-determinant of the normalizing direction. */
  protected abstract computeForward(x: tf.Tensor, context?: ContextTensors): Transformed;

  /** Hook: value and log-determinant of the generating direction. */
  protected abstract computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed;

  /** Hook: sets data-dependent weights from a batch, then returns forward's value. */
  protected computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.computeForward(x, context).value;
  }

  /** Hook: how close to singular this layer is on the data x, as scalars that are read later, together with those of other layers. */
  protected computeConditioning(_x: tf.Tensor, _context?: ContextTensors): Conditioning<Measure> {
    return {};
  }

  /**
   * Hook: one step of `reverse`. This default inverts, then differentiates forward; layers made of others hand it on to them, so
   * that no more than one of them is on a tape at a time.
   */
  protected computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    return this.reverseWhole(output, pass, name);
  }

  private reverseWhole(output: Reversed, pass: ReversePass, name: string): Reversed {
    const context = partOf(pass.context, this.contextShape);
    const value = pass.takeAnchor(name) ?? this.inverse(output.value, context).value;
    const layer = () => this.forward(value, context);
    return { value, gradient: pass.throughLayer(layer, output.gradient, value, this.trainableWeights) };
  }

  /**
   * Hook: the layer before and this one as one map, where the active backend computes both in one pass over the data; undefined,
   * the default, where it does not. A chain asks in every pass. The results are those of the two layers, up to rounding.
   */
  absorb(_before: Bijector): BothWays | undefined {
    return undefined;
  }

  /**
   * Data to latent.
   *
   * @param x [batch, ...inputShape]
   * @param context what `contextShape` declares: [batch, ...shape], or such tensors by name
   * @returns value [batch, ...outputShape] and logDet [batch] in nats
   * @throws ShapeError, DisposedError
   * @example
   * const { value, logDet } = bijector.forward(tf.tensor2d([[1, 2], [3, 4]]));
   */
  forward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.enter('forward', x, this.inputShape, context, (input, given) =>
      this.computeForward(input, given),
    );
  }

  /**
   * Latent to data.
   *
   * @param y [batch, ...outputShape]
   * @returns value [batch, ...inputShape] and logDet [batch] of the inverse map, in nats
   * @throws ShapeError, DisposedError
   * @example
   * const { value, logDet } = bijector.inverse(tf.tensor2d([[1, 2], [3, 4]]));
   */
  inverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    return this.enter('inverse', y, this.outputShape, context, (output, given) =>
      this.computeInverse(output, given),
    );
  }

  /**
   * Sets data-dependent weights (actnorm) from one batch, in the order in which data meets them. What is initialized stays as it is.
   *
   * @param x [batch, ...inputShape]
   * @returns forward's value after the initialization
   * @example
   * const norm = new ActNorm({ inputShape: [2] });
   * norm.initialize(tf.tensor2d([[1, 2], [3, 6]])).print(); // [[-1, -1], [1, 1]]
   */
  initialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.enter('initialize', x, this.inputShape, context, (input, given) => {
      const value = this.initialized ? undefined : this.computeInitialize(input, given);
      return value !== undefined && this.passesAsIn('computeInitialize')
        ? value
        : this.computeForward(input, given).value;
    });
  }

  /** The work of each direction, in passes of its network: 1 and 1 for most, the most of any member for layers made of others. */
  get cost(): Cost {
    return this.mostOf('cost');
  }

  /**
   * How many times each direction has to wait for a part of its own result: 1 and 1 for most, the most of any member for layers made of
   * others. Autoregressive layers find one group of values after another in one direction. Where the inverse takes more of them, reversible gradients keep the
   * layer's input and do not invert it.
   */
  get steps(): Cost {
    return this.mostOf('steps');
  }

  private mostOf(kind: 'cost' | 'steps'): Cost {
    const members = this.children.filter((child): child is Bijector => child instanceof Bijector);
    const most = (direction: keyof Cost) =>
      largest(
        members.map((member) => member[kind][direction]),
        1,
      );
    return { forward: most('forward'), inverse: most('inverse') };
  }

  /** Which slice of the latent belongs to which level; one slice where there are no levels. */
  get latentLayout(): LatentSlice[] {
    return [{ level: 0, offset: 0, size: sizeOf(this.outputShape), shape: this.outputShape }];
  }

  /**
   * Forward, showing every leaf layer's input and output on the way.
   *
   * The caller runs it inside `tf.tidy`. A visit's tensors are freed when the next layer has run. Where the last argument is true,
   * neighbours that `reverse` goes back through in one step are computed, and shown, as one.
   */
  trace(
    x: tf.Tensor,
    visit: (entry: TraceEntry) => void,
    context?: ContextTensors,
    name = this.name,
    _joined = false,
  ): Transformed {
    const output = this.forward(x, context);
    visit({ name, bijector: this, input: x, output, context: partOf(context, this.contextShape) });
    return output;
  }

  /**
   * From the output and the loss's gradient there to the input and the gradient there; the gradients of the weights go to the pass.
   * It is how reversible gradients go back through a model that stored nothing on its way.
   */
  reverse(output: Reversed, pass: ReversePass, name = this.name): Reversed {
    const context = partOf(pass.context, this.contextShape);
    return this.enter('reverse', output.value, this.outputShape, context, (value) => {
      const after = { value, gradient: output.gradient };
      return this.passesAsIn('computeReverse')
        ? this.computeReverse(after, pass, name)
        : this.reverseWhole(after, pass, name);
    });
  }

  /**
   * How close to singular this layer is on some data; empty where the question has no meaning. Subclasses override `computeConditioning`.
   *
   * @param x [batch, ...inputShape]; layers that are the same everywhere, such as linear ones, need none
   * @throws ShapeError, DisposedError; NonFiniteError for a singular matrix
   * @example
   * const { smallestScale } = await new ActNorm({ inputShape: [2] }).conditioning(); // 1
   */
  async conditioning(x: tf.Tensor, context?: ContextTensors): Promise<Conditioning> {
    return readMeasures(() => this.measures(x, context));
  }

  /**
   * What `conditioning` reads.
   *
   * @internal
   */
  measures(x: tf.Tensor, context?: ContextTensors): Conditioning<Measure> {
    return this.enter('conditioning', x, this.inputShape, context, (input, given) =>
      this.computeConditioning(input, given),
    );
  }

  /** What to look at when an input does not fit; a subclass may say it better. */
  protected shapeHint(received: Shape): string {
    if (received.length === 3 && this.inputShape.length === 3 && received[2] * 4 === this.inputShape[2]) {
      return 'Did you forget Squeeze?';
    }
    return '';
  }

  /** Whether the passes are those that a method knows of: a subclass may have changed them and left the method as it was. */
  protected passesAsIn(method: 'computeReverse' | 'computeInitialize' | 'trace'): boolean {
    return !isNewer(this, 'computeForward', method) && !isNewer(this, 'computeInverse', method);
  }

  private enter<T>(
    method: string,
    x: tf.Tensor,
    shape: Shape,
    context: ContextTensors | undefined,
    hook: (x: tf.Tensor, context: ContextTensors | undefined) => T,
  ): T {
    this.checkUsable(method);
    const hint = (received: Shape) => this.shapeHint(received);
    return enter(
      `${this.label}.${method}`,
      x,
      context,
      { shape, contextShape: this.contextShape, hint },
      hook,
    );
  }
}
