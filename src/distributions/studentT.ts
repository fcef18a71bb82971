import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { type Shape, sizeOf } from '../core/shapes';
import { sumPerExample } from '../core/tensors';
import { Distribution, type DistributionDraw } from './distribution';
import { HALF_LOG_TWO_PI } from './fusedNormal';
import { startValues } from './startValues';
import { expRatio, logGammaRatio, logOnePlusSquare } from './studentMath';

/** Options of {@link StudentT}. */
export interface StudentTOptions {
  /** Event shape, without the batch. */
  eventShape: Shape;
  /** Degrees of freedom, one for all values or one per value, at least 0.5: 1 is Cauchy's, many are nearly normal. Default 5. */
  degreesOfFreedom?: number | ArrayLike<number>;
  /** Locations, one per value, row-major. Default: zeros. */
  location?: ArrayLike<number>;
  /** Natural logs of the scales, one per value. Default: zeros. */
  logScale?: ArrayLike<number>;
  /** Whether location and log scale are learned. Default true. */
  trainable?: boolean;
  /** Whether the degrees of freedom are learned, too. Default false. */
  trainDegreesOfFreedom?: boolean;
  /** Name in the weight tree. Default 'base'. */
  name?: string;
}

/** Below this samples would leave float32. */
const LEAST_DEGREES = 0.5;

/**
 * Independent values with heavy tails: Student's t with nu degrees of freedom.
 *
 *     log p(z) = sum log Gamma((nu + 1) / 2) - log Gamma(nu / 2) - 1/2 log(nu pi) - logScale - (nu + 1) / 2 log(1 + t^2 / nu)
 *     t = (z - location) / exp(logScale)
 *
 * Shapes: z [n, ...eventShape]; logProb [n] in nats. Weights: location, logScale and logDegreesOfFreedom, each [...eventShape]. Samples are
 * differentiable by all of them. A flow whose layers are nearly linear far out keeps these tails, where a normal base has none.
 *
 * @throws ConfigError for a wrong number of anything or degrees of freedom below 0.5; DataError for NaN; ShapeError for other events
 * @see Jaini et al., "Tails of Lipschitz triangular flows" (2020), section 4, arXiv:1907.04481
 * @see Bailey, "Polar generation of random variates with the t-distribution" (1994), doi:10.1090/S0025-5718-1994-1203730-2 (samples)
 * @example
 * const base = new StudentT({ eventShape: [1], degreesOfFreedom: 1 });
 * base.logProb(tf.tensor2d([[0]])).print(); // [-1.1447299]
 */
export class StudentT extends Distribution {
  static className = 'FlowStudentT';
  private readonly trainable: boolean;
  private readonly trainDegreesOfFreedom: boolean;
  private readonly location: tf.Variable;
  private readonly logScale: tf.Variable;
  private readonly logDegreesOfFreedom: tf.Variable;

  constructor(options: StudentTOptions) {
    const where = 'StudentT';
    if (new.target === StudentT) {
      checkOptions(where, options, {
        eventShape: true,
        degreesOfFreedom: ['df', 'nu'],
        location: ['mean'],
        logScale: true,
        trainable: 'boolean',
        trainDegreesOfFreedom: 'boolean',
        name: true,
      });
    }
    const { eventShape, degreesOfFreedom = 5, trainable = true, trainDegreesOfFreedom = false } = options;
    const size = sizeOf(eventShape);
    const each =
      typeof degreesOfFreedom === 'number' ? new Float64Array(size).fill(degreesOfFreedom) : degreesOfFreedom;
    const degrees = startValues(where, 'degreesOfFreedom', each, size);
    const least = degrees.find((value) => value < LEAST_DEGREES);
    if (least !== undefined) {
      throw new ConfigError(complaint(where, `degreesOfFreedom of at least ${LEAST_DEGREES}`, least));
    }
    const location = startValues(where, 'location', options.location, size);
    const logScale = startValues(where, 'logScale', options.logScale, size);
    super(options.name ?? 'base', eventShape);
    this.trainable = trainable;
    this.trainDegreesOfFreedom = trainDegreesOfFreedom;
    const start = (name: string, values: Float32Array, trained: boolean) =>
      this.addWeight(name, tf.tensor(values, [...eventShape]), trained);
    this.location = start('location', location, trainable);
    this.logScale = start('logScale', logScale, trainable);
    this.logDegreesOfFreedom = start('logDegreesOfFreedom', degrees.map(Math.log), trainDegreesOfFreedom);
  }

  protected computeLogProb(z: tf.Tensor): tf.Tensor1D {
    const degrees = tf.exp(this.logDegreesOfFreedom);
    // With t^2 / nu = (t / sqrt(nu))^2 no square overflows.
    const logUnit = tf.add(this.logScale, tf.mul(this.logDegreesOfFreedom, 0.5));
    const inUnits = tf.mul(tf.sub(z, this.location), tf.exp(tf.neg(logUnit)));
    const tail = tf.mul(logOnePlusSquare(inUnits), tf.mul(tf.add(degrees, 1), 0.5));
    const constant = tf.sub(tf.sub(logGammaRatio(tf.mul(degrees, 0.5)), HALF_LOG_TWO_PI), this.logScale);
    return sumPerExample(tf.sub(constant, tail));
  }

  protected computeSample(n: number, { random }: DistributionDraw): tf.Tensor {
    const shape = [n, ...this.eventShape];
    const count = sizeOf(shape);
    const cosines = new Float32Array(count);
    const exponents = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      // A point of the unit disc: its direction, and twice the negative logarithm of its radius squared.
      let x: number;
      let square: number;
      do {
        x = 2 * random.uniformNumber() - 1;
        square = x ** 2 + (2 * random.uniformNumber() - 1) ** 2;
      } while (square >= 1 || square === 0);
      cosines[i] = x / Math.sqrt(square);
      exponents[i] = -2 * Math.log(square);
    }
    const squares = tf.tensor(exponents, shape);
    const degrees = tf.exp(this.logDegreesOfFreedom);
    // t = cos sqrt(nu (radius^(-4 / nu) - 1))
    const radius = tf.sqrt(tf.mul(squares, expRatio(tf.div(squares, degrees))));
    const standard = tf.mul(tf.tensor(cosines, shape), radius);
    return tf.add(tf.mul(standard, tf.exp(this.logScale)), this.location);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, trainable, trainDegreesOfFreedom } = this;
    return { name, eventShape: [...this.eventShape], trainable, trainDegreesOfFreedom };
  }
}

registerModule(StudentT);
