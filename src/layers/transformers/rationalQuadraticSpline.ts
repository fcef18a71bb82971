import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { isOwn } from '../../core/overriding';
import { checkChoice, checkInteger } from '../../core/shapes';
import { splitChannels, untaped } from '../../core/tensors';
import type { FusedTransformer } from './fusedTransformer';
import { BOX_PARAMETERS, boxOf, intoUnits, outOfUnits, roundedInto } from './splineBox';
import {
  DERIVATIVES,
  type KnotSettings,
  type Knots,
  knotsOf,
  pieceAt,
  type SplineLimits,
  type SplineTails,
} from './splineKnots';
import { type ElementwiseResult, implicitInverse, inRows, Transformer } from './transformer';

/** Options of {@link RationalQuadraticSpline}. */
export interface SplineOptions {
  /** Number K of pieces, at least 2. Default 8. */
  bins?: number;
  /** The box is [-bound, bound] in x and y. Default 5; pi suits an angle. */
  bound?: number;
  /**
   * 'linear': the identity outside of the box. 'circular': the box is a circle, and its ends one point. 'none': nothing lies outside,
   * where the log-derivative is -Infinity. Default 'linear'.
   */
  tails?: SplineTails;
  /** Least share of a piece in the box, and least derivative at a knot. Default 0.001. */
  minimum?: number;
  /**
   * 'fixed': the box is [-bound, bound] twice. 'learned': four more parameters say where the box of each value begins in x and y and how
   * long its sides are, and its tails go on with the slope of its diagonal; only with linear tails. Default 'fixed'.
   */
  box?: 'fixed' | 'learned';
  /**
   * What keeps pieces and derivatives from 0. 'minimum': the minimum is added to softmax and softplus. 'softclip': logarithms are
   * clamped smoothly, so that no two pieces are further apart than the minimum and derivatives lie between it and its inverse. Default 'minimum'.
   */
  limits?: SplineLimits;
}

const names: OptionNames<SplineOptions> = {
  bins: ['numBins', 'K'],
  bound: ['tailBound', 'B'],
  tails: true,
  minimum: ['minBinWidth', 'minBinHeight', 'minDerivative'],
  box: true,
  limits: true,
};

const TAILS: readonly SplineTails[] = ['linear', 'circular', 'none'];
/** Pieces smaller than this share of the box are rounding in float32. */
const LEAST_SHARE = 1e-6;

/**
 * A monotone map through K + 1 knots, between which it is a ratio of two quadratics.
 *
 *     t = (x - x_k) / w_k,   s = h_k / w_k,   den = s + (d_{k+1} + d_k - 2 s) t (1 - t)
 *     y = y_k + h_k (s t^2 + d_k t (1 - t)) / den
 *     log dy/dx = 2 log s + log(d_{k+1} t^2 + 2 s t (1 - t) + d_k (1 - t)^2) - 2 log den
 *
 * Widths and heights are softmaxes of parameters, derivatives softplus of them, each with a least value (`limits` knows another form);
 * parameters of zeros are the identity. Outside of a learned box of width W and height H dy/dx = H / W. The inverse solves the quadratic by
 * whichever of its two forms cancels nothing, and has the gradients of the implicit function.
 *
 * Shapes: x [..., d], parameters [..., d, p] with p = 3K - 1 (linear), 3K (circular) or 3K + 1 (none), and 4 more for a learned box:
 * [widths | heights | derivatives | left, bottom, width, height].
 *
 * @throws ConfigError for fewer than 2 pieces, a bound that is not positive, so many pieces that their least sizes fill the box or vanish
 * in float32, or a learned box without linear tails
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3.1, arXiv:1906.04032; Gregory and Delbourgo (1982), doi:10.1093/imanum/2.2.123;
 *   circular: Rezende et al. (2020), arXiv:2002.02428
 * @example
 * const spline = new RationalQuadraticSpline({ bins: 4, bound: 3 });
 * spline.forward(tf.tensor2d([[0.5, 7]]), tf.zeros([1, 2, spline.parameters])).value.print(); // [[0.5, 7]]
 */
export class RationalQuadraticSpline extends Transformer {
  static className = 'FlowRationalQuadraticSpline';
  readonly parameters: number;
  private readonly settings: KnotSettings;
  private readonly box: 'fixed' | 'learned';

