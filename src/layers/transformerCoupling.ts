import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { largest, smallest } from '../core/lists';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { isOwn } from '../core/overriding';
import { firstChannels, joinChannels } from '../core/tensors';
import type { Conditioning, Reversed, Transformed } from './bijector';
import { Coupling, type CouplingOptions } from './coupling';
import { Elementwise } from './elementwise';
import { choiceOf, type Measure } from './measures';
import type { ReversePass } from './reversePass';
import { fusedSplinesOfAll, hasFusedSplinesOfAll } from './transformers/fusedTransformer';
import {
  checkTransformer,
  deserializeTransformer,
  type SerializedTransformer,
  serializeTransformer,
  type Transformer,
} from './transformers/transformer';

/** Options of {@link TransformerCoupling}. */
export interface TransformerCouplingOptions extends CouplingOptions {
  /** The map of the values that do not pass; the network reads its parameters in those that do. */
  transformer: Transformer;
  /** A map of the values that pass, with weights of the layer's own, once the network has read them. Default: none, they stay as they are. */
  passed?: Transformer;
}

/**
 * A coupling with any transformer: every value of the second part is mapped by parameters that a network reads in the first.
 *
 *     y2 = f(x2; network(x1)),   y1 = x1  or  g(x1; weights),   logDet = sum log f'(x2) + sum log g'(x1)
 *
 * Shapes: [n, h, w, c] or [n, d]; the network gives p numbers for each channel of the second part, one channel after another, with p the
 * transformer's `parameters`. logDet in nats.
 *
 * @throws ConfigError for odd channels without `passthrough`, where nothing or everything would pass, for a network of other shapes, or no transformer
 * @see Durkan et al., "Neural Spline Flows" (2019), sections 3.2 and 4.1, arXiv:1906.04032
 * @example
 * const coupling = new TransformerCoupling({
 *   inputShape: [3],
 *   passthrough: [true, false, true],
 *   transformer: new RationalQuadraticSpline({ bins: 4, bound: 3 }),
 *   network: ([d], [units]) => new MultilayerPerceptron({ inputShape: [d], units, seed: 1 }),
 * });
 * coupling.forward(tf.tensor2d([[0.5, 1, 2]])).value.print(); // [[0.5, 1, 2]]: the identity at the start
 */
export class TransformerCoupling extends Coupling {
  static className = 'FlowTransformerCoupling';
  private readonly transformer: Transformer;
  /** What maps the values that pass. */
  private readonly passed?: Elementwise;

  constructor(options: TransformerCouplingOptions) {
    const where = 'TransformerCoupling';
    if (new.target === TransformerCoupling) {
      checkOptions(where, options, {
        inputShape: true,
        name: true,
        network: true,
        passthrough: true,
        transformer: true,
        passed: true,
      });
    }
    const { transformer, passed } = options;
    checkTransformer(where, transformer);
    if (passed !== undefined) checkTransformer(where, passed);
    super(where, options, transformer.parameters);
    this.transformer = transformer;
    if (passed === undefined) return;
    const inputShape = [...this.inputShape.slice(0, -1), this.passthrough];
    this.passed = this.addChild(new Elementwise({ inputShape, transformer: passed, name: 'passed' }));
  }

  protected transform(part: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    return this.transformer.mapEvents(part, parameters, 0, inverse);
  }

  protected override couple(x: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    return isOwn(this, TransformerCoupling, 'transform') && isOwn(this, Coupling, 'split')
      ? this.transformer.mapEvents(x, parameters, this.passthrough, inverse)
      : super.couple(x, parameters, inverse);
  }

  /** What passes is mapped last on the way forward, and first on the way back: the network reads it as it is in x. */
  protected override pass(x: tf.Tensor, inverse: boolean, context?: ContextTensors): Transformed {
    const { passed } = this;
    if (passed === undefined) return super.pass(x, inverse, context);
    const fused = inverse ? undefined : this.splinesOfAll(passed);
    if (fused !== undefined) return fused(x, this.parametersIn(x, context));
    const first = inverse ? this.mapPassed(passed, x, true) : super.pass(x, false, context);
    const second = inverse
      ? super.pass(first.value, true, context)
      : this.mapPassed(passed, first.value, false);
    return { value: second.value, logDet: tf.add(first.logDet, second.logDet) };
  }

  protected override passBack(output: Reversed, pass: ReversePass, anchor?: tf.Tensor): Reversed {
    const { passed } = this;
    if (passed === undefined) return super.passBack(output, pass, anchor);
    const [after, changed] = this.split(output.value);
    const [gradientAfter, gradientOfChanged] = this.split(output.gradient);
    const kept = anchor === undefined ? passed.inverse(after).value : firstChannels(anchor, this.passthrough);
    const forward = () => passed.forward(kept);
    const gradient = pass.throughLayer(forward, gradientAfter, kept, passed.trainableWeights);
    const coupled = {
      value: joinChannels([kept, changed]),
      gradient: joinChannels([gradient, gradientOfChanged]),
    };
    return super.passBack(coupled, pass, anchor);
  }

  protected override passFirst(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const value = super.passFirst(x, context);
    return this.passed === undefined ? value : this.mapPassed(this.passed, value, false).value;
  }

  protected override computeConditioning(x: tf.Tensor, context?: ContextTensors): Conditioning<Measure> {
    const [kept, changed] = this.split(this.inOrder(x));
    const parameters = this.transformer.perValue(changed, this.parametersOf(kept, context));
    const ofChanged = this.transformer.conditioning(changed, parameters);
    return this.passed === undefined ? ofChanged : worstOf([ofChanged, this.passed.measures(kept)]);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const config = { ...super.getConfig(), transformer: serializeTransformer(this.transformer) as never };
    return this.passed === undefined
      ? config
      : { ...config, passed: serializeTransformer(this.passed.transformer) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const revived = { ...config, transformer: deserializeTransformer(config.transformer as never) };
    const passed = config.passed as unknown as SerializedTransformer | undefined;
    return super.fromConfig(cls, {
      ...revived,
      ...(passed && { passed: deserializeTransformer(passed) }),
    } as never) as T;
  }

  /** The way forward of all values by one operation, where the active backend has it. */
  private splinesOfAll({ transformer, parameters }: Elementwise) {
    const form = this.transformer.fused;
    const isOurs = isOwn(this, TransformerCoupling, 'transform', 'couple') && isOwn(this, Coupling, 'split');
    if (!isOurs || parameters === undefined || !hasFusedSplinesOfAll(form, transformer.fused))
      return undefined;
    return (x: tf.Tensor, steering: tf.Tensor) =>
      fusedSplinesOfAll(form, x, steering, parameters, this.passthrough);
  }

  private mapPassed(passed: Elementwise, x: tf.Tensor, inverse: boolean): Transformed {
    const [kept, changed] = this.split(x);
    const { value, logDet } = inverse ? passed.inverse(kept) : passed.forward(kept);
    return { value: joinChannels([value, changed]), logDet };
  }
}

/** Of each measure the worst. */
function worstOf(parts: readonly Conditioning<Measure>[]): Conditioning<Measure> {
  const given = (name: keyof Conditioning) => parts.flatMap((part) => part[name] ?? []);
  const residuals = given('inverseResidual');
  return {
    smallestScale: choiceOf(given('smallestScale'), smallest),
    ...(residuals.length > 0 && { inverseResidual: choiceOf(residuals, largest) }),
  };
}

registerModule(TransformerCoupling);
