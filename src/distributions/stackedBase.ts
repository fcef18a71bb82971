import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, partOf } from '../core/context';
import { ConfigError, complaint, ShapeError } from '../core/errors';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { Distribution, type DistributionDraw } from './distribution';

/** Options of {@link StackedBase}. */
export interface StackedBaseOptions {
  /** Distributions of vectors, in the order of their columns, each under a name of its own; they are owned from here on. */
  parts: Distribution[];
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/**
 * Columns side by side, each group with a distribution of its own, independent of the others.
 *
 *     log p(z) = sum_i log p_i(z_i),   z = [z_1, z_2, ...]
 *
 * Shapes: z [n, d], where d is the number of columns of all parts; logProb [n] in nats. It is normal where all parts are.
 *
 * @throws ConfigError for no parts or two of one name; ShapeError for parts that are not of vectors, and for other events
 * @see Papamakarios et al., "Normalizing flows for probabilistic modeling and inference" (2021), section 2.1, arXiv:1912.02762
 * @example
 * const base = new StackedBase({
 *   parts: [
 *     new UniformBox({ eventShape: [1], low: -Math.PI, high: Math.PI, name: 'angle' }),
 *     new StandardNormal({ eventShape: [2], name: 'others' }),
 *   ],
 * });
 * base.eventShape; // [3]
 */
export class StackedBase extends Distribution {
  static className = 'FlowStackedBase';
  readonly parts: readonly Distribution[];

  constructor(options: StackedBaseOptions) {
    const where = 'StackedBase';
    if (new.target === StackedBase) checkOptions(where, options, { parts: true, name: true });
    const { parts } = options;
    if (!Array.isArray(parts) || parts.length === 0) {
      throw new ConfigError(complaint(where, 'at least one distribution as parts', 'none'));
    }
    const other = parts.find(({ eventShape }) => eventShape.length !== 1);
    if (other !== undefined) {
      throw new ShapeError(complaint(where, 'parts over vectors, [d]', other.eventShape));
    }
    super(options.name ?? 'base', [parts.reduce((sum, { eventShape: [d] }) => sum + d, 0)]);
    this.parts = parts.map((part) => this.addChild(part));
  }

  override get isNormal(): boolean {
    return this.parts.every((part) => part.isNormal);
  }

  override get isBounded(): boolean {
    return this.parts.some((part) => part.isBounded);
  }

  protected computeLogProb(z: tf.Tensor, context?: ContextTensors): tf.Tensor1D {
    const each = this.eachOf(z, context, (part, columns, given) => part.logProb(columns, given));
    return each.reduce((sum, logProb) => tf.add(sum, logProb));
  }

  protected computeSample(n: number, { random, temperature, context }: DistributionDraw): tf.Tensor {
    let column = 0;
    const each = this.parts.map((part) => {
      const first = column;
      column += part.eventShape[0];
      const own = typeof temperature === 'number' ? temperature : ofColumns(temperature, first, column);
      return part.sample(n, { random, temperature: own, context: partOf(context, part.contextShape) });
    });
    return tf.concat(each, 1);
  }

  protected override computeStandardize(z: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const each = this.eachOf(z, context, (part, columns, given) => part.standardize(columns, given));
    return tf.concat(each, 1);
  }

  protected override computeUnstandardize(standard: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const each = this.eachOf(standard, context, (part, columns, given) => part.unstandardize(columns, given));
    return tf.concat(each, 1);
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, parts: this.parts.map(serializeModule) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const parts = (config.parts as unknown as SerializedModule[]).map((part) =>
      deserializeModule<Distribution>(part),
    );
    return new cls({ ...config, parts });
  }

  private eachOf<T extends tf.Tensor>(
    z: tf.Tensor,
    context: ContextTensors | undefined,
    pass: (part: Distribution, columns: tf.Tensor, context: ContextTensors | undefined) => T,
  ): T[] {
    const sizes = this.parts.map(({ eventShape: [d] }) => d);
    const columns = tf.split(z, sizes, 1);
    return this.parts.map((part, i) => pass(part, columns[i], partOf(context, part.contextShape)));
  }
}

/** One temperature for all columns, or those of some. */
function ofColumns(temperature: Float32Array, from: number, to: number): Float32Array {
  return temperature.length === 1 ? temperature : temperature.slice(from, to);
}

registerModule(StackedBase);
