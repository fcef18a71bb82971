import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { RandomStream } from '../core/random';
import { checkChoice, checkEventShape, sizeOf } from '../core/shapes';
import { linearChannels } from '../core/tensors';
import { luDecompose, type Matrix, randomRotation } from '../linalg';
import {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Transformed,
} from './bijector';
import { absorbActNorm } from './linearForms/absorbActNorm';
import { fullForm } from './linearForms/fullForm';
import {
  type AddWeight,
  conditioningOf,
  type Hold,
  type LinearForm,
  unlessSingular,
} from './linearForms/linearForm';
import { luForm, squareOf } from './linearForms/luForm';
import { repeatSum } from './logDets';
import { type Measure, readMeasures } from './measures';

/** Options of {@link InvConv1x1}. */
export interface InvConv1x1Options extends BijectorOptions {
  /**
   * 'full' trains the matrix itself; its log-det is computed each step, in float64 on the host (on webgpu in float32 on the device).
   * 'lu' trains P L (U + diag(s)); its log-det is a sum: the better choice on a GPU. Default 'full'.
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
 * both are computed in float32, since a read there would wait for the device; a singular W then gives values that are not finite.)
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
  private readonly form: LinearForm;

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
    this.form = parameterization === 'full' ? fullForm(rotation, add) : luOfRotation(rotation, add, hold);
  }

  protected computeForward(x: tf.Tensor): Transformed {
    return this.guard('forward', () => {
      const matrix = this.form.matrix();
      return { value: linearChannels(x, matrix), logDet: this.logDet(matrix, x.shape[0]) };
    });
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return this.guard('inverse', () => {
      const matrix = this.form.matrix();
      const value = linearChannels(y, this.form.inverse(matrix));
      return { value, logDet: tf.neg(this.logDet(matrix, y.shape[0])) as tf.Tensor1D };
    });
  }

  /** An actnorm before it is part of the linear map: y = ((x + offset) * exp(logScale)) W. */
  override absorb(before: Bijector): BothWays | undefined {
    const { form, channels } = this;
    const guard = <T>(method: string, compute: () => T) => this.guard(method, compute);
    return absorbActNorm(before, { layer: this, owner: InvConv1x1, channels, form, guard });
  }

  override async conditioning(): Promise<Conditioning> {
    this.checkUsable('conditioning');
    return readMeasures(() => this.computeConditioning());
  }

  protected override computeConditioning(): Conditioning<Measure> {
    return conditioningOf(this.form, (compute) => this.guard('conditioning', compute));
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, inputShape: [...this.inputShape], parameterization: this.parameterization };
  }

  private guard<T>(method: string, compute: () => T): T {
    const hint = 'A lower learningRate keeps it away from that; so does the LU form.';
    return unlessSingular(this, method, hint, compute);
  }

  private logDet(matrix: tf.Tensor2D, batch: number): tf.Tensor1D {
    return repeatSum(this.form.logDetTerms(matrix), this.positions, batch);
  }

  private get channels(): number {
    return this.inputShape[this.inputShape.length - 1];
  }

  private get positions(): number {
    return sizeOf(this.inputShape) / this.channels;
  }
}

/** The factors of a random rotation as weights: W = P L (U + diag(sign * exp(logScale))). */
function luOfRotation(rotation: Matrix, addWeight: AddWeight, hold: Hold): LinearForm {
  const n = rotation.rows;
  const { packed, pivots } = luDecompose(rotation);
  const diagonal = Array.from({ length: n }, (_, i) => packed.at(i, i));
  const square = (name: string, entry: (i: number, j: number) => number, trainable = true) =>
    addWeight(name, squareOf(n, entry), trainable);
  const list = (name: string, values: number[], trainable = true) =>
    addWeight(name, tf.tensor1d(values), trainable);
  // Row i of P A is row pivots[i] of A, so A = P^T L U and the matrix that multiplies L is P^T.
  const permutation = square('permutation', (i, j) => Number(pivots[j] === i), false);
  const sign = list('sign', diagonal.map(Math.sign), false);
  const lower = square('lower', (i, j) => (i > j ? packed.at(i, j) : 0));
  const upper = square('upper', (i, j) => (i < j ? packed.at(i, j) : 0));
  const logScale = list(
    'logScale',
    diagonal.map((entry) => Math.log(Math.abs(entry))),
  );
  return luForm({ permutation, lower, upper, sign, logScale }, hold);
}

registerModule(InvConv1x1);
