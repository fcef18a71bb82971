import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkChoice, checkEventShape } from '../../core/shapes';
import { untaped } from '../../core/tensors';
import type { BijectorOptions } from '../bijector';
import type { ElementwiseResult } from '../transformers/transformer';
import { ElementwiseSupport, LARGEST, nextAbove, nextBelow } from './elementwiseSupport';
import { logOneMinusExpOfMinus } from './nearZero';

/** Options of {@link Bounded}. */
export interface BoundedOptions extends BijectorOptions {
  /** Lower end, which no value reaches. Default: none. */
  low?: number;
  /** Upper end, which no value reaches. Default: none. */
  high?: number;
  /** Map of a half-line: 'softplus', linear far from the end, or 'log', for values over decades. Default 'softplus'. */
  map?: 'softplus' | 'log';
}

/**
 * From values above a lower end, below an upper end, or between two, to the line.
 *
 *     above a:     u = log(e^(x - a) - 1),   log du/dx = -log(1 - e^-(x - a))
 *                  or u = log(x - a),        log du/dx = -u                         (map 'log')
 *     below b:     u = -(that of b - x)
 *     between:     u = log(x - a) - log(b - x),   log du/dx = log(b - a) - log(x - a) - log(b - x)
 *
 * Shapes: [n, d] or [n, h, w, c]. logDet in nats; -Infinity for an event with a value at an end or beyond.
 *
 * @throws ConfigError for no end, or a lower one that is not below the upper one in float32
 * @see Stan Reference Manual, "Constraint Transforms" (2024), https://mc-stan.org/docs/reference-manual/transforms.html
 * @example
 * const share = new Bounded({ inputShape: [1], low: 0, high: 1 });
 * share.forward(tf.tensor2d([[0.5]])).value.print(); // [[0]]
 * share.forward(tf.tensor2d([[1.5]])).logDet.print(); // [-Infinity]
 */
export class Bounded extends ElementwiseSupport {
  static className = 'FlowBounded';
  private readonly low?: number;
  private readonly high?: number;
  private readonly map: 'softplus' | 'log';

  constructor(options: BoundedOptions) {
    if (new.target === Bounded) checkOptions('Bounded', options, names);
    const { inputShape, low, high, map = 'softplus' } = options;
    checkEventShape('Bounded', inputShape, [1, 3]);
    checkChoice('Bounded', 'map', map, ['softplus', 'log']);
    const given = [low, high].filter((end) => end !== undefined);
    const [a, b] = [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY].map(Math.fround);
    const hint = 'A column without ends needs no such layer.';
    if (given.length === 0) throw new ConfigError(complaint('Bounded', 'low or high', 'neither', hint));
    if (!given.every(Number.isFinite) || !(nextAbove(a) < nextBelow(b))) {
      throw new ConfigError(complaint('Bounded', 'finite ends, low below high', [low, high]));
    }
    super(options.name ?? 'bounded', inputShape);
    this.low = low === undefined ? undefined : a;
    this.high = high === undefined ? undefined : b;
    this.map = map;
  }

  protected override get limits(): readonly [number, number] {
    const { low, high } = this;
    return [low === undefined ? -LARGEST : nextAbove(low), high === undefined ? LARGEST : nextBelow(high)];
  }

  protected toLine(x: tf.Tensor): ElementwiseResult {
    const { low, high } = this;
    if (high === undefined) return this.ofDistance(tf.sub(x, low as number));
    if (low === undefined) {
      const { value, logDerivative } = this.ofDistance(tf.sub(high, x));
      return { value: tf.neg(value), logDerivative };
    }
    const [below, above] = [tf.log(tf.sub(x, low)), tf.log(tf.sub(high, x))];
    const logDerivative = tf.sub(Math.log(high - low), tf.add(below, above));
    return { value: tf.sub(below, above), logDerivative };
  }

  protected fromLine(u: tf.Tensor): ElementwiseResult {
    const { low, high } = this;
    if (high === undefined) {
      const { value, logDerivative } = this.toDistance(u);
      return { value: tf.add(value, low as number), logDerivative };
    }
    if (low === undefined) {
      const { value, logDerivative } = this.toDistance(tf.neg(u));
      return { value: tf.sub(high, value), logDerivative };
    }
    const width = high - low;
    // From the nearer end, where float32 is fine.
    const fromLow = tf.add(tf.mul(tf.sigmoid(u), width), low);
    const fromHigh = tf.sub(high, tf.mul(tf.sigmoid(tf.neg(u)), width));
    const isLow = untaped(() => tf.less(u, 0));
    const value = tf.where(isLow, fromLow, fromHigh);
    const logDerivative = tf.sub(Math.log(width), tf.add(tf.softplus(u), tf.softplus(tf.neg(u))));
    return { value, logDerivative };
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, low, high, map } = this;
    const ends = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
    return { name, inputShape: [...this.inputShape], ...ends, map };
  }

  /** A distance from the end to the line. */
  private ofDistance(distance: tf.Tensor): ElementwiseResult {
    if (this.map === 'log') {
      const value = tf.log(distance);
      return { value, logDerivative: tf.neg(value) };
    }
    const log = logOneMinusExpOfMinus(distance);
    return { value: tf.add(distance, log), logDerivative: tf.neg(log) };
  }

  private toDistance(u: tf.Tensor): ElementwiseResult {
    if (this.map === 'log') return { value: tf.exp(u), logDerivative: u };
    return { value: tf.softplus(u), logDerivative: tf.neg(tf.softplus(tf.neg(u))) };
  }
}

const names: OptionNames<BoundedOptions> = {
  inputShape: true,
  low: ['lower', 'min'],
  high: ['upper', 'max'],
  map: true,
  name: true,
};

registerModule(Bounded);
