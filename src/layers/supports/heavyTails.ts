import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkChoice, checkEventShape } from '../../core/shapes';
import { sumPerExample, untaped } from '../../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from '../bijector';
import type { ElementwiseResult } from '../transformers/transformer';
import { middleOf } from './columnStatistics';
import { expm1, log1p } from './nearZero';

/** Powers that the start is chosen from: 0.05, 0.1, ..., 1.95; the middle first, which a column without spread keeps. */
const POWERS = Array.from({ length: 39 }, (_, i) => 1 + 0.05 * (i % 2 === 0 ? -i / 2 : (i + 1) / 2));

/** Options of {@link HeavyTails}. */
export interface HeavyTailsOptions extends BijectorOptions {
  /** 'asinh': the logarithm of far values on both sides; 'yeoJohnson': a power of each column that is learned. Default 'asinh'. */
  map?: 'asinh' | 'yeoJohnson';
}

/**
 * Columns with values far from the others, drawn in: by asinh, or by a power of their own.
 *
 *     t = (x - m) / s;    asinh: y = log(t + sqrt(1 + t^2)),   log dy/dt = -1/2 log(1 + t^2)
 *     yeoJohnson: y = sign(t) ((1 + |t|)^k - 1) / k,   log dy/dt = (k - 1) log(1 + |t|),
 *                 k = lambda above 0 and 2 - lambda below
 *
 * m is the median of the first data and s their quartile distance as that of a normal's deviation; lambda in (0, 2) starts where the first
 * data are most nearly normal and is trained. Shapes: [n, d]. logDet in nats.
 *
 * @throws ConfigError for another inputShape; ShapeError for other inputs
 * @see Yeo and Johnson, "A new family of power transformations" (2000), section 3, doi:10.1093/biomet/87.4.954; Burbidge et al. (1988),
 *   section 2, doi:10.1080/01621459.1988.10478575 (asinh)
 * @example
 * const heavy = new HeavyTails({ inputShape: [1] });
 * heavy.forward(tf.tensor2d([[-1e6], [0], [1e6]])).value.print(); // [[-14.5086584], [0], [14.5086584]]
 */
export class HeavyTails extends Bijector {
  static className = 'FlowHeavyTails';
  private readonly map: 'asinh' | 'yeoJohnson';
  private readonly location: tf.Variable;
  private readonly logScale: tf.Variable;
  /** lambda = 2 sigmoid(raw) */
  private readonly raw?: tf.Variable;
  private hasInitialized = false;

  constructor(options: HeavyTailsOptions) {
    if (new.target === HeavyTails) checkOptions('HeavyTails', options, names);
    const { inputShape, map = 'asinh' } = options;
    checkEventShape('HeavyTails', inputShape, [1]);
    checkChoice('HeavyTails', 'map', map, ['asinh', 'yeoJohnson']);
    super(options.name ?? 'heavyTails', inputShape);
    this.map = map;
    this.location = this.addWeight('location', tf.zeros(inputShape as [number]), false);
    this.logScale = this.addWeight('logScale', tf.zeros(inputShape as [number]), false);
    if (map === 'yeoJohnson') this.raw = this.addWeight('power', tf.zeros(inputShape as [number]));
  }

  override get initialized(): boolean {
    return this.hasInitialized;
  }

  override markInitialized(): void {
    this.hasInitialized = true;
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const t = this.standardized(x);
    const { value, logDerivative } = this.raw === undefined ? asinh(t) : this.power(t, this.raw);
    return { value, logDet: sumPerExample(tf.sub(logDerivative, this.logScale)) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    const { value, logDerivative } = this.raw === undefined ? sinh(y) : this.root(y, this.raw);
    const x = tf.add(tf.mul(value, tf.exp(this.logScale)), this.location);
    return { value: x, logDet: sumPerExample(tf.add(logDerivative, this.logScale)) };
  }

  protected override computeInitialize(x: tf.Tensor): tf.Tensor {
    const { median, scale } = middleOf(x);
    this.location.assign(median as tf.Tensor1D);
    this.logScale.assign(tf.log(scale) as tf.Tensor1D);
    this.raw?.assign(this.bestRaw(this.standardized(x)) as tf.Tensor1D);
    this.hasInitialized = true;
    return this.computeForward(x).value;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape], map: this.map };
  }

  private standardized(x: tf.Tensor): tf.Tensor {
    return tf.mul(tf.sub(x, this.location), tf.exp(tf.neg(this.logScale)));
  }

  /** The power under which each column is most likely to be normal: -n/2 log var(y) + sum log dy/dt, on a grid. */
  private bestRaw(t: tf.Tensor): tf.Tensor {
    const raws = POWERS.map((power) => Math.log(power / (2 - power)));
    const likelihoods = raws.map((raw) => {
      const { value, logDerivative } = this.power(t, tf.fill([this.inputShape[0]], raw));
      const logs = tf.sum(logDerivative, 0, true);
      return tf.sub(logs, tf.mul(tf.log(tf.moments(value, 0, true).variance), t.shape[0] / 2));
    });
    return tf.gather(tf.tensor1d(raws), tf.argMax(tf.concat(likelihoods, 0), 0));
  }

  private power(t: tf.Tensor, raw: tf.Tensor): ElementwiseResult {
    const side = sideOf(t);
    const k = exponent(side, raw);
    const log = log1p(tf.mul(t, side));
    const value = tf.mul(side, tf.div(expm1(tf.mul(k, log)), k));
    return { value, logDerivative: tf.mul(tf.sub(k, 1), log) };
  }

  private root(y: tf.Tensor, raw: tf.Tensor): ElementwiseResult {
    const side = sideOf(y);
    const k = exponent(side, raw);
    const log = tf.div(log1p(tf.mul(k, tf.mul(y, side))), k);
    return { value: tf.mul(side, expm1(log)), logDerivative: tf.mul(tf.sub(1, k), log) };
  }
}

/** 1 from 0 on, -1 below: the gradient of the size of x is not lost at 0. */
function sideOf(x: tf.Tensor): tf.Tensor {
  return untaped(() => tf.sub(tf.mul(tf.cast(tf.greaterEqual(x, 0), 'float32'), 2), 1));
}

/** lambda above 0, 2 - lambda below. */
function exponent(side: tf.Tensor, raw: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sigmoid(tf.mul(side, raw)), 2);
}

/** sqrt(1 + size^2) without overflow. */
function hypotenuse(size: tf.Tensor): tf.Tensor {
  const larger = tf.maximum(size, 1);
  return tf.mul(larger, tf.sqrt(tf.add(1, tf.square(tf.div(tf.minimum(size, 1), larger)))));
}

function asinh(t: tf.Tensor): ElementwiseResult {
  const side = sideOf(t);
  const size = tf.mul(t, side);
  const root = hypotenuse(size);
  const value = tf.mul(side, log1p(tf.add(size, tf.mul(size, tf.div(size, tf.add(root, 1))))));
  return { value, logDerivative: tf.neg(tf.log(root)) };
}

function sinh(y: tf.Tensor): ElementwiseResult {
  const side = sideOf(y);
  const distance = tf.mul(y, side);
  const grown = expm1(distance);
  const size = tf.mul(tf.add(grown, tf.div(grown, tf.add(grown, 1))), 0.5);
  // log cosh
  const rest = tf.sub(tf.softplus(tf.mul(distance, -2)), Math.LN2);
  return { value: tf.mul(side, size), logDerivative: tf.add(distance, rest) };
}

const names: OptionNames<HeavyTailsOptions> = { inputShape: true, map: true, name: true };

registerModule(HeavyTails);
