import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkChoice, checkInteger } from '../../core/shapes';
import { firstChannels, untaped } from '../../core/tensors';
import { type ElementwiseResult, implicitInverse, inRows, Transformer } from './transformer';

/** What a spline does outside of its box. */
export type SplineTails = 'linear' | 'circular' | 'none';

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
}

const names: OptionNames<SplineOptions> = {
  bins: ['numBins', 'K'],
  bound: ['tailBound', 'B'],
  tails: true,
  minimum: ['minBinWidth', 'minBinHeight', 'minDerivative'],
};

const TAILS: readonly SplineTails[] = ['linear', 'circular', 'none'];
/** Derivatives at knots beyond two for each piece, by tails: K + this many are learned. */
const DERIVATIVES: Record<SplineTails, number> = { linear: -1, circular: 0, none: 1 };

/** Pieces of all values in one direction, each [n, K]. */
interface Axis {
  start: tf.Tensor;
  size: tf.Tensor;
}

/** All that the parameters say. */
interface Knots {
  x: Axis;
  y: Axis;
  /** Derivatives at the left and at the right end of every piece. */
  left: tf.Tensor;
  right: tf.Tensor;
}

/** The piece of each value, each [n]. */
interface Piece {
  x: tf.Tensor;
  width: tf.Tensor;
  y: tf.Tensor;
  height: tf.Tensor;
  left: tf.Tensor;
  right: tf.Tensor;
}

/**
 * A monotone map through K + 1 knots, between which it is a ratio of two quadratics.
 *
 *     t = (x - x_k) / w_k,   s = h_k / w_k,   den = s + (d_{k+1} + d_k - 2 s) t (1 - t)
 *     y = y_k + h_k (s t^2 + d_k t (1 - t)) / den
 *     log dy/dx = 2 log s + log(d_{k+1} t^2 + 2 s t (1 - t) + d_k (1 - t)^2) - 2 log den
 *
 * Widths and heights are softmaxes of parameters, derivatives softplus of them, each with a least value; parameters of zeros are
 * the identity. The inverse solves the quadratic by whichever of its two forms cancels nothing, and has the gradients of the implicit function.
 *
 * Shapes: x [..., d], parameters [..., d, p] with p = 3K - 1 (linear), 3K (circular) or 3K + 1 (none).
 *
 * @throws ConfigError for fewer than 2 pieces, a bound that is not positive, or so many pieces that their least sizes fill the box
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3.1, arXiv:1906.04032; Gregory and Delbourgo (1982), doi:10.1093/imanum/2.2.123;
 *   circular: Rezende et al. (2020), arXiv:2002.02428
 * @example
 * const spline = new RationalQuadraticSpline({ bins: 4, bound: 3 });
 * spline.forward(tf.tensor2d([[0.5, 7]]), tf.zeros([1, 2, spline.parameters])).value.print(); // [[0.5, 7]]
 */
export class RationalQuadraticSpline extends Transformer {
  static className = 'FlowRationalQuadraticSpline';
  readonly parameters: number;
  private readonly bins: number;
  private readonly bound: number;
  private readonly tails: SplineTails;
  private readonly minimum: number;

  constructor(options: SplineOptions = {}) {
    super();
    const where = 'RationalQuadraticSpline';
    checkOptions(where, options, names);
    const { bins = 8, bound = 5, tails = 'linear', minimum = 1e-3 } = options;
    checkInteger(where, 'bins', bins, 2);
    checkChoice(where, 'tails', tails, TAILS);
    if (!(Number.isFinite(bound) && bound > 0)) {
      throw new ConfigError(complaint(where, 'a positive bound', bound));
    }
    if (!(minimum > 0 && minimum * bins < 1)) {
      throw new ConfigError(complaint(where, `a minimum in (0, 1 / ${bins})`, minimum));
    }
    this.bins = bins;
    this.bound = bound;
    this.tails = tails;
    this.minimum = minimum;
    this.parameters = 3 * bins + DERIVATIVES[tails];
  }

  forward(x: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return inRows(x, parameters, (values, rows) => {
      const knots = this.knotsOf(rows);
      const { value, logDerivative } = this.map(this.intoBox(values), knots);
      return this.outside(values, value, logDerivative);
    });
  }

  inverse(y: tf.Tensor, parameters: tf.Tensor): ElementwiseResult {
    return inRows(y, parameters, (values, rows) => {
      const knots = this.knotsOf(rows);
      const inBox = this.intoBox(values);
      const found = untaped(() => this.solve(inBox, knots));
      const x = this.rounded(implicitInverse(inBox, found, this.map(found, knots)));
      return this.outside(values, x, tf.neg(this.map(x, knots).logDerivative));
    });
  }

  getConfig(): tf.serialization.ConfigDict {
    const { bins, bound, tails, minimum } = this;
    return { bins, bound, tails, minimum };
  }

