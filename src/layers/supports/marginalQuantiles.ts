import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkEventShape, checkInteger } from '../../core/shapes';
import { inEveryRow, sumPerExample } from '../../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from '../bijector';
import { RationalQuadraticSpline } from '../transformers/rationalQuadraticSpline';
import { HALF_RANGE, quantileSplines } from './quantileSpline';

/** Options of {@link MarginalQuantiles}. */
export interface MarginalQuantilesOptions extends BijectorOptions {
  /** Number of pieces of each column's spline, at least 2. Default 16. */
  bins?: number;
}

/** Least share of a piece, and least slope: quantiles may lie close together. */
const MINIMUM = 1e-4;

/**
 * Every column made normal by itself: a spline through its quantiles in the first data and those of a standard normal.
 *
 *     z = spline(x),  spline(F^-1(P(Z < z_k))) = z_k  at bins + 1 points z_k from -3 to 3;   logDet = sum log spline'
 *
 * F is the column's empirical distribution. Beyond the outermost knots the spline is straight, so values may lie anywhere. Its knots are trained
 * from there on. Shapes: [n, d]. logDet in nats.
 *
 * @throws ConfigError for another inputShape, or fewer than 2 pieces
 * @see Chen and Gopinath, "Gaussianization" (2000), section 2; Durkan et al. (2019), section 3.1, arXiv:1906.04032 (the spline)
 * @example
 * const normal = new MarginalQuantiles({ inputShape: [1] });
 * const z = normal.initialize(tf.exp(new RandomStream(1).normal([999, 1])));
 * tf.moments(z).variance.print(); // near 1
 */
export class MarginalQuantiles extends Bijector {
  static className = 'FlowMarginalQuantiles';
  private readonly bins: number;
  private readonly spline: RationalQuadraticSpline;
  private readonly middle: tf.Variable;
  private readonly logHalfWidth: tf.Variable;
  private readonly knots: tf.Variable;
  private hasInitialized = false;

  constructor(options: MarginalQuantilesOptions) {
    if (new.target === MarginalQuantiles) checkOptions('MarginalQuantiles', options, names);
    const { inputShape, bins = 16 } = options;
    checkEventShape('MarginalQuantiles', inputShape, [1]);
    checkInteger('MarginalQuantiles', 'bins', bins, 2);
    const spline = new RationalQuadraticSpline({ bins, bound: 1, minimum: MINIMUM });
    super(options.name ?? 'marginalQuantiles', inputShape);
    this.bins = bins;
    this.spline = spline;
    this.middle = this.addWeight('middle', tf.zeros(inputShape as [number]), false);
    this.logHalfWidth = this.addWeight('logHalfWidth', tf.zeros(inputShape as [number]), false);
    this.knots = this.addWeight('knots', tf.zeros([inputShape[0], spline.parameters]));
  }

  override get initialized(): boolean {
    return this.hasInitialized;
  }

  override markInitialized(): void {
    this.hasInitialized = true;
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const inBox = tf.mul(tf.sub(x, this.middle), tf.exp(tf.neg(this.logHalfWidth)));
    const { value, logDerivative } = this.spline.forward(inBox, this.knotsOf(x.shape[0]));
    const logs = tf.sub(tf.add(logDerivative, Math.log(HALF_RANGE)), this.logHalfWidth);
    return { value: tf.mul(value, HALF_RANGE), logDet: sumPerExample(logs) };
  }

  protected computeInverse(z: tf.Tensor): Transformed {
    const { value, logDerivative } = this.spline.inverse(tf.div(z, HALF_RANGE), this.knotsOf(z.shape[0]));
    const logs = tf.add(tf.sub(logDerivative, Math.log(HALF_RANGE)), this.logHalfWidth);
    return {
      value: tf.add(tf.mul(value, tf.exp(this.logHalfWidth)), this.middle),
      logDet: sumPerExample(logs),
    };
  }

  protected override computeInitialize(x: tf.Tensor): tf.Tensor {
    const { middle, halfWidth, parameters } = quantileSplines(x, this.bins, MINIMUM);
    this.middle.assign(middle);
    this.logHalfWidth.assign(tf.log(halfWidth));
    this.knots.assign(parameters);
    this.hasInitialized = true;
    return this.computeForward(x).value;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape], bins: this.bins };
  }

  private knotsOf(n: number): tf.Tensor {
    return tf.reshape(inEveryRow(this.knots, n), [n, ...this.knots.shape]);
  }
}

const names: OptionNames<MarginalQuantilesOptions> = { inputShape: true, bins: ['numBins'], name: true };

registerModule(MarginalQuantiles);
