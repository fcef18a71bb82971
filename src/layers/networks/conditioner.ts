import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import { enter } from '../../core/door';
import { ConfigError, complaint } from '../../core/errors';
import { building, Module } from '../../core/module';
import { isOwn } from '../../core/overriding';
import { type Shape, sameShape } from '../../core/shapes';
import type { FusedLayer } from './fusedConvolutions';
import type { FusedPerceptron } from './fusedPerceptron';

/**
 * A network that computes a bijector's parameters from what passes it unchanged; it needs no inverse.
 *
 * Shapes are checked and intermediates freed here; subclasses implement `compute`.
 *
 * @example
 * class Mean extends Conditioner {
 *   static className = 'MyMean';
 *   protected compute(x: tf.Tensor) {
 *     return tf.mean(x, 1, true);
 *   }
 *   getConfig() {
 *     return {};
 *   }
 * }
 * new Mean('mean', [2], [1]).apply(tf.tensor2d([[1, 3]])).print(); // [[2]]
 */
export abstract class Conditioner extends Module {
  /** Event shape that it reads. */
  readonly inputShape: Shape;
  /** Event shape of the parameters that it returns. */
  readonly outputShape: Shape;

  constructor(name: string, inputShape: Shape, outputShape: Shape) {
    super(name);
    this.inputShape = [...inputShape];
    this.outputShape = [...outputShape];
  }

  /** Hook: the network itself. */
  protected abstract compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor;

  /**
   * Hook: `compute` as fused layers, for networks that are nothing else and read no context.
   *
   * @internal
   */
  get fusedLayers(): FusedLayer[] | undefined {
    return undefined;
  }

  /**
   * Hook: `compute` as a fused perceptron of the values and the context as they are, for networks that are nothing else.
   *
   * @internal
   */
  get fusedPerceptron(): FusedPerceptron | undefined {
    return undefined;
  }

  /** Whether `apply` runs what the class itself computes, no hook of a subclass. */
  protected computesAs(owner: { prototype: object }): boolean {
    return isOwn(this, Conditioner, 'apply') && isOwn(this, owner, 'compute');
  }

  /** Hook: sets data-dependent weights from a batch, then returns the output. */
  protected computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.compute(x, context);
  }

  /**
   * [batch, ...inputShape] -> [batch, ...outputShape]; differentiable.
   *
   * @param context what `contextShape` declares: [batch, ...shape], or such tensors by name
   * @throws ShapeError, DisposedError
   */
  apply(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.enter('apply', x, context, (input, given) => this.compute(input, given));
  }

  /** Sets data-dependent weights (actnorm inside) from one batch and returns the output. What is initialized stays as it is. */
  initialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.enter('initialize', x, context, (input, given) =>
      this.initialized ? this.compute(input, given) : this.computeInitialize(input, given),
    );
  }

  private enter(
    method: string,
    x: tf.Tensor,
    context: ContextTensors | undefined,
    hook: (x: tf.Tensor, context: ContextTensors | undefined) => tf.Tensor,
  ): tf.Tensor {
    this.checkUsable(method);
    const { inputShape: shape, contextShape } = this;
    return enter(`${this.label}.${method}`, x, context, { shape, contextShape }, hook);
  }
}

/** Builds a conditioner for given input and output event shapes. */
export type ConditionerBuilder = (inputShape: Shape, outputShape: Shape) => Conditioner;

/** Throws a ConfigError where a context has no network that reads it, or a network nothing to read. */
export function checkReader(where: string, context: unknown, network: unknown): void {
  if ((context === undefined) === (network === undefined)) return;
  const received = context === undefined ? 'a network alone' : 'a context alone';
  throw new ConfigError(complaint(where, 'a context and a network that reads it, or neither', received));
}

/**
 * The network that an option gives or builds.
 *
 * @throws ConfigError unless it maps the one event shape to the other; what was built for it is then freed
 */
export function resolveConditioner(
  where: string,
  option: Conditioner | ConditionerBuilder,
  input: Shape,
  output: Shape,
): Conditioner {
  return building(() => {
    const network = typeof option === 'function' ? option(input, output) : option;
    if (sameShape(network.inputShape, input) && sameShape(network.outputShape, output)) return network;
    const show = (from: Shape, to: Shape) => `[${from.join(', ')}] -> [${to.join(', ')}]`;
    const received = show(network.inputShape, network.outputShape);
    throw new ConfigError(complaint(where, `a network ${show(input, output)}`, received));
  });
}
