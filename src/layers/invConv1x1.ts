import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, NonFiniteError } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { isOwn } from '../core/overriding';
import { RandomStream } from '../core/random';
import { checkChoice, checkEventShape, sizeOf } from '../core/shapes';
import { linearChannels } from '../core/tensors';
import { capabilities } from '../engine/capabilities';
import {
  inverse,
  inverseGradient,
  inverseMatrix,
  type LuFactors,
  logAbsDet,
  lowerInverse,
  luDecompose,
  luProduct,
  Matrix,
  norm1,
  randomRotation,
  slogdet,
  toDevice,
} from '../linalg';
import { ActNorm } from './actnorm';
import {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Transformed,
} from './bijector';
import { fusedLuMatrix, hasFusedLuMatrix } from './fusedLuMatrix';
import {
  fusedScaledLinear,
  hasFusedScaledLinear,
  type MatrixOfWeights,
  matrixTensor,
} from './fusedScaledLinear';
import { addLogDets, repeatSum } from './logDets';

/** Options of {@link InvConv1x1}. */
export interface InvConv1x1Options extends BijectorOptions {
  /**
   * 'full' trains the matrix itself; its log-det is computed in float64 on the host, each step.
   * 'lu' trains P L (U + diag(s)); its log-det is a sum, with no read-back: the better choice on a GPU. Default 'full'.
   */
  parameterization?: 'full' | 'lu';
  /** Seed of the random rotation that it starts from. Default: another one each time. */
  seed?: number;
}

/**
 * Invertible 1x1 convolution: one square matrix applied to the channels at every position; on vectors, a linear map.
 *
 *     y = x W,    logDet = h * w * log|det W|,    W = P L (U + diag(sign * exp(logScale))) in the LU form
 *
 * Shapes: [n, h, w, c] or [n, d], W is [c, c]. logDet in nats. It starts as a random rotation (logDet 0).
 * log|det W| of a full matrix and W^-1 are computed in float64, so round trips lose only the rounding of the product. (On webgpu
 * the LU form is inverted by float32 ops, since a read there would wait for the device.)
 *
 * @throws ConfigError for a bad configuration; NonFiniteError, with the name of the layer, where training has
 * made W singular (the LU form then has a log-determinant of -Infinity until it is inverted)
 * @see Kingma and Dhariwal, "Glow" (2018), section 3.2, arXiv:1807.03039
 * @example
 * const rotate = new InvConv1x1({ inputShape: [4, 4, 12], parameterization: 'lu', seed: 1 });
 * const { value, logDet } = rotate.forward(tf.ones([2, 4, 4, 12]));
 */
export class InvConv1x1 extends Bijector {
  static className = 'FlowInvConv1x1';
  private readonly parameterization: 'full' | 'lu';
  private readonly kernel: Kernel;

  constructor(options: InvConv1x1Options) {
    if (new.target === InvConv1x1)
      checkOptions('InvConv1x1', options, {
        inputShape: true,
        name: true,
        parameterization: true,
        seed: true,
      });
    const { inputShape, parameterization = 'full' } = options;
    checkEventShape('InvConv1x1', inputShape, [1, 3]);
    checkChoice('InvConv1x1', 'parameterization', parameterization, ['full', 'lu']);
    super(options.name ?? 'invconv', inputShape);
    this.parameterization = parameterization;
    const rotation = randomRotation(inputShape[inputShape.length - 1], new RandomStream(options.seed));
    const add = (name: string, initial: tf.Tensor, trainable = true) =>
      this.addWeight(name, initial, trainable);
    const hold = (constant: tf.Tensor2D) => this.addConstant(constant);
    this.kernel = parameterization === 'full' ? fullKernel(rotation, add) : luKernel(rotation, add, hold);
  }

  protected computeForward(x: tf.Tensor): Transformed {
    return this.unlessSingular('forward', () => {
      const matrix = this.kernel.matrix();
      return { value: linearChannels(x, matrix), logDet: this.logDet(matrix, x.shape[0]) };
    });
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return this.unlessSingular('inverse', () => {
      const matrix = this.kernel.matrix();
      const value = linearChannels(y, this.kernel.inverse(matrix));
      return { value, logDet: tf.neg(this.logDet(matrix, y.shape[0])) as tf.Tensor1D };
    });
  }