  /** Values of the box as they are; those outside at its nearest end, or at the same point of the circle. */
  private intoBox(x: tf.Tensor): tf.Tensor {
    const { bound } = this;
    if (this.tails !== 'circular') return tf.clipByValue(x, -bound, bound);
    const turns = untaped(() => tf.mul(tf.floor(tf.div(tf.add(x, bound), 2 * bound)), 2 * bound));
    return this.rounded(tf.sub(x, turns));
  }

  /** What rounding moved out of the box put back, with the gradient of a value inside. */
  private rounded(x: tf.Tensor): tf.Tensor {
    return tf.add(
      x,
      untaped(() => tf.sub(tf.clipByValue(x, -this.bound, this.bound), x)),
    );
  }

  /** The result where x is in the box, and what the tails say where it is not. */
  private outside(x: tf.Tensor, value: tf.Tensor, logDerivative: tf.Tensor): ElementwiseResult {
    if (this.tails === 'circular') return { value, logDerivative };
    const inside = untaped(() => tf.lessEqual(tf.abs(x), this.bound));
    const beyond = tf.fill(x.shape, this.tails === 'none' ? Number.NEGATIVE_INFINITY : 0);
    return { value: tf.where(inside, value, x), logDerivative: tf.where(inside, logDerivative, beyond) };
  }

  private knotsOf(parameters: tf.Tensor): Knots {
    const { bins, tails, minimum } = this;
    const axis = parameters.rank - 1;
    const [widths, heights, slopes] = tf.split(parameters, [bins, bins, bins + DERIVATIVES[tails]], axis);
    // softplus of this is 1 - minimum: parameters of zeros are derivatives of 1.
    const one = Math.log(Math.expm1(1 - minimum));
    const derivatives = tf.add(tf.softplus(tf.add(slopes, one)), minimum);
    const end = () => tf.ones([...parameters.shape.slice(0, -1), 1]);
    const known: Record<SplineTails, () => tf.Tensor> = {
      linear: () => tf.concat([end(), derivatives, end()], axis),
      circular: () => tf.concat([derivatives, firstChannels(derivatives, 1)], axis),
      none: () => derivatives,
    };
    const all = known[tails]();
    return {
      x: this.axisOf(widths),
      y: this.axisOf(heights),
      left: firstChannels(all, bins),
      right: withoutFirst(all),
    };
  }

  /** The last piece ends at the bound itself, whatever the sum of the others rounds to. */
  private axisOf(raw: tf.Tensor): Axis {
    const { bins, bound, minimum } = this;
    const axis = raw.rank - 1;
    const shares = tf.add(tf.mul(tf.softmax(raw), 1 - bins * minimum), minimum);
    // A product instead of tf.cumsum, which is wrong on webgpu for some lengths.
    const before = tf.matMul(shares as tf.Tensor2D, strictlyUpper(bins));
    const start = tf.sub(tf.mul(before, 2 * bound), bound);
    const last = tf.fill([...raw.shape.slice(0, -1), 1], bound);
    return { start, size: tf.sub(tf.concat([withoutFirst(start), last], axis), start) };
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
    return { value: this.rounded(value), logDerivative: tf.add(tf.log(derivative), tf.mul(ratio, 2)) };
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
    return tf.clipByValue(tf.add(x, tf.mul(t, width)), -this.bound, this.bound);
  }
}

tf.serialization.registerClass(RationalQuadraticSpline);

/** The piece that each value lies in, found by comparison: no gather, which some backends cannot differentiate. */
function pieceAt(at: tf.Tensor, starts: tf.Tensor, { x, y, left, right }: Knots): Piece {
  const axis = starts.rank - 1;
  const chosen = untaped(() => {
    const reached = tf.cast(tf.greaterEqual(tf.expandDims(at, -1), starts), 'float32');
    const none = tf.zeros([...starts.shape.slice(0, -1), 1]);
    return tf.sub(reached, tf.concat([withoutFirst(reached), none], axis));
  });
  const choose = (values: tf.Tensor) => tf.sum(tf.mul(chosen, values), axis);
  return {
    x: choose(x.start),
    width: choose(x.size),
    y: choose(y.start),
    height: choose(y.size),
    left: choose(left),
    right: choose(right),
  };
}

/** [n, n], 1 above the diagonal: a row times it has the sums of what stands before each place. */
function strictlyUpper(n: number): tf.Tensor2D {
  const values = Float32Array.from({ length: n * n }, (_, at) => Number(Math.floor(at / n) < at % n));
  return tf.tensor2d(values, [n, n]);
}

function withoutFirst(x: tf.Tensor): tf.Tensor {
  const begin = x.shape.map((_, axis) => (axis === x.rank - 1 ? 1 : 0));
  return tf.slice(x, begin, [...x.shape.slice(0, -1), x.shape[x.rank - 1] - 1]);
}
