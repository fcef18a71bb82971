import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions, type OptionNames } from '../core/options';
import type { RandomStream } from '../core/random';
import { checkChoice, checkInteger, sizeOf } from '../core/shapes';
import { constantLogDet, sumPerExample } from '../core/tensors';
import { Bijector, type BijectorOptions, type Transformed } from './bijector';

/** Where a model wants its images: around 0, in [0, 1], or on the whole line. */
export type Preprocessing = 'centered' | 'unit' | 'logit';

/** Options of {@link Dequantize}. */
export interface DequantizeOptions extends BijectorOptions {
  /** Bits per value: data are the whole numbers 0 .. 2^nBits - 1. Default 8. */
  nBits?: number;
  /**
   * 'centered': to [-0.5, 0.5], as in Glow; 'unit': level k to k / (2^nBits - 1), as torchvision's ToTensor;
   * 'logit': to the whole line, as in Real NVP. Default 'centered'.
   */
  preprocessing?: Preprocessing;
  /** Distance that 'logit' keeps from 0 and 1. Default 0.05. */
  alpha?: number;
}

/**
 * From quantized levels to real numbers: noise fills each unit bin, then an exact map brings them to the model's range.
 *
 *     x = level + u, u ~ U[0, 1)                                   (`addNoise`)
 *     centered:  y = x / 2^n - 1/2,                logDet = -D n ln 2
 *     unit:      y = (x - 1/2) / (2^n - 1),        logDet = -D ln(2^n - 1)
 *     logit:     p = alpha + (1 - 2 alpha) x / 2^n,  y = logit(p),  logDet = sum(log(1 - 2 alpha) - log p - log(1 - p)) - D n ln 2
 *
 * Because bins have width 1, E_u log p(x) is a lower bound on log P(level): bits per dimension need no further constant.
 * Shapes: [n, ...inputShape], D values each. logDet in nats.
 *
 * @throws ConfigError for nBits outside 1 .. 16 or alpha outside (0, 0.5); DataError for other values (`checkLevels`)
 * @see Theis et al., "A note on the evaluation of generative models" (2016), section 3.1, arXiv:1511.01844; Dinh et al. (2016), section 4.1, arXiv:1605.08803
 * @example
 * const dequantize = new Dequantize({ inputShape: [8, 8, 1], nBits: 4 });
 * dequantize.forward(tf.fill([1, 8, 8, 1], 7.5)).value; // everywhere -0.03125
 */
export class Dequantize extends Bijector {
  static className = 'FlowDequantize';
  readonly nBits: number;
  private readonly preprocessing: Preprocessing;
  private readonly alpha: number;

  constructor(options: DequantizeOptions) {
    if (new.target === Dequantize) checkOptions('Dequantize', options, names);
    const { nBits = 8, preprocessing = 'centered', alpha = 0.05 } = options;
    checkInteger('Dequantize', 'nBits', nBits);
    if (nBits > 16) throw new ConfigError(complaint('Dequantize', 'nBits from 1 to 16', nBits));
    checkChoice('Dequantize', 'preprocessing', preprocessing, ['centered', 'unit', 'logit']);
    if (!(alpha > 0 && alpha < 0.5)) {
      throw new ConfigError(complaint('Dequantize', 'alpha between 0 and 0.5', alpha));
    }
    super(options.name ?? 'dequantize', options.inputShape);
    this.nBits = nBits;
    this.preprocessing = preprocessing;
    this.alpha = alpha;
  }

  /** Number of levels, 2^nBits. */
  get levels(): number {
    return 2 ** this.nBits;
  }

  /** Whole levels to points in their bins: level + u, u ~ U[0, 1). */
  addNoise(levels: tf.Tensor, random: RandomStream): tf.Tensor {
    return tf.tidy(() => tf.add(levels, random.uniform(levels.shape)));
  }

  /** Whole levels to the middles of their bins, where no noise is wanted. */
  center(levels: tf.Tensor): tf.Tensor {
    return tf.add(levels, 0.5);
  }

