import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { RandomStream } from '../core/random';
import { checkChoice, checkEventShape, checkInteger } from '../core/shapes';
import { absorbPermutation, hasPassesOf } from './absorbPermutation';
import {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Transformed,
} from './bijector';
import type { ChannelOrder } from './channelOrder';
import { fusedLuLinear, hasFusedLuLinear, type LuLinearWeights } from './fusedLuLinear';
import { absorbActNorm } from './linearForms/absorbActNorm';
import { householderForm } from './linearForms/householderForm';
import { conditioningOf, type LinearForm, transposed, unlessSingular } from './linearForms/linearForm';
import { luForm, squareOf } from './linearForms/luForm';
import { rotationForm } from './linearForms/rotationForm';
import { repeatSum } from './logDets';
import { type Measure, readMeasures } from './measures';

/** Options of {@link Linear}. */
export interface LinearOptions extends BijectorOptions {
  /**
   * 'lu' is L U, L lower with ones on its diagonal, U upper with a positive one: it turns, shears and scales. 'householder' is a product
   * of reflections and 'rotation' a rotation, which keep lengths. Default 'lu'.
   */
  form?: 'lu' | 'householder' | 'rotation';
  /** Whether a bias is added. Default true. */
  bias?: boolean;
  /** Number of reflections of 'householder'. Default: d, or d + 1 where d is odd, which reaches every rotation. */
  reflections?: number;
  /** Seed of the vectors that 'householder' reflects along. Default: another one each time. */
  seed?: number;
}

/**
 * A trained linear map of vectors, whose log-determinant costs nothing.
 *
 *     y = W x + b,   logDet = log|det W|
 *     'lu'           W = L U, L unit lower, U upper with exp(logScale) on its diagonal;   logDet = sum(logScale)
 *     'householder'  W = H_k ... H_1, H = I - 2 v v^T / |v|^2;   logDet = 0
 *     'rotation'     W = (I - A) (I + A)^-1, A skew: every rotation but those with half-turns;   logDet = 0
 *
 * Shapes: [n, d]. logDet in nats. It starts as the identity; an odd number of reflections starts as one reflection along a random
 * vector. The weight `triangles` of 'lu' is [d, d], with L below and U above its diagonal, and `logScale` is [d]. The inverse is computed in
 * float64, so round trips lose only the rounding of the product (on webgpu in float32, since a read there would wait for the
 * device).
 *
 * @throws ConfigError for a bad configuration; NonFiniteError, with the name of the layer, where training has made U singular
 * @see Oliva et al., "Transformation Autoregressive Networks" (2018), section 3.2, arXiv:1801.09819 (LU); Tomczak and Welling (2016), section 3, arXiv:1611.09630 (Householder)
 * @example
 * const mix = new Linear({ inputShape: [2] });
 * mix.forward(tf.tensor2d([[1, 2]])).value.print(); // [[1, 2]]
 */
export class Linear extends Bijector {
  static className = 'FlowLinear';
  private readonly kind: NonNullable<LinearOptions['form']>;
  private readonly reflections?: number;
  private readonly form: LinearForm;
  /** What a fused operation takes of 'lu'. */
  private readonly luWeights?: Omit<LuLinearWeights, 'bias'>;
  private readonly bias?: tf.Variable;

  constructor(options: LinearOptions) {
    if (new.target === Linear) {
      checkOptions('Linear', options, {
        inputShape: true,
        name: true,
        form: ['parameterization'],
        bias: 'boolean',
        reflections: true,
        seed: true,
      });
    }
    const { inputShape, form = 'lu', bias = true } = options;
    checkEventShape('Linear', inputShape, [1]);
    checkChoice('Linear', 'form', form, ['lu', 'householder', 'rotation']);
    const [size] = inputShape;
    const reflections = reflectionsOf(options, form, size);
    super(options.name ?? 'linear', inputShape);
    this.kind = form;
    this.reflections = reflections;
    if (form === 'lu') {
      const triangles = this.addWeight('triangles', tf.zeros([size, size]));
      this.luWeights = { triangles, logScale: this.addWeight('logScale', tf.zeros([size])) };
    }
    this.form = this.formOf(form, size, options.seed);
    if (bias) this.bias = this.addWeight('bias', tf.zeros([size]));
  }

  protected computeForward(x: tf.Tensor): Transformed {
    const fused = this.fused();
    if (fused !== undefined) return fused(x);
    const matrix = this.form.matrix();
    const value = tf.matMul(x as tf.Tensor2D, matrix, false, true);
    return { value: this.plusBias(value), logDet: this.logDet(matrix, x.shape[0]) };
  }

