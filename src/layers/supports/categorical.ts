import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkInteger } from '../../core/shapes';
import { sumPerExample, untaped } from '../../core/tensors';
import type { Transformed } from '../bijector';
import { ColumnHead, type ColumnHeadOptions } from './columnHead';
import { logNormal, pointOf, sharesOf } from './normalQuantile';
import { triangle } from './triangle';

/** Options of {@link Categorical}. */
export interface CategoricalOptions extends ColumnHeadOptions {
  /** Number K of categories, 2 to 4096. */
  categories: number;
  /** Least probability of a category, which float32 can still find again in a latent. Default 1e-5. */
  minimum?: number;
}

/** More would leave float32 no room inside of the last ones. */
const MOST_CATEGORIES = 4096;

/**
 * A category, as the slice of the normal distribution that has its probability.
 *
 *     x = c + u,  u in [0, 1);   p = (1 - K m) softmax(logits) + m
 *     z = quantile(P(< c) + p(c) u),   logDet = log p(c) - log N(z; 0, 1)
 *
 * With a standard normal base, log p(x) is exactly log p(c), whatever u: a flow of vectors draws it (`dequantize`). Logits are numbers of the
 * column's own, at first the logarithms of its frequencies, plus what a network makes of the context.
 *
 * Shapes: [n, 1]; context as declared. logDet in nats; -Infinity for what is no category.
 *
 * @throws ConfigError for fewer than 2 categories or more than 4096, a minimum that fills the whole, or a context without a network
 * @see Papamakarios et al., "Normalizing Flows for Probabilistic Modeling and Inference" (2021), section 5.2, arXiv:1912.02762
 * @example
 * const colour = new Categorical({ categories: 4 });
 * colour.forward(tf.tensor2d([[0.5], [1.5]])).value.print(); // [[-1.1503493], [-0.3186394]]
 */
export class Categorical extends ColumnHead {
  static className = 'FlowCategorical';
  readonly features: number;
  private readonly categories: number;
  private readonly minimum: number;
  private hasInitialized = false;

  constructor(options: CategoricalOptions) {
    if (new.target === Categorical) checkOptions('Categorical', options, names);
    const { categories, minimum = 1e-5 } = options;
    checkInteger('Categorical', 'categories', categories, 2);
    if (categories > MOST_CATEGORIES) {
      throw new ConfigError(complaint('Categorical', `at most ${MOST_CATEGORIES} categories`, categories));
    }
    if (!(minimum > 0 && minimum * categories < 1)) {
      throw new ConfigError(complaint('Categorical', `a minimum in (0, 1 / ${categories})`, minimum));
    }
    super('Categorical', options, options.name ?? 'categorical', categories);
    this.features = categories;
    this.categories = categories;
    this.minimum = minimum;
  }

  override get initialized(): boolean {
    return this.hasInitialized && super.initialized;
  }

  override markInitialized(): void {
    super.markInitialized();
    this.hasInitialized = true;
  }

  /** One-hot. */
  featuresOf(x: tf.Tensor): tf.Tensor {
    return this.compare(tf.equal, this.categoryOf(x));
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    const category = this.categoryOf(x);
    const place = tf.sub(x, category);
    const { before, own, after } = this.slices(category, this.probabilities(x.shape[0], context));
    const z = pointOf({
      below: tf.add(before, tf.mul(own, place)),
      above: tf.add(after, tf.mul(own, tf.sub(1, place))),
    });
    const logs = tf.sub(tf.log(own), logNormal(z));
    const isCategory = untaped(() => tf.equal(category, tf.floor(x)));
    const off = tf.fill(x.shape, Number.NEGATIVE_INFINITY);
    return { value: z, logDet: sumPerExample(tf.where(isCategory, logs, off)) };
  }

  protected computeInverse(z: tf.Tensor, context?: ContextTensors): Transformed {
    const probabilities = this.probabilities(z.shape[0], context);
    const { below, above } = sharesOf(z);
    const category = untaped(() => this.categoryAt(below, above, probabilities));
    const { before, own, after } = this.slices(category, probabilities);
    const fromBelow = tf.div(tf.sub(below, before), own);
    const fromAbove = tf.sub(1, tf.div(tf.sub(above, after), own));
    const isBelow = untaped(() => tf.less(below, above));
    const place = tf.where(isBelow, fromBelow, fromAbove);
    // The place stays below 1 where float32 adds it to the category.
    const most = 1 - this.categories * 2 ** -23;
    const moved = untaped(() => tf.sub(tf.clipByValue(place, 0, most), place));
    const value = tf.add(category, tf.add(place, moved));
    return { value, logDet: sumPerExample(tf.sub(logNormal(z), tf.log(own))) };
  }

  /** Logits from the frequencies of the first data, one more of each. */
  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    if (!this.hasInitialized) {
      this.start(tf.log(tf.add(tf.sum(this.featuresOf(x), 0), 1)));
      this.hasInitialized = true;
    }
    this.initializeNetwork(context);
    return this.computeForward(x, context).value;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { categories, minimum } = this;
    return { ...super.getConfig(), categories, minimum };
  }

  /** [n, K] */
  private probabilities(n: number, context: ContextTensors | undefined): tf.Tensor {
    const { categories, minimum } = this;
    const shares = tf.softmax(this.parametersOf(n, context));
    return tf.add(tf.mul(shares, 1 - categories * minimum), minimum);
  }

  /** Whole number of a category, the nearest one where x is none; off the tape. */
  private categoryOf(x: tf.Tensor): tf.Tensor {
    return untaped(() => tf.clipByValue(tf.floor(x), 0, this.categories - 1));
  }

  /** The category in whose slice shares lie: how many slices end at them or before. */
  private categoryAt(below: tf.Tensor, above: tf.Tensor, probabilities: tf.Tensor): tf.Tensor {
    const ends = tf.matMul(probabilities as tf.Tensor2D, triangle(this.categories, 'from'));
    const rests = tf.matMul(probabilities as tf.Tensor2D, triangle(this.categories, 'after'));
    // By the smaller share, which is exact where the latent is far out; as numbers, since a choice of booleans writes past them on wasm.
    const isBelow = tf.cast(tf.less(below, above), 'float32');
    const fromBelow = tf.mul(isBelow, tf.sub(below, ends));
    const fromAbove = tf.mul(tf.sub(1, isBelow), tf.sub(rests, above));
    const passed = tf.sum(tf.cast(tf.greaterEqual(tf.add(fromBelow, fromAbove), 0), 'float32'), 1, true);
    return tf.minimum(passed, this.categories - 1);
  }

  /** Probability of a category, and of those before and after it; [n, 1] each. */
  private slices(
    category: tf.Tensor,
    probabilities: tf.Tensor,
  ): Record<'before' | 'own' | 'after', tf.Tensor> {
    const share = (relation: Relation) =>
      tf.sum(tf.mul(this.compare(relation, category), probabilities), 1, true);
    return { before: share(tf.less), own: share(tf.equal), after: share(tf.greater) };
  }

  /** 1 where the number of a category is in this relation to the given one: [n, K], off the tape. */
  private compare(relation: Relation, category: tf.Tensor): tf.Tensor {
    return untaped(() => tf.cast(relation(tf.range(0, this.categories), category), 'float32'));
  }
}

type Relation = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const names: OptionNames<CategoricalOptions> = {
  categories: ['classes', 'K'],
  minimum: true,
  context: true,
  network: true,
  name: true,
};

registerModule(Categorical);
