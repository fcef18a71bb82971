import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextTensors,
  contextShapeOf,
  contextSize,
  flatContext,
} from '../core/context';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { RandomStream } from '../core/random';
import { checkChoice, checkInteger, type Shape, sizeOf } from '../core/shapes';
import { untaped } from '../core/tensors';
import {
  type Conditioner,
  type ConditionerBuilder,
  checkReader,
  resolveConditioner,
} from '../layers/networks/conditioner';
import { lowerInverse } from '../linalg';
import { Distribution, type DistributionDraw } from './distribution';
import { HALF_LOG_TWO_PI } from './fusedNormal';
import { startValues } from './startValues';

/** Options of {@link NormalMixture}. */
export interface NormalMixtureOptions {
  /** Event shape, without the batch. */
  eventShape: Shape;
  /** Number K of normal distributions. */
  components: number;
  /** 'diagonal': values are independent within a component; 'full': each component has a covariance matrix. Default 'diagonal'. */
  covariance?: 'diagonal' | 'full';
  /** Means of the components, K times one per value, row-major. Default: standard normal numbers by the seed. */
  means?: ArrayLike<number>;
  /** Natural logs of the deviations (of the Cholesky factor's diagonal), as `means`. Default: zeros. */
  logScales?: ArrayLike<number>;
  /** Weights of the components before softmax, K. Default: zeros. */
  logits?: ArrayLike<number>;
  /** Whether all of these are learned. Default true. */
  trainable?: boolean;
  /** What the parameters depend on: a number of values, an event shape, or either by name. Default: nothing. */
  context?: ContextOption;
  /** Reads in the context, as one vector, what is added to the parameters. Needed with a context, and only there. */
  network?: Conditioner | ConditionerBuilder;
  /** Seed of the means. Default: another one each time. */
  seed?: number;
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/**
 * A mixture of normal distributions: for data in several lumps, which a normal base leaves connected by threads.
 *
 *     log p(z) = log sum_k softmax(logits)_k N(z; mean_k, L_k L_k^T),   L_k lower triangular with exp(logScale_k) on its diagonal
 *
 * Shapes: z [n, ...eventShape], D values each; logProb [n] in nats. Weights: logits [K], means and logScales [K, D], and for 'full' what lies
 * below the diagonals, row by row, as lower [K, D (D - 1) / 2]. A network gives as many numbers for each example, in this order, and they are
 * added. Samples are differentiable by means and scales, not by logits. Latents of a flow on it are not normal: see `isNormal`.
 *
 * @throws ConfigError for a wrong number of anything, or a context without network; DataError for NaN; ShapeError for other events
 * @see Izmailov et al., "Semi-supervised learning with normalizing flows" (2020), section 3, arXiv:1912.13025
 * @example
 * const base = new NormalMixture({ eventShape: [1], components: 2, means: [-3, 3] });
 * base.logProb(tf.tensor2d([[3]])).print(); // [-1.6120857]
 */
export class NormalMixture extends Distribution {
  static className = 'FlowNormalMixture';
  readonly components: number;
  readonly network?: Conditioner;
  private readonly covariance: 'diagonal' | 'full';
  private readonly trainable: boolean;
  private readonly logits: tf.Variable;
  private readonly means: tf.Variable;
  private readonly logScales: tf.Variable;
  private readonly lower?: tf.Variable;
  /** Where in a matrix the entries below the diagonal lie: [D (D - 1) / 2, D D]. */
  private readonly places?: tf.Tensor2D;

  constructor(options: NormalMixtureOptions) {
    const where = 'NormalMixture';
    if (new.target === NormalMixture) {
      checkOptions(where, options, {
        eventShape: true,
        components: true,
        covariance: true,
        means: ['mean'],
        logScales: ['logScale'],
        logits: ['weights'],
        trainable: 'boolean',
        context: true,
        network: true,
        seed: true,
        name: true,
      });
    }
    const { eventShape, components, covariance = 'diagonal', trainable = true, network } = options;
    checkInteger(where, 'components', components);
    checkChoice(where, 'covariance', covariance, ['diagonal', 'full']);
    const context = contextShapeOf(where, options.context);
    checkReader(where, context, network);
    const size = sizeOf(eventShape);
    const drawn = () => new RandomStream(options.seed).normalArray(components * size);
    const means = startValues(where, 'means', options.means ?? drawn(), components * size);
    const logScales = startValues(where, 'logScales', options.logScales, components * size);
    const logits = startValues(where, 'logits', options.logits, components);
    super(options.name ?? 'base', eventShape);
    this.components = components;
    this.covariance = covariance;
    this.trainable = trainable;
    this.declareContext(context);
    const start = (name: string, values: Float32Array, shape: number[]) =>
      this.addWeight(name, tf.tensor(values, shape), trainable);
    this.logits = start('logits', logits, [components]);
    this.means = start('means', means, [components, size]);
    this.logScales = start('logScales', logScales, [components, size]);
    const below = covariance === 'full' ? (size * (size - 1)) / 2 : 0;
    if (below > 0) {
      this.lower = start('lower', new Float32Array(components * below), [components, below]);
      this.places = this.addConstant(placesBelow(size));
    }
    if (network === undefined) return;
    const outputs = components * (1 + 2 * size + below);
    this.network = this.addChild(resolveConditioner(where, network, [contextSize(context)], [outputs]));
  }