  /** An actnorm before it is part of the linear map: y = ((x + offset) * exp(logScale)) W. */
  override absorb(before: Bijector): BothWays | undefined {
    if (!(before instanceof ActNorm) || !hasFusedScaledLinear(this.channels)) return undefined;
    const { ofWeights, inverseOfWeights } = this.kernel;
    const [matrix, inverted] = [ofWeights(), inverseOfWeights()];
    const plain = isPlain(this, InvConv1x1) && isPlain(before, ActNorm, 'fusedScale');
    if (matrix === undefined || !plain) return undefined;
    // What is disposed says so by itself.
    if (before.disposed || this.disposed) return undefined;
    const { offset, logScale } = before.fusedScale;
    const apart = (y: tf.Tensor) => {
      const after = this.inverse(y);
      const { value, logDet } = before.inverse(after.value);
      return { value, logDet: addLogDets([after.logDet, logDet]) };
    };
    return {
      forward: (x) =>
        this.unlessSingular('forward', () => fusedScaledLinear(x, { offset, logScale, matrix }, false)),
      inverse: (y) =>
        inverted === undefined
          ? apart(y)
          : this.unlessSingular('inverse', () =>
              fusedScaledLinear(y, { offset, logScale, matrix: inverted }, true),
            ),
    };
  }

  override conditioning(): Conditioning {
    const matrix = this.kernel.onHost();
    return this.unlessSingular('conditioning', () => ({
      conditionNumber: norm1(matrix) * norm1(inverse(matrix)),
    }));
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape], parameterization: this.parameterization };
  }

  /** What `compute` returns; a matrix that has no inverse is this layer's. */
  private unlessSingular<T>(method: string, compute: () => T): T {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const hint = 'A lower learningRate keeps it away from that; so does the LU form.';
      const received = `a singular one in '${this.name}'`;
      throw new NonFiniteError(
        complaint(`InvConv1x1.${method}`, 'an invertible matrix', received, hint),
        this.name,
      );
    }
  }

  private logDet(matrix: tf.Tensor2D, batch: number): tf.Tensor1D {
    return repeatSum([this.kernel.logDetTerms(matrix)], this.positions, batch);
  }

  private get channels(): number {
    return this.inputShape[this.inputShape.length - 1];
  }

  private get positions(): number {
    return sizeOf(this.inputShape) / this.channels;
  }
}

type AddWeight = (name: string, initial: tf.Tensor, trainable?: boolean) => tf.Variable;

/** How the matrix and its log-determinant come from the trained weights. */
interface Kernel {
  matrix(): tf.Tensor2D;
  /** The matrix in float64, from the weights themselves: tfjs keeps those on the host once they were read, so later inversions wait for no GPU. */
  onHost(): Matrix;
  /** For fused operations: the matrix and its inverse, undefined where the active backend cannot compute them so. */
  ofWeights(): MatrixOfWeights | undefined;
  inverseOfWeights(): MatrixOfWeights | undefined;
  /** W^-1, for the matrix as `matrix` gave it. */
  inverse(matrix: tf.Tensor2D): tf.Tensor2D;
  /** What adds up to log|det W|. */
  logDetTerms(matrix: tf.Tensor2D): tf.Tensor;
}

/** Whether both passes are those of the class, no hook of a subclass. */
function isPlain(layer: Bijector, owner: typeof ActNorm | typeof InvConv1x1, ...others: string[]): boolean {
  const own = isOwn(layer, owner, 'computeForward', 'computeInverse', ...others);
  return own && isOwn(layer, Bijector, 'forward', 'inverse');
}

/** W^-1 of W, which is inverted on the host. */
function inverted({ weights, compute }: MatrixOfWeights, onHost: () => Matrix): MatrixOfWeights {
  return {
    weights,
    compute() {
      const { logDet, gradient } = compute();
      const result = inverse(onHost());
      return {
        matrix: () => toDevice(result),
        logDet,
        gradient: (ofMatrix, ofLogDet) => gradient(inverseGradient(result, ofMatrix), ofLogDet),
      };
    },
  };
}

function fullKernel(rotation: Matrix, addWeight: AddWeight): Kernel {
  const kernel = addWeight('kernel', toDevice(rotation)) as unknown as tf.Tensor2D;
  const { rows, cols } = rotation;
  const onHost = () => new Matrix(Float64Array.from(kernel.dataSync()), rows, cols);
  const compute = () => {
    const values = onHost();
    const gradient = (ofMatrix: tf.Tensor2D, ofLogDet?: tf.Scalar) => {
      if (ofLogDet === undefined) return [ofMatrix];
      return [tf.add(ofMatrix, tf.mul(toDevice(inverse(values).transpose()), ofLogDet))];
    };
    return { matrix: () => kernel, logDet: () => finite(tf.scalar(slogdet(values).logAbsDet)), gradient };
  };
  const ofWeights: MatrixOfWeights = { weights: [kernel], compute };
  const where = () => (capabilities().readsAtOnce ? ofWeights : undefined);
  return {
    matrix: () => kernel,
    onHost,
    ofWeights: where,
    inverseOfWeights: () => where() && inverted(ofWeights, onHost),
    inverse: (matrix) => inverseMatrix(matrix, onHost),
    logDetTerms: (matrix) => finite(logAbsDet(matrix)),
  };
}