  constructor(options: SplineOptions = {}) {
    super();
    const where = 'RationalQuadraticSpline';
    checkOptions(where, options, names);
    const {
      bins = 8,
      bound = 5,
      tails = 'linear',
      minimum = 1e-3,
      box = 'fixed',
      limits = 'minimum',
    } = options;
    checkInteger(where, 'bins', bins, 2);
    checkChoice(where, 'tails', tails, TAILS);
    checkChoice(where, 'box', box, ['fixed', 'learned']);
    checkChoice(where, 'limits', limits, ['minimum', 'softclip']);
    if (!(Number.isFinite(bound) && bound > 0)) {
      throw new ConfigError(complaint(where, 'a positive bound', bound));
    }
    // By 'softclip' a piece may be as small as this beside the others.
    const [least, most] = limits === 'softclip' ? [bins * LEAST_SHARE, 1] : [LEAST_SHARE, 1 / bins];
    if (!(minimum >= least && minimum < most)) {
      throw new ConfigError(complaint(where, `a minimum in [${least}, ${most})`, minimum));
    }
    if (box === 'learned' && tails !== 'linear') {
      throw new ConfigError(complaint(where, "tails 'linear' for a learned box", tails));
    }
    this.settings = { bins, bound, tails, minimum, limits };
    this.box = box;
    this.parameters = 3 * bins + DERIVATIVES[tails] + (box === 'learned' ? BOX_PARAMETERS : 0);
  }

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return this.inBox(x, parameters, 'x', 'y', (values, knots) => {
      const { value, logDerivative } = this.map(this.clipped(values), knots);
      return this.outside(values, value, logDerivative);
    });
  }

  inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    const { bound } = this.settings;
    return this.inBox(y, parameters, 'y', 'x', (values, knots) => {
      const clipped = this.clipped(values);
      const found = untaped(() => this.solve(clipped, knots));
      const x = roundedInto(implicitInverse(clipped, found, this.map(found, knots)), bound);
      return this.outside(values, x, tf.neg(this.map(x, knots).logDerivative));
    });
  }

  override get fused(): FusedTransformer | undefined {
    const { limits, ...settings } = this.settings;
    const known = this.box === 'fixed' && limits === 'minimum';
    return known && isOwn(this, RationalQuadraticSpline, 'forward', 'inverse')
      ? { kind: 'spline', ...settings }
      : undefined;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { ...this.settings, box: this.box };
  }

  /** What `compute` says in [-bound, bound], between the boxes of the values where these are learned. */
  private inBox(
    given: tf.Tensor,
    parameters: tf.Tensor,
    from: 'x' | 'y',
    to: 'x' | 'y',
    compute: (values: tf.Tensor, knots: Knots) => ElementwiseResult,
  ): ElementwiseResult {
    return inRows(given, parameters, (values, rows) => {
      const { settings } = this;
      if (this.box === 'fixed') return compute(values, knotsOf(rows, settings));
      const { bound, minimum } = settings;
      const [ofKnots, ofBox] = splitChannels(rows, this.parameters - BOX_PARAMETERS);
      const box = boxOf(ofBox, bound, -Math.log(minimum));
      const { value, logDerivative } = compute(
        intoUnits(values, box[from], bound),
        knotsOf(ofKnots, settings),
      );
      const logDiagonal = tf.sub(box[to].logLength, box[from].logLength);
      return { value: outOfUnits(value, box[to], bound), logDerivative: tf.add(logDerivative, logDiagonal) };
    });
  }

  /** Values of the box as they are; those outside at its nearest end, or at the same point of the circle. */
  private clipped(x: tf.Tensor): tf.Tensor {
    const { bound, tails } = this.settings;
    if (tails !== 'circular') return tf.clipByValue(x, -bound, bound);
    const turns = untaped(() => tf.mul(tf.floor(tf.div(tf.add(x, bound), 2 * bound)), 2 * bound));
    return roundedInto(tf.sub(x, turns), bound);
  }

  /** The result where x is in the box, and what the tails say where it is not. */
  private outside(x: tf.Tensor, value: tf.Tensor, logDerivative: tf.Tensor): ElementwiseResult {
    const { bound, tails } = this.settings;
    if (tails === 'circular') return { value, logDerivative };
    const inside = untaped(() => tf.lessEqual(tf.abs(x), bound));
    const beyond = tf.fill(x.shape, tails === 'none' ? Number.NEGATIVE_INFINITY : 0);
    return { value: tf.where(inside, value, x), logDerivative: tf.where(inside, logDerivative, beyond) };
  }

  private map(x: tf.Tensor, knots: Knots): ElementwiseResult {
    const piece = pieceAt(x, knots.x.start, knots);
    const t = tf.div(tf.sub(x, piece.x), piece.width);
    const rest = tf.sub(1, t);
    const both = tf.mul(t, rest);
    const slope = tf.div(piece.height, piece.width);
    const bend = tf.sub(tf.add(piece.left, piece.right), tf.mul(slope, 2));
    const denominator = tf.add(slope, tf.mul(bend, both));
    const numerator = tf.add(tf.mul(slope, tf.square(t)), tf.mul(piece.left, both));
    const value = tf.add(piece.y, tf.mul(piece.height, tf.div(numerator, denominator)));
    const derivative = tf.addN([
      tf.mul(piece.right, tf.square(t)),
      tf.mul(tf.mul(slope, both), 2),
      tf.mul(piece.left, tf.square(rest)),
    ]);
    const ratio = tf.sub(tf.log(slope), tf.log(denominator));
    return {
      value: roundedInto(value, this.settings.bound),
      logDerivative: tf.add(tf.log(derivative), tf.mul(ratio, 2)),
    };
  }

  /**
   * x of y by the quadratic a t^2 + b t + c = 0. Both roots are written without a difference of nearly equal numbers: the usual form
   * loses all digits where b < 0.
   */
  private solve(y: tf.Tensor, knots: Knots): tf.Tensor {
    const { x, width, y: from, height, left, right } = pieceAt(y, knots.y.start, knots);
    const slope = tf.div(height, width);
    const above = tf.sub(y, from);
    const bent = tf.mul(above, tf.sub(tf.add(left, right), tf.mul(slope, 2)));
    const a = tf.add(tf.mul(height, tf.sub(slope, left)), bent);
    const b = tf.sub(tf.mul(height, left), bent);
    const c = tf.neg(tf.mul(slope, above));
    const root = tf.sqrt(tf.relu(tf.sub(tf.square(b), tf.mul(tf.mul(a, c), 4))));
    const ofPositive = tf.div(tf.mul(c, -2), tf.add(tf.abs(b), root));
    const ofNegative = tf.div(tf.add(tf.abs(b), root), tf.mul(a, 2));
    const t = tf.clipByValue(tf.where(tf.greaterEqual(b, 0), ofPositive, ofNegative), 0, 1);
    return roundedInto(tf.add(x, tf.mul(t, width)), this.settings.bound);
  }
}

tf.serialization.registerClass(RationalQuadraticSpline);