  protected computeLogProb(z: tf.Tensor, context?: ContextTensors): tf.Tensor1D {
    const { logits, means, logScales, lower } = this.parameters(context);
    const size = sizeOf(this.eventShape);
    const differences = tf.sub(tf.reshape(z, [z.shape[0], 1, size]), means);
    const standardized =
      lower === undefined
        ? tf.mul(differences, tf.exp(tf.neg(logScales)))
        : this.whitened(differences, this.factors(logScales, lower));
    // Of what overflows all components would be -Infinity, whose differences are not numbers.
    const squares = tf.minimum(tf.sum(tf.square(standardized), 2), LARGEST);
    const density = tf.add(tf.add(tf.mul(squares, 0.5), tf.sum(logScales, 2)), size * HALF_LOG_TWO_PI);
    return tf.logSumExp(tf.sub(tf.logSoftmax(logits), density), 1) as tf.Tensor1D;
  }

  protected computeSample(n: number, { random, context }: DistributionDraw): tf.Tensor {
    const { logits, means, logScales, lower } = this.parameters(context);
    const size = sizeOf(this.eventShape);
    const noise = random.normal([n, size]);
    // The largest of log-probabilities plus Gumbel noise falls on each with its probability: no value has to be read.
    const gumbel = tf.tensor2d(
      Float32Array.from({ length: n * this.components }, () => -Math.log(-Math.log(random.uniformNumber()))),
      [n, this.components],
    );
    const chosen = untaped(() => {
      const component = tf.argMax(tf.add(tf.logSoftmax(logits), gumbel), 1);
      return tf.reshape(tf.cast(tf.oneHot(component as tf.Tensor1D, this.components), 'float32'), [
        n,
        this.components,
        1,
      ]);
    });
    const ofChosen = (values: tf.Tensor) => tf.sum(tf.mul(chosen, values), 1);
    const scaled = tf.mul(noise, tf.exp(ofChosen(logScales)));
    const centered = lower === undefined ? scaled : tf.add(scaled, this.below(ofChosen(lower), noise));
    return tf.reshape(tf.add(centered, ofChosen(means)), [n, ...this.eventShape]);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, components, covariance, trainable, network, contextShape } = this;
    const config = { name, eventShape: [...this.eventShape], components, covariance, trainable };
    if (network === undefined) return config;
    return { ...config, context: contextShape as never, network: serializeModule(network) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    if (config.network === undefined) return new cls({ ...config });
    const network = deserializeModule<Conditioner>(config.network as unknown as SerializedModule);
    return new cls({ ...config, network });
  }

  /** [1 or n, K] and [1 or n, K, ...] */
  private parameters(context?: ContextTensors): Parameters {
    const { logits, means, logScales, lower, network } = this;
    const own = [logits, means, logScales, ...(lower === undefined ? [] : [lower])];
    if (network === undefined) return named(own.map((weight) => tf.expandDims(weight, 0)));
    const added = network.apply(flatContext(context) as tf.Tensor);
    const parts = tf.split(
      added,
      own.map((weight) => weight.size),
      1,
    );
    return named(own.map((weight, i) => tf.add(tf.reshape(parts[i], [-1, ...weight.shape]), weight)));
  }

  /** Cholesky factors, [1 or n, K, D, D]. */
  private factors(logScales: tf.Tensor, lower: tf.Tensor): tf.Tensor {
    const size = sizeOf(this.eventShape);
    const diagonals = tf.mul(tf.expandDims(tf.exp(logScales), 3), tf.eye(size));
    const places = this.places as tf.Tensor2D;
    const rows = tf.matMul(tf.reshape(lower, [-1, places.shape[0]]), places);
    return tf.add(diagonals, tf.reshape(rows, [-1, this.components, size, size]));
  }

  /** L^-1 times differences [n, K, D]. */
  private whitened(differences: tf.Tensor, factors: tf.Tensor): tf.Tensor {
    const [n, components, size] = differences.shape;
    const inverses = lowerInverse(tf.reshape(factors, [-1, size, size]));
    if (this.network === undefined) {
      const byComponent = tf.transpose(differences, [1, 0, 2]);
      return tf.transpose(tf.matMul(byComponent, inverses, false, true), [1, 0, 2]);
    }
    const each = tf.reshape(differences, [n * components, 1, size]);
    return tf.reshape(tf.matMul(each, inverses, false, true), [n, components, size]);
  }

  /** What lies below the diagonal, as [n, D (D - 1) / 2], times noise [n, D]. */
  private below(lower: tf.Tensor, noise: tf.Tensor): tf.Tensor {
    const [n, size] = noise.shape;
    const matrices = tf.reshape(tf.matMul(lower as tf.Tensor2D, this.places as tf.Tensor2D), [n, size, size]);
    return tf.reshape(tf.matMul(matrices, tf.reshape(noise, [n, size, 1])), [n, size]);
  }
}

interface Parameters {
  logits: tf.Tensor;
  means: tf.Tensor;
  logScales: tf.Tensor;
  lower?: tf.Tensor;
}

/** Near the largest number of float32. */
const LARGEST = 3e38;

function named([logits, means, logScales, lower]: tf.Tensor[]): Parameters {
  return { logits, means, logScales, lower };
}

function placesBelow(size: number): tf.Tensor2D {
  const count = (size * (size - 1)) / 2;
  const values = new Float32Array(count * size * size);
  let entry = 0;
  for (let i = 1; i < size; i++) {
    for (let j = 0; j < i; j++) values[entry++ * size * size + i * size + j] = 1;
  }
  return tf.tensor2d(values, [count, size * size]);
}

registerModule(NormalMixture);