  /**
   * Points back to whole levels 0 .. 2^nBits - 1: clip(floor(x)). NaN stays what it is.
   *
   * @example
   * new Dequantize({ inputShape: [2], nBits: 3 }).quantize(tf.tensor2d([[1.7, 9]])); // [1, 7]
   */
  quantize(x: tf.Tensor): tf.Tensor {
    // Not clipByValue: on wasm it makes a level of NaN.
    return tf.tidy(() => tf.minimum(tf.maximum(tf.floor(x), 0), this.levels - 1));
  }

  /** Throws a DataError unless every value is a whole number 0 .. 2^nBits - 1; looks at them on the host, where data come from. */
  checkLevels(where: string, x: tf.Tensor): void {
    const values = x.dataSync();
    const { levels } = this;
    let outside = 0;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const value of values) {
      if (!(Number.isInteger(value) && value >= 0 && value < levels)) outside++;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (outside === 0) return;
    const expected = `whole numbers 0 .. ${levels - 1} (nBits ${this.nBits})`;
    const share = ((100 * outside) / values.length).toFixed(1);
    const received = `values from ${low} to ${high}, ${share} % of them outside`;
    throw new DataError(complaint(where, expected, received, this.levelHint(low, high)));
  }

  protected computeForward(x: tf.Tensor): Transformed {
    if (this.preprocessing !== 'logit') {
      const logDet = constantLogDet(x.shape[0], this.binLogDet);
      const value =
        this.preprocessing === 'centered'
          ? tf.sub(tf.div(x, this.levels), 0.5)
          : tf.div(tf.sub(x, 0.5), this.levels - 1);
      return { value, logDet };
    }
    const p = tf.add(tf.mul(tf.div(x, this.levels), 1 - 2 * this.alpha), this.alpha);
    const logP = tf.log(p);
    const logRest = tf.log(tf.sub(1, p));
    const perValue = tf.sub(Math.log(1 - 2 * this.alpha), tf.add(logP, logRest));
    return {
      value: tf.sub(logP, logRest),
      logDet: tf.add(sumPerExample(perValue), this.binLogDet) as tf.Tensor1D,
    };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return { value: this.toLevels(y), logDet: this.inverseLogDet(y) };
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, nBits, preprocessing, alpha } = this;
    return { name, inputShape: [...this.inputShape], nBits, preprocessing, alpha };
  }

  /** Less forward's log-det, as a function of its value: log p = -softplus(-y), log(1 - p) = -softplus(y). */
  private inverseLogDet(y: tf.Tensor): tf.Tensor1D {
    if (this.preprocessing !== 'logit') return constantLogDet(y.shape[0], -this.binLogDet);
    const perValue = tf.add(Math.log(1 - 2 * this.alpha), tf.add(tf.softplus(y), tf.softplus(tf.neg(y))));
    return tf.neg(tf.add(sumPerExample(perValue), this.binLogDet)) as tf.Tensor1D;
  }

  /** log-det of the scaling to model units. */
  private get binLogDet(): number {
    const width = this.preprocessing === 'unit' ? this.levels - 1 : this.levels;
    return -sizeOf(this.inputShape) * Math.log(width);
  }

  private toLevels(y: tf.Tensor): tf.Tensor {
    switch (this.preprocessing) {
      case 'centered':
        return tf.mul(tf.add(y, 0.5), this.levels);
      case 'unit':
        return tf.add(tf.mul(y, this.levels - 1), 0.5);
      case 'logit':
        return tf.mul(tf.div(tf.sub(tf.sigmoid(y), this.alpha), 1 - 2 * this.alpha), this.levels);
    }
  }

  private levelHint(low: number, high: number): string {
    if (!Number.isFinite(low) || !Number.isFinite(high)) return 'The data hold NaN or infinity.';
    if (low >= 0 && high <= 1) return `Values in [0, 1]? Multiply by ${this.levels - 1} and round.`;
    if (low >= 0 && high <= 255)
      return `8-bit images? reduceBits(x, 8, ${this.nBits}) brings them to ${this.nBits} bits.`;
    return 'Images go in as whole levels, neither scaled nor centred.';
  }
}

const names: OptionNames<DequantizeOptions> = {
  inputShape: true,
  nBits: ['bits'],
  preprocessing: true,
  alpha: true,
  name: true,
};

registerModule(Dequantize);
