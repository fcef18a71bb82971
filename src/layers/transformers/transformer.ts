import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, FormatError } from '../../core/errors';
import { FLATTEST } from '../../core/kernelConstants';
import { named } from '../../core/numbers';
import { joinChannels, splitChannels, sumPerExample, untaped } from '../../core/tensors';
import type { Conditioning } from '../bijector';
import type { Transformed } from '../transformed';
import { type FusedTransformer, fusedEvents, hasFusedEvents } from './fusedTransformer';

/** Values under an elementwise map, and the log of its derivative at each; both like the input. */
export interface ElementwiseResult {
  value: tf.Tensor;
  /** Natural log of dy/dx, or of dx/dy for an inverse. */
  logDerivative: tf.Tensor;
}

/** A transformer as plain JSON. */
export interface SerializedTransformer {
  className: string;
  config: tf.serialization.ConfigDict;
}

/**
 * An increasing map of single numbers that parameters steer, one set for each value.
 *
 * Shapes: x [..., d], parameters [..., d, `parameters`] -> value and logDerivative [..., d]. Parameters of zeros are the identity where the
 * transformer does not say otherwise. It computes with ops that every backend has, inside `tf.tidy` and on the tape; whoever holds it
 * (couplings, elementwise and masked autoregressive layers) says where the parameters come from, and sums the log-derivatives.
 *
 * @example
 * const spline: Transformer = new RationalQuadraticSpline({ bins: 4 });
 * spline.parameters; // 11
 */
export abstract class Transformer extends tf.serialization.Serializable {
  /** How many numbers steer the map of one value. */
  abstract readonly parameters: number;
  abstract forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult;
  abstract inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult;

  /**
   * Hook: the map as plain data, where there are kernels for it and none of its methods was replaced.
   *
   * @internal
   */
  get fused(): FusedTransformer | undefined {
    return undefined;
  }

  /**
   * Events whose first `kept` channels pass while the others are mapped, or turned back: what layers ask for.
   *
   * @param x [n, ..., c]
   * @param parameters [n, ..., (c - kept) * `parameters`], those of one channel after those of another
   */
  mapEvents(x: tf.Tensor, parameters: tf.Tensor, kept: number, inverse: boolean): Transformed {
    const form = this.fused;
    if (form !== undefined && hasFusedEvents(form))
      return fusedEvents(form, x, parameters, { kept, inverse });
    const [passing, changed] = kept === 0 ? [undefined, x] : splitChannels(x, kept);
    const each = this.perValue(changed, parameters);
    const { value, logDerivative } = inverse ? this.inverse(changed, each) : this.forward(changed, each);
    return {
      value: passing === undefined ? value : joinChannels([passing, value]),
      logDet: sumPerExample(logDerivative),
    };
  }

  /** How close to singular it is on values x [..., d], for parameters [..., d, p], as scalars; layers read them for `account`. */
  conditioning(x: tf.Tensor, parameters: tf.Tensor): Conditioning<number | tf.Scalar> {
    return { smallestScale: tf.exp(tf.min(this.forward(x, parameters).logDerivative)) };
  }

  /** Parameters [n, ..., c * p], one channel's after another's, as one set for each value of x [n, ..., c]. */
  perValue(x: tf.Tensor, parameters: tf.Tensor): tf.Tensor {
    return tf.reshape(parameters, [...x.shape, this.parameters]);
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(config);
  }
}

/**
 * All values in one row [m], with a row of parameters [m, p] each, and the results back in their shape: backends differ in what they can
 * do with more axes.
 */
export function inRows(
  x: tf.Tensor,
  parameters: tf.Tensor,
  compute: (values: tf.Tensor, rows: tf.Tensor) => ElementwiseResult,
): ElementwiseResult {
  // By the number of values, so that parameters of other shapes are an error and nothing else.
  const rows = tf.reshape(parameters, [x.size, parameters.shape[parameters.rank - 1]]);
  const { value, logDerivative } = compute(tf.reshape(x, [-1]), rows);
  return { value: tf.reshape(value, x.shape), logDerivative: tf.reshape(logDerivative, x.shape) };
}

/** Throws a ConfigError unless a layer was given a transformer. */
export function checkTransformer(where: string, transformer: unknown): void {
  if (transformer instanceof Transformer) return;
  const expected = 'a transformer, such as new RationalQuadraticSpline()';
  throw new ConfigError(complaint(where, expected, named(transformer)[0]));
}

/**
 * The point that a map sends to y, with the gradients of the implicit function, from a point that is right but has none.
 *
 *     x = x0 - (f(x0; p) - y) / f'(x0),   so that   dx/dy = 1 / f',   dx/dp = -(df/dp) / f'
 *
 * One step of Newton's method on the tape: it says these derivatives whatever found x0, and takes back its rounding.
 *
 * @param found x0, off the tape
 * @param forward the map at x0, on the tape of its parameters
 */
export function implicitInverse(y: tf.Tensor, found: tf.Tensor, forward: ElementwiseResult): tf.Tensor {
  const slope = untaped(() => tf.maximum(tf.exp(forward.logDerivative), FLATTEST));
  return tf.add(found, tf.div(tf.sub(y, forward.value), slope));
}

/** A transformer as plain JSON, for the file of the layer that holds it. */
export function serializeTransformer(transformer: Transformer): SerializedTransformer {
  return { className: transformer.getClassName(), config: transformer.getConfig() };
}

/**
 * The transformer of a file.
 *
 * @throws FormatError for a class that is not registered
 */
export function deserializeTransformer({ className, config }: SerializedTransformer): Transformer {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (entry === undefined) {
    const hint = 'Import the package that defines it, and register it with tf.serialization.registerClass.';
    throw new FormatError(complaint('deserializeTransformer', 'a registered class', `'${className}'`, hint));
  }
  const [transformerClass, fromConfig] = entry;
  return fromConfig(transformerClass as never, config) as unknown as Transformer;
}