/** log|det W| as it was just computed on the host. @throws DataError where it is that of a singular matrix */
function finite(logDet: tf.Scalar): tf.Scalar {
  if (capabilities().readsAtOnce && logDet.dataSync()[0] === Number.NEGATIVE_INFINITY) {
    throw new DataError('InvConv1x1: the matrix is singular.');
  }
  return logDet;
}

function luKernel(
  rotation: Matrix,
  addWeight: AddWeight,
  hold: (constant: tf.Tensor2D) => tf.Tensor2D,
): Kernel {
  const n = rotation.rows;
  const { packed, pivots } = luDecompose(rotation);
  const build = (entry: (i: number, j: number) => number) =>
    tf.tensor2d(
      Float32Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n)),
      [n, n],
    );
  const diagonal = Array.from({ length: n }, (_, i) => packed.at(i, i));
  // Row i of P A is row pivots[i] of A, so A = P^T L U and the matrix that multiplies L is P^T.
  const permutation = addWeight(
    'permutation',
    build((i, j) => (pivots[j] === i ? 1 : 0)),
    false,
  );
  const signs = addWeight('sign', tf.tensor1d(diagonal.map(Math.sign)), false);
  const lower = addWeight(
    'lower',
    build((i, j) => (i > j ? packed.at(i, j) : 0)),
  );
  const upper = addWeight(
    'upper',
    build((i, j) => (i < j ? packed.at(i, j) : 0)),
  );
  const logScale = addWeight('logScale', tf.tensor1d(diagonal.map((entry) => Math.log(Math.abs(entry)))));
  const identity = hold(build((i, j) => (i === j ? 1 : 0)));
  const strictlyBelow = hold(build((i, j) => (i > j ? 1 : 0)));
  const strictlyAbove = hold(build((i, j) => (i < j ? 1 : 0)));
  const factors = (): LuFactors => {
    const [ones, below, above, sign, s] = [permutation, lower, upper, signs, logScale].map((w) =>
      w.dataSync(),
    );
    const rows = new Int32Array(n);
    for (let at = 0; at < n * n; at++) if (ones[at] === 1) rows[at % n] = Math.floor(at / n);
    const withScales = Float64Array.from(above);
    for (let i = 0; i < n; i++) withScales[i * n + i] = sign[i] * Math.exp(s[i]);
    return { rows, lower: below, upper: withScales };
  };
  const onHost = () => luProduct(factors());
  const ofWeights = fusedLuMatrix({ permutation, lower, upper, sign: signs, logScale });
  const order = permutation as unknown as tf.Tensor2D;
  const left = (): tf.Tensor2D => tf.add(tf.mul(lower, strictlyBelow), identity);
  const right = (): tf.Tensor2D => {
    const scales = tf.mul(identity, tf.mul(signs, tf.exp(logScale)));
    return tf.add(tf.mul(upper, strictlyAbove), scales);
  };
  const composed = () => tf.matMul(order, tf.matMul(left(), right())) as tf.Tensor2D;
  /** W^-1 = (U + diag(s))^-1 L^-1 P^T, without reading a value. */
  const composedInverse = () => {
    const ofRight = tf.transpose(lowerInverse(tf.transpose(right()))) as tf.Tensor2D;
    return tf.matMul(tf.matMul(ofRight, lowerInverse(left())), order, false, true) as tf.Tensor2D;
  };
  const where = () => (hasFusedLuMatrix() ? ofWeights : undefined);
  return {
    matrix: () => (hasFusedLuMatrix() ? matrixTensor(ofWeights) : composed()),
    onHost,
    ofWeights: where,
    inverseOfWeights: () => (capabilities().readsAtOnce ? where() && inverted(ofWeights, onHost) : undefined),
    inverse: (matrix) => (capabilities().readsAtOnce ? inverseMatrix(matrix, onHost) : composedInverse()),
    logDetTerms: () => logScale,
  };
}

registerModule(InvConv1x1);
