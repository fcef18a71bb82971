import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { sumPerExample } from '../core/tensors';
import type { Transformed } from './bijector';
import { Coupling, type CouplingOptions } from './coupling';
import {
  RationalQuadraticSpline,
  type SplineOptions,
  splineNames,
} from './transformers/rationalQuadraticSpline';

/** Options of {@link SplineCoupling}. */
export interface SplineCouplingOptions extends CouplingOptions, SplineOptions {}

/**
 * Spline coupling: every value of the second part goes through a rational-quadratic spline of its own, whose knots a network reads in
 * the first.
 *
 *     y1 = x1,  y2 = spline(x2; network(x1)),  logDet = sum log spline'(x2)
 *
 * Shapes: [n, h, w, c] or [n, d]; the network gives p numbers for each channel of the second part, one channel after another, with p as
 * {@link RationalQuadraticSpline} says. logDet in nats.
 *
 * @throws ConfigError for odd channels without `passthrough`, a network of other shapes, or a spline that cannot be
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3.2, arXiv:1906.04032
 * @example
 * const coupling = new SplineCoupling({
 *   inputShape: [2],
 *   bins: 4,
 *   bound: 3,
 *   network: ([d], [units]) => new MultilayerPerceptron({ inputShape: [d], units, seed: 1 }),
 * });
 * coupling.forward(tf.tensor2d([[0.5, 1]])).value.print(); // [[0.5, 1]]: the identity at the start
 */
export class SplineCoupling extends Coupling {
  static className = 'FlowSplineCoupling';
  private readonly spline: RationalQuadraticSpline;

  constructor(options: SplineCouplingOptions) {
    if (new.target === SplineCoupling) {
      checkOptions('SplineCoupling', options, {
        inputShape: true,
        name: true,
        network: true,
        passthrough: true,
        ...splineNames,
      });
    }
    const { bins, bound, tails, minimum } = options;
    const spline = new RationalQuadraticSpline({ bins, bound, tails, minimum });
    super('SplineCoupling', options, spline.parameters);
    this.spline = spline;
  }

  protected transform(part: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    const each = tf.reshape(parameters, [...part.shape, this.spline.parameters]);
    const { value, logDerivative } = inverse
      ? this.spline.inverse(part, each)
      : this.spline.forward(part, each);
    return { value, logDet: sumPerExample(logDerivative) };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.spline.getConfig() };
  }
}

registerModule(SplineCoupling);
