import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { type Expected, enter } from '../core/door';
import { ConfigError, complaint } from '../core/errors';
import { Module } from '../core/module';
import { checkOptions } from '../core/options';
import type { RandomStream } from '../core/random';
import { checkInteger, type Shape, sizeOf } from '../core/shapes';

/** How `sample` draws. */
export interface DistributionSampleOptions {
  /** Factor on the standard deviation, one for all or one per value; 1 is the distribution itself, 0 its mode. Default 1. */
  temperature?: number | Float32Array;
  /** What `contextShape` declares: [n, ...shape], or such tensors by name. Default: nothing. */
  context?: ContextTensors;
  /** Where the random numbers come from. */
  random: RandomStream;
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

  /** Hook: events made of standard normal numbers `noise` [n, ...eventShape], already scaled by the temperature. */
  protected abstract computeSample(noise: tf.Tensor, context?: ContextTensors): tf.Tensor;

  /**
   * Natural log of the density, in nats.
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
   * @throws ConfigError for a negative temperature or a bad n; ShapeError for a context that is not what was declared
   * @example
   * new StandardNormal({ eventShape: [2] }).sample(3, { random: new RandomStream(1) }).shape; // [3, 2]
   */
  sample(n: number, options: DistributionSampleOptions): tf.Tensor {
    this.checkUsable('sample');
    checkOptions(`${this.label}.sample`, options, { temperature: true, context: true, random: true });
    const { temperature = 1, context, random } = options;
    checkInteger(`${this.label}.sample`, 'n', n, 0);
    const factors = typeof temperature === 'number' ? [temperature] : temperature;
    const size = sizeOf(this.eventShape);
    if (factors.length !== 1 && factors.length !== size) {
      throw new ConfigError(complaint(`${this.label}.sample`, `1 or ${size} temperatures`, factors.length));
    }
    const bad = factors.find((factor: number) => !(Number.isFinite(factor) && factor >= 0));
    if (bad !== undefined) throw new ConfigError(complaint(`${this.label}.sample`, 'temperatures >= 0', bad));
    return tf.tidy(() => {
      const shape = factors.length === 1 ? [] : this.eventShape;
      const noise = tf.mul(random.normal([n, ...this.eventShape]), tf.tensor(factors, [...shape], 'float32'));
      return enter(`${this.label}.sample`, noise, context, this.expected, (scaled, given) =>
        this.computeSample(scaled, given),
      );
    });
  }

  private get expected(): Expected {
    return { shape: this.eventShape, contextShape: this.contextShape };
  }
}
