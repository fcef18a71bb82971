import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkEventShape } from '../../core/shapes';
import { capabilities } from '../../engine/capabilities';
import { Bijector, type BijectorOptions, type Conditioning, type Transformed } from '../bijector';
import { repeatSum } from '../logDets';
import { type Measure, readMeasures } from '../measures';
import { momentsOf } from '../moments';
import { showColumn } from './columns';

/** Options of {@link Standardize}. */
export interface StandardizeOptions extends BijectorOptions {
  /** Names of the columns, for the note on one that does not vary. Default: their numbers. */
  columns?: readonly string[];
}

/**
 * Every column in units of its mean and standard deviation over the first data, which stay as they are from then on.
 *
 *     y = (x - mean) / deviation,    logDet = -sum(log deviation)
 *
 * Shapes: [n, d]. logDet in nats. Before `initialize` it is the identity. `fit` initializes a flow of vectors with thousands of rows where
 * it can, not with one batch; mean and deviation (of the population) are saved with the flow. A column that does not vary in the first
 * data is centred, not scaled, and a warning on the console names it: its density has no upper bound.
 *
 * @throws ConfigError for another inputShape; ShapeError for other inputs
 * @see LeCun et al., "Efficient BackProp" (1998), section 4.3, doi:10.1007/3-540-49430-8_2
 * @example
 * const standardize = new Standardize({ inputShape: [2] });
 * standardize.initialize(tf.tensor2d([[1, 10], [3, 30]])).print(); // [[-1, -1], [1, 1]]
 */
export class Standardize extends Bijector {
  static className = 'FlowStandardize';
  private readonly columns: readonly string[];
  private readonly mean: tf.Variable;
  private readonly logDeviation: tf.Variable;
  private hasInitialized = false;

  constructor(options: StandardizeOptions) {
    if (new.target === Standardize) checkOptions('Standardize', options, names);
    checkEventShape('Standardize', options.inputShape, [1]);
    super(options.name ?? 'standardize', options.inputShape);
    const [d] = options.inputShape;
    this.columns = options.columns ?? Array.from({ length: d }, (_, i) => String(i));
    this.mean = this.addWeight('mean', tf.zeros([d]), false);
    this.logDeviation = this.addWeight('logDeviation', tf.zeros([d]), false);
  }

  override get initialized(): boolean {
    return this.hasInitialized;
  }

  override markInitialized(): void {
    this.hasInitialized = true;
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const value = tf.mul(tf.sub(x, this.mean), tf.exp(tf.neg(this.logDeviation)));
    return { value, logDet: repeatSum([this.logDeviation], -1, x.shape[0]) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    const value = tf.add(tf.mul(y, tf.exp(this.logDeviation)), this.mean);
    return { value, logDet: repeatSum([this.logDeviation], 1, y.shape[0]) };
  }

  protected override computeInitialize(x: tf.Tensor): tf.Tensor {
    const { mean, deviation, least } = momentsOf(x);
    const varies = tf.greater(deviation, least);
    this.mean.assign(mean);
    this.logDeviation.assign(tf.log(tf.where(varies, deviation, tf.onesLike(deviation))));
    this.hasInitialized = true;
    this.tellConstants(varies);
    return this.computeForward(x).value;
  }

  override async conditioning(): Promise<Conditioning> {
    this.checkUsable('conditioning');
    return readMeasures(() => this.computeConditioning());
  }

  protected override computeConditioning(): Conditioning<Measure> {
    return { smallestScale: tf.exp(tf.neg(tf.max(this.logDeviation))) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape], columns: [...this.columns] };
  }

  /** At once where the backend can be read at once, else as soon as it has the answer. */
  private tellConstants(varies: tf.Tensor): void {
    const tell = (found: ArrayLike<number>) => {
      const constant = this.columns.filter((_, i) => found[i] === 0).map(showColumn);
      if (constant.length === 0) return;
      const they = constant.length === 1 ? 'It keeps' : 'They keep';
      console.warn(`Standardize: ${constant.join(', ')} did not vary in the first data. ${they} scale 1.`);
    };
    if (capabilities().readsAtOnce) {
      tell(varies.dataSync());
      return;
    }
    const kept = tf.keep(tf.clone(varies));
    void kept
      .data()
      .then(tell)
      .finally(() => kept.dispose());
  }
}

const names: OptionNames<StandardizeOptions> = { inputShape: true, columns: true, name: true };

registerModule(Standardize);
