import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { type Expected, enter, enterContext } from '../core/door';
import { ConfigError, complaint } from '../core/errors';
import { Module } from '../core/module';
import { checkOptions } from '../core/options';
import type { RandomStream } from '../core/random';
import { checkInteger, type Shape, sizeOf } from '../core/shapes';

/** How `sample` draws. */
export interface DistributionSampleOptions {
  /** Factor on the standard deviation of a normal base, one for all or one per value; 1 is the distribution itself, 0 its mode. Default 1. */
  temperature?: number | Float32Array;
  /** What `contextShape` declares: [n, ...shape], or such tensors by name. Default: nothing. */
  context?: ContextTensors;
  /** Where the random numbers come from. */
  random: RandomStream;
}

/** What a distribution draws with. */
export interface DistributionDraw {
  /** Where the random numbers come from. */
  random: RandomStream;
  /** One factor for all values or one per value; 1 unless the distribution is normal. */
  temperature: number | Float32Array;
  /** What was declared of the context, [n, ...shape]. */
  context?: ContextTensors;
}

/**
 * A base distribution over events of a fixed shape; subclasses implement `computeLogProb` and `computeSample`.
 *
 * @example
 * const base: Distribution = new StandardNormal({ eventShape: [2] });
 * base.sample(5, { random: new RandomStream(1), temperature: 0.7 }).shape; // [5, 2]
 */
export abstract class Distribution extends Module {
  readonly eventShape: Shape;

  constructor(name: string, eventShape: Shape) {
    super(name);
    this.eventShape = [...eventShape];
  }

  /** Hook: log-density in nats, [n]. */
  protected abstract computeLogProb(z: tf.Tensor, context?: ContextTensors): tf.Tensor1D;

  /** Hook: n events, at least one, [n, ...eventShape], drawn from the stream. */
  protected abstract computeSample(n: number, draw: DistributionDraw): tf.Tensor;

  /** Hook: events less their mean, in units of their deviation, where the distribution is normal. */
  protected computeStandardize(z: tf.Tensor, _context?: ContextTensors): tf.Tensor {
    return z;
  }

  /** Hook: undoes `computeStandardize`. */
  protected computeUnstandardize(standard: tf.Tensor, _context?: ContextTensors): tf.Tensor {
    return standard;
  }

  /**
   * Whether events are independent normal numbers once mean and deviation are taken off, as `standardize` does: what temperatures and
   * paths between latents rest on. Default false.
   */
  get isNormal(): boolean {
    return false;
  }

  /** Whether there are events of density 0, those outside of a box. Default false. */
  get isBounded(): boolean {
    return false;
  }

  /**
   * Natural log of the density, in nats; -Infinity off the support.
   *
   * @param z [n, ...eventShape]
   * @returns [n]
   * @throws ShapeError, DisposedError
   * @example
   * new StandardNormal({ eventShape: [2] }).logProb(tf.zeros([1, 2])); // [-1.837877]
   */
  logProb(z: tf.Tensor, context?: ContextTensors): tf.Tensor1D {
    this.checkUsable('logProb');
    return enter(`${this.label}.logProb`, z, context, this.expected, (events, given) =>
      this.computeLogProb(events, given),
    );
  }

  /**
   * n independent events.
   *
   * @returns [n, ...eventShape]
   * @throws ConfigError for a bad n, a negative temperature, or one other than 1 where the distribution is not normal; ShapeError for a
   * context that is not what was declared
   * @example
   * new StandardNormal({ eventShape: [2] }).sample(3, { random: new RandomStream(1) }).shape; // [3, 2]
   */
  sample(n: number, options: DistributionSampleOptions): tf.Tensor {
    this.checkUsable('sample');
    const where = `${this.label}.sample`;
    checkOptions(where, options, { temperature: true, context: true, random: true });
    const { temperature = 1, context, random } = options;
    checkInteger(where, 'n', n, 0);
    this.checkTemperature(where, temperature);
    return enterContext(where, n, context, this.contextShape, (given) =>
      n === 0
        ? tf.zeros([0, ...this.eventShape])
        : this.computeSample(n, { random, temperature, context: given }),
    );
  }

  /**
   * Events as standard normal numbers, where the distribution is normal.
   *
   *     e = (z - mean) / deviation
   *
   * @param z [n, ...eventShape]
   * @returns [n, ...eventShape]
   * @throws ConfigError where the distribution is not normal; ShapeError
   * @example
   * const base = new DiagonalNormal({ eventShape: [1], mean: [3], logScale: [Math.log(2)] });
   * base.standardize(tf.tensor2d([[5]])).print(); // [[1]]
   */
  standardize(z: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const where = this.enterNormal('standardize');
    return enter(where, z, context, this.expected, (events, given) => this.computeStandardize(events, given));
  }

  /**
   * Undoes `standardize`.
   *
   * @param standard [n, ...eventShape]
   * @returns z [n, ...eventShape]
   * @throws ConfigError where the distribution is not normal; ShapeError
   * @example
   * const base = new DiagonalNormal({ eventShape: [1], mean: [3], logScale: [Math.log(2)] });
   * base.unstandardize(tf.tensor2d([[1]])).print(); // [[5]]
   */
  unstandardize(standard: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const where = this.enterNormal('unstandardize');
    return enter(where, standard, context, this.expected, (events, given) =>
      this.computeUnstandardize(events, given),
    );
  }

  private enterNormal(method: string): string {
    this.checkUsable(method);
    const where = `${this.label}.${method}`;
    if (!this.isNormal) throw new ConfigError(complaint(where, 'a normal distribution', `'${this.name}'`));
    return where;
  }

  private checkTemperature(where: string, temperature: number | Float32Array): void {
    const factors = typeof temperature === 'number' ? [temperature] : temperature;
    const size = sizeOf(this.eventShape);
    if (factors.length !== 1 && factors.length !== size) {
      throw new ConfigError(complaint(where, `1 or ${size} temperatures`, factors.length));
    }
    const bad = factors.find((factor: number) => !(Number.isFinite(factor) && factor >= 0));
    if (bad !== undefined) throw new ConfigError(complaint(where, 'temperatures >= 0', bad));
    const other = this.isNormal ? undefined : factors.find((factor: number) => factor !== 1);
    if (other === undefined) return;
    const hint = 'A temperature is a factor on the deviation of a normal distribution.';
    throw new ConfigError(complaint(where, `temperature 1, as '${this.name}' is not normal`, other, hint));
  }

  private get expected(): Expected {
    return { shape: this.eventShape, contextShape: this.contextShape };
  }
}
