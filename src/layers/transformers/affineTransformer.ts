import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { SIGMOID_SHIFT } from '../../core/kernelConstants';
import { checkOptions } from '../../core/options';
import { isOwn } from '../../core/overriding';
import { checkChoice } from '../../core/shapes';
import { type AffineScale, softClip, tanhClip } from '../scaleMaps';
import type { FusedTransformer } from './fusedTransformer';
import { type ElementwiseResult, inRows, Transformer } from './transformer';

/** Options of {@link AffineTransformer}. */
export interface AffineTransformerOptions {
  /**
   * 'softclip': log s = raw / (1 + |raw| / limit); 'exp': log s = limit tanh(raw / limit); 'softplus': s = softplus(raw + c) + minimum, with
   * c such that raw = 0 gives 1; 'sigmoid': s = sigmoid(raw + 2) + minimum, which can hardly expand. Default 'softclip'.
   */
  scale?: AffineScale;
  /** Bound of |log s| for 'softclip' and 'exp'. Default log 1000: columns whose spread changes over decades want it wide. */
  limit?: number;
  /** Least scale of 'softplus' and 'sigmoid'. Default 0.001. */
  minimum?: number;
}

/** What bounds a scale, for each way to make one. */
const BOUNDS: Record<AffineScale, 'limit' | 'minimum'> = {
  softclip: 'limit',
  exp: 'limit',
  softplus: 'minimum',
  sigmoid: 'minimum',
};
const DEFAULTS = { limit: Math.log(1000), minimum: 1e-3 };

/**
 * A scale and a shift for each value.
 *
 *     y = s x + shift,   parameters [shift, raw],   s as `scale` says,   log dy/dx = log s
 *
 * Parameters of zeros are the identity, but for 'sigmoid', whose scale is then 0.88 + minimum.
 *
 * Shapes: x [..., d], parameters [..., d, 2].
 *
 * @throws ConfigError for a limit or minimum that is not positive, or that the scale does not have
 * @see Papamakarios et al., "Masked Autoregressive Flow" (2017), section 3.1, arXiv:1705.07057; Dinh et al. (2016), arXiv:1605.08803
 * @example
 * const affine = new AffineTransformer();
 * const doubled = affine.forward(tf.tensor2d([[3]]), tf.tensor3d([[[1, Math.log(2) / (1 - Math.log(2) / Math.log(1000))]]]));
 * doubled.value.print(); // [[7]]
 */
export class AffineTransformer extends Transformer {
  static className = 'FlowAffineTransformer';
  readonly parameters = 2;
  private readonly scale: AffineScale;
  /** Limit of the log, or least scale. */
  private readonly bound: number;

  constructor(options: AffineTransformerOptions = {}) {
    super();
    const where = 'AffineTransformer';
    checkOptions(where, options, { scale: true, limit: true, minimum: true });
    const { scale = 'softclip' } = options;
    checkChoice(where, 'scale', scale, Object.keys(BOUNDS));
    const name = BOUNDS[scale];
    const unread = name === 'limit' ? 'minimum' : 'limit';
    if (options[unread] !== undefined) {
      throw new ConfigError(
        complaint(where, `no ${unread}, which '${scale}' does not have`, options[unread]),
      );
    }
    const bound = options[name] ?? DEFAULTS[name];
    const fits = Number.isFinite(bound) && bound > 0 && (scale !== 'softplus' || bound < 1);
    if (!fits) {
      const expected = `a ${name} ${scale === 'softplus' ? 'in (0, 1)' : 'above 0'}`;
      throw new ConfigError(complaint(where, expected, bound));
    }
    this.scale = scale;
    this.bound = bound;
  }

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return inRows(x, parameters, (values, rows) => {
      const [shift, logScale] = this.read(rows);
      return { value: tf.add(tf.mul(values, tf.exp(logScale)), shift), logDerivative: logScale };
    });
  }

  inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return inRows(y, parameters, (values, rows) => {
      const [shift, logScale] = this.read(rows);
      const shrink = tf.neg(logScale);
      return { value: tf.mul(tf.sub(values, shift), tf.exp(shrink)), logDerivative: shrink };
    });
  }

  override get fused(): FusedTransformer | undefined {
    const { scale, bound } = this;
    return isOwn(this, AffineTransformer, 'forward', 'inverse')
      ? { kind: 'affine', scale, bound }
      : undefined;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { scale: this.scale, [BOUNDS[this.scale]]: this.bound };
  }

  private read(rows: tf.Tensor): [shift: tf.Tensor, logScale: tf.Tensor] {
    const [shift, raw] = tf.split(rows, 2, 1).map((column) => tf.reshape(column, [-1]));
    return [shift, this.logScaleOf(raw)];
  }

  private logScaleOf(raw: tf.Tensor): tf.Tensor {
    const { scale, bound } = this;
    switch (scale) {
      case 'softclip':
        return softClip(raw, bound);
      case 'exp':
        return tanhClip(raw, bound);
      case 'softplus':
        return tf.log(tf.add(tf.softplus(tf.add(raw, Math.log(Math.expm1(1 - bound)))), bound));
      case 'sigmoid':
        return tf.log(tf.add(tf.sigmoid(tf.add(raw, SIGMOID_SHIFT)), bound));
    }
  }
}

tf.serialization.registerClass(AffineTransformer);