  protected computeInverse(y: tf.Tensor): Transformed {
    return this.guard('inverse', () => {
      const matrix = this.form.matrix();
      const value = tf.matMul(this.minusBias(y) as tf.Tensor2D, this.form.inverse(matrix), false, true);
      return { value, logDet: tf.neg(this.logDet(matrix, y.shape[0])) as tf.Tensor1D };
    });
  }

  /** A permutation before it goes along; an actnorm is part of the linear map: y = W ((x + offset) * exp(logScale)) + b. */
  override absorb(before: Bijector): BothWays | undefined {
    const inOrder = !this.disposed && hasPassesOf(this, Linear) ? this.fused() : undefined;
    const ordered = absorbPermutation(before, this, inOrder);
    if (ordered !== undefined) return ordered;
    const { ofWeights, inverseOfWeights } = this.form;
    const turned = (matrix: ReturnType<typeof ofWeights>) => matrix && transposed(matrix);
    const both = absorbActNorm(before, {
      layer: this,
      owner: Linear,
      channels: this.inputShape[0],
      form: { ofWeights: () => turned(ofWeights()), inverseOfWeights: () => turned(inverseOfWeights()) },
      guard: (method, compute) => this.guard(method, compute),
    });
    if (both === undefined) return undefined;
    const { bias } = this;
    const { reverse } = both;
    const withBias = (goBack: NonNullable<typeof reverse>): typeof reverse => {
      if (bias === undefined) return goBack;
      return ({ value, gradient }, pass, name) =>
        tf.tidy(() => {
          pass.add([bias], [tf.sum(gradient, 0)]);
          return { ...goBack({ value: tf.sub(value, bias), gradient }, pass, name) };
        });
    };
    return {
      forward: (x) => {
        const { value, logDet } = both.forward(x);
        return { value: this.plusBias(value), logDet };
      },
      inverse: (y) => both.inverse(this.minusBias(y)),
      ...(reverse && { reverse: withBias(reverse) }),
    };
  }

  override async conditioning(): Promise<Conditioning> {
    this.checkUsable('conditioning');
    return readMeasures(() => this.computeConditioning());
  }

  protected override computeConditioning(): Conditioning<Measure> {
    return conditioningOf(this.form, (compute) => this.guard('conditioning', compute));
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, inputShape, kind: form, bias, reflections } = this;
    const config = { name, inputShape: [...inputShape], form, bias: bias !== undefined };
    return reflections === undefined ? config : { ...config, reflections };
  }

  private formOf(form: NonNullable<LinearOptions['form']>, size: number, seed?: number): LinearForm {
    const add = (name: string, initial: tf.Tensor, trainable = true) =>
      this.addWeight(name, initial, trainable);
    const hold = (constant: tf.Tensor2D) => this.addConstant(constant);
    if (form === 'rotation') return rotationForm(size, add, hold);
    if (form === 'householder') {
      return householderForm(size, this.reflections as number, new RandomStream(seed), add, hold);
    }
    const { triangles, logScale } = this.luWeights as LuLinearWeights;
    const permutation = hold(squareOf(size, (i, j) => Number(i === j)));
    const sign = this.addConstant(tf.ones([size]));
    return luForm({ permutation, lower: triangles, upper: triangles, sign, logScale }, hold);
  }

  /** The way forward of values in an order as one operation, where the active backend has it. */
  private fused(): ((x: tf.Tensor, order?: ChannelOrder) => Transformed) | undefined {
    const { luWeights, bias } = this;
    if (luWeights === undefined || !hasFusedLuLinear(this.inputShape[0])) return undefined;
    return (x, order) => fusedLuLinear(x, { ...luWeights, bias }, order);
  }

  private plusBias(value: tf.Tensor): tf.Tensor {
    return this.bias === undefined ? value : tf.add(value, this.bias);
  }

  private minusBias(value: tf.Tensor): tf.Tensor {
    return this.bias === undefined ? value : tf.sub(value, this.bias);
  }

  private logDet(matrix: tf.Tensor2D, batch: number): tf.Tensor1D {
    return repeatSum(this.form.logDetTerms(matrix), 1, batch);
  }

  private guard<T>(method: string, compute: () => T): T {
    return unlessSingular(this, method, 'A lower learningRate keeps it away from that.', compute);
  }
}

function reflectionsOf(
  { reflections }: LinearOptions,
  form: LinearOptions['form'],
  size: number,
): number | undefined {
  if (form !== 'householder') {
    if (reflections === undefined) return undefined;
    throw new ConfigError(complaint('Linear', "reflections with form 'householder' alone", `form '${form}'`));
  }
  const count = reflections ?? 2 * Math.ceil(size / 2);
  checkInteger('Linear', 'reflections', count);
  return count;
}

registerModule(Linear);
