import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { sumPerExample, untaped } from '../../core/tensors';
import type { Transformed } from '../bijector';
import { RationalQuadraticSpline } from '../transformers/rationalQuadraticSpline';
import { ColumnHead, type ColumnHeadOptions } from './columnHead';
import { logNormal, pointOf, sharesOf } from './normalQuantile';

/** Options of {@link Circular}. */
export interface CircularOptions extends ColumnHeadOptions {
  /** Where the circle is cut open. Default -pi. */
  low?: number;
  /** The same point after one turn. Default pi. */
  high?: number;
  /** Number of pieces of the spline, at least 2. Default 8. */
  bins?: number;
}

/** Share of a turn that is kept from the cut, where the latent would be infinite. */
const LEAST_SHARE = 2 ** -30;

/**
 * A value on a circle: a circular spline bends it, and its share of the turn is that of a normal distribution.
 *
 *     a = 2 pi (x - low) / (high - low) - pi, turned so that the cut lies opposite the mean of the first data
 *     z = quantile((spline(a) + pi) / 2 pi),   logDet = log spline'(a) - log(high - low) - log N(z; 0, 1)
 *
 * With a standard normal base the density goes round without a step. The spline's numbers are the column's own plus what a network makes
 * of the context; zeros are the even distribution. Other columns read sine and cosine.
 *
 * Shapes: [n, 1]; context as declared. logDet in nats. Values beyond one turn are brought into it.
 *
 * @throws ConfigError for ends that are not finite or in order, fewer than 2 pieces, or a context without a network
 * @see Rezende et al., "Normalizing Flows on Tori and Spheres" (2020), section 2.2, arXiv:2002.02428
 * @example
 * const hour = new Circular({ low: 0, high: 24 });
 * hour.forward(tf.tensor2d([[6], [12]])).value.print(); // [[-0.6744897], [0]]
 */
export class Circular extends ColumnHead {
  static className = 'FlowCircular';
  readonly features = 2;
  private readonly low: number;
  private readonly high: number;
  private readonly spline: RationalQuadraticSpline;
  private readonly bins: number;
  /** Angle that is added before the spline. */
  private readonly turn: tf.Variable;
  private hasInitialized = false;

  constructor(options: CircularOptions) {
    if (new.target === Circular) checkOptions('Circular', options, names);
    const { low = -Math.PI, high = Math.PI, bins = 8 } = options;
    if (!(Number.isFinite(high - low) && Math.fround(low) < Math.fround(high))) {
      throw new ConfigError(complaint('Circular', 'finite ends, low below high', [low, high]));
    }
    const spline = new RationalQuadraticSpline({ bins, bound: Math.PI, tails: 'circular' });
    super('Circular', options, options.name ?? 'circular', spline.parameters);
    this.low = low;
    this.high = high;
    this.bins = bins;
    this.spline = spline;
    this.turn = this.addWeight('turn', tf.zeros([1]), false);
  }

  override get initialized(): boolean {
    return this.hasInitialized && super.initialized;
  }

  override markInitialized(): void {
    super.markInitialized();
    this.hasInitialized = true;
  }

  /** Sine and cosine. */
  featuresOf(x: tf.Tensor): tf.Tensor {
    const angle = this.angleOf(x);
    return tf.concat([tf.sin(angle), tf.cos(angle)], 1);
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    const turned = tf.add(this.angleOf(x), this.turn);
    const { value, logDerivative } = this.spline.forward(turned, this.knotsOf(x.shape[0], context));
    const share = (distance: tf.Tensor) => tf.maximum(tf.div(distance, 2 * Math.PI), LEAST_SHARE);
    const z = pointOf({ below: share(tf.add(value, Math.PI)), above: share(tf.sub(Math.PI, value)) });
    const logs = tf.sub(tf.sub(logDerivative, Math.log(this.high - this.low)), logNormal(z));
    return { value: z, logDet: sumPerExample(logs) };
  }

  protected computeInverse(z: tf.Tensor, context?: ContextTensors): Transformed {
    const { below, above } = sharesOf(z);
    // From the nearer end.
    const isBelow = untaped(() => tf.less(below, above));
    const bent = tf.where(
      isBelow,
      tf.sub(tf.mul(below, 2 * Math.PI), Math.PI),
      tf.sub(Math.PI, tf.mul(above, 2 * Math.PI)),
    );
    const { value, logDerivative } = this.spline.inverse(bent, this.knotsOf(z.shape[0], context));
    const share = tf.div(tf.add(tf.sub(value, this.turn), Math.PI), 2 * Math.PI);
    const turns = untaped(() => tf.floor(share));
    const x = tf.add(tf.mul(tf.sub(share, turns), this.high - this.low), this.low);
    const logs = tf.add(tf.add(logDerivative, Math.log(this.high - this.low)), logNormal(z));
    return { value: x, logDet: sumPerExample(logs) };
  }

  /** The cut goes where the mean of the first data is not. */
  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    if (!this.hasInitialized) {
      const [sine, cosine] = tf.split(tf.mean(this.featuresOf(x), 0), 2);
      this.turn.assign(tf.neg(tf.atan2(sine, cosine)) as tf.Tensor1D);
      this.hasInitialized = true;
    }
    this.initializeNetwork(context);
    return this.computeForward(x, context).value;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { low, high, bins } = this;
    return { ...super.getConfig(), low, high, bins };
  }

  private angleOf(x: tf.Tensor): tf.Tensor {
    const share = tf.div(tf.sub(x, this.low), this.high - this.low);
    return tf.sub(tf.mul(share, 2 * Math.PI), Math.PI);
  }

  private knotsOf(n: number, context: ContextTensors | undefined): tf.Tensor {
    return tf.reshape(this.parametersOf(n, context), [n, 1, this.spline.parameters]);
  }
}

const names: OptionNames<CircularOptions> = {
  low: ['lower', 'from'],
  high: ['upper', 'to'],
  bins: ['numBins'],
  context: true,
  network: true,
  name: true,
};

registerModule(Circular);
