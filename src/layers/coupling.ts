import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, flatContext, partOf } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { isOwn } from '../core/overriding';
import { checkChoice, checkEventShape, type Shape } from '../core/shapes';
import {
  firstChannels,
  joinChannels,
  splitChannels,
  sumPerExample,
  untaped,
  zeroLogDet,
} from '../core/tensors';
import { gradientsOf, tapeOf } from '../engine/gradients';
import { hasPassesOf, orderOf } from './absorbPermutation';
import {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Reversed,
  type Transformed,
} from './bijector';
import { ChannelOrder } from './channelOrder';
import {
  fusedAffineCoupling,
  fusedNetworkCoupling,
  fusedPerceptronCoupling,
  hasFusedAffineCoupling,
  hasFusedNetworkCoupling,
  hasFusedPerceptronCoupling,
  hasReverseNetworkCoupling,
  reverseNetworkCoupling,
} from './fusedCoupling';
import type { Measure } from './measures';
import { type Conditioner, type ConditionerBuilder, resolveConditioner } from './networks/conditioner';
import { weightsInRow } from './networks/fusedConvolutions';
import { fusedPerceptron, hasFusedPerceptron } from './networks/fusedPerceptron';
import { type ReversePass, scalarWith } from './reversePass';
import { logScaleOf, type ScaleMap, scaleMaps } from './scaleMaps';

/** Options of {@link AdditiveCoupling}, and the common ones of every coupling. */
export interface CouplingOptions extends BijectorOptions {
  /** The network that reads the first part, or a function that builds it for given shapes. It is owned from here on. */
  network: Conditioner | ConditionerBuilder;
  /**
   * Channels that pass unchanged and feed the network: how many of the first, or true for each that does. Default: half; needed where
   * the number of channels is odd.
   */
  passthrough?: number | readonly boolean[];
}

/** A pass, the order that channels are brought into before it, and the one that they are brought back from after it. */
export interface OrderedPass {
  inverse: boolean;
  before?: ChannelOrder;
  after?: ChannelOrder;
}

/** Options of {@link AffineCoupling}. */
export interface AffineCouplingOptions extends CouplingOptions {
  /** 'sigmoid': s = sigmoid(raw + 2), as published; 'exp': s = exp(2 tanh(raw / 2)). Default 'sigmoid'. */
  scale?: ScaleMap;
}

/**
 * A coupling: some channels, the first ones mostly, pass and steer; the others are transformed given what a network reads in them.
 *
 *     y1 = x1,    y2 = transform(x2, network(x1)),    logDet = that of transform in x2
 *
 * Shapes: [n, h, w, c] or [n, d]; the network maps the first part to `parametersPerChannel` values for each channel of the second.
 * A subclass writes `transform` alone: both directions, gradients, reversible gradients (with one pass of the network), contexts of the
 * network and files come from here. Weights of its own, made by `addWeight`, are trained like the network's.
 *
 * @throws ConfigError for odd channels without `passthrough`, where nothing or everything would pass, or for a network of other shapes
 * @see Dinh et al., "Density estimation using Real NVP" (2016), section 3.2, arXiv:1605.08803
 * @example
 * class ScalingCoupling extends Coupling {
 *   static className = 'MyScalingCoupling';
 *   constructor(options: CouplingOptions) {
 *     super('ScalingCoupling', options, 1);
 *   }
 *   protected transform(part: tf.Tensor, raw: tf.Tensor, inverse: boolean): Transformed {
 *     const logScale = inverse ? tf.neg(tf.tanh(raw)) : tf.tanh(raw);
 *     return { value: tf.mul(part, tf.exp(logScale)), logDet: sumPerExample(logScale) };
 *   }
 * }
 * const network: ConditionerBuilder = (inputShape, [units]) => new MultilayerPerceptron({ inputShape, units, seed: 1 });
 * new ScalingCoupling({ inputShape: [4], network }).forward(tf.ones([1, 4])).value.print(); // [[1, 1, 1, 1]]
 */
export abstract class Coupling extends Bijector {
  readonly network: Conditioner;
  /** How many channels pass; the hooks below get these first, the others behind them, whichever they are. */
  protected readonly passthrough: number;
  /** Brings the channels that pass to the front; undefined where they stand there. */
  private readonly order?: ChannelOrder;
  private readonly mask?: readonly boolean[];

  /**
   * @param kind name of the class in messages
   * @param parametersPerChannel values that the network gives for each channel that is transformed
   */
  constructor(kind: string, options: CouplingOptions, parametersPerChannel: number) {
    checkEventShape(kind, options.inputShape, [1, 3]);
    super(options.name ?? 'coupling', options.inputShape);
    const channels = options.inputShape[options.inputShape.length - 1];
    const { passthrough = halfOf(kind, channels, hintFor(channels)) } = options;
    this.passthrough = countOf(kind, passthrough, channels);
    if (typeof passthrough !== 'number' && passthrough.indexOf(false) < this.passthrough) {
      this.mask = [...passthrough];
      this.order = new ChannelOrder(passingFirst(passthrough));
    }
    const positions = options.inputShape.slice(0, -1);
    const input: Shape = [...positions, this.passthrough];
    const output: Shape = [...positions, parametersPerChannel * (channels - this.passthrough)];
    this.network = this.addChild(resolveConditioner(kind, options.network, input, output));
  }

  /**
   * Hook: the second part transformed, or turned back, by the network's parameters. It runs on a tape, inside `tf.tidy`.
   *
   * @param part [n, ..., channels that do not pass]
   * @param parameters [n, ..., parametersPerChannel * those channels], as the network returns them
   * @param inverse whether `part` is of the latent side
   * @returns value like `part`, and logDet [n] in nats of the direction that was asked for
   */
  protected abstract transform(part: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed;

  /** The whole event transformed, or turned back, by the network's parameters. */
  protected couple(x: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    const [kept, changed] = this.split(x);
    const { value, logDet } = this.transform(changed, parameters, inverse);
    return { value: joinChannels([kept, value]), logDet };
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.passInOrder(x, { inverse: false, before: this.order, after: this.order }, context);
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    return this.passInOrder(y, { inverse: true, before: this.order, after: this.order }, context);
  }

  /** A permutation before it becomes part of the order in which it reads its channels. */
  override absorb(permutation: Bijector): BothWays | undefined {
    const taken = orderOf(permutation);
    if (taken === undefined || this.disposed || !hasPassesOf(this, Coupling)) return undefined;
    const { order: own, contextShape } = this;
    const joined = own === undefined ? taken : taken.followedBy(own);
    return {
      contextShape,
      forward: (x, context) =>
        tf.tidy(() => this.passInOrder(x, { inverse: false, before: joined, after: own }, context)),
      inverse: (y, context) =>
        tf.tidy(() => this.passInOrder(y, { inverse: true, before: own, after: joined }, context)),
    };
  }

  /**
   * `pass` of channels that stand in another order, before and after it.
   * @internal
   */
  protected passInOrder(x: tf.Tensor, { inverse, before, after }: OrderedPass, context?: ContextTensors) {
    const { value, logDet } = this.pass(before?.apply(x) ?? x, inverse, context);
    return { value: after?.undo(value) ?? value, logDet };
  }

  protected override computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    const anchor = pass.takeAnchor(name);
    const after = { value: this.inOrder(output.value), gradient: this.inOrder(output.gradient) };
    const before = this.passBack(after, pass, anchor && this.inOrder(anchor));
    return { value: this.asGiven(before.value), gradient: this.asGiven(before.gradient) };
  }

  /**
   * A step of `reverse` from what `pass` returns to what it takes. The network runs once, on the tape, for the inverse and for the
   * gradients: input and output share what it reads.
   *
   * @param anchor what `pass` took, where it was kept
   */
  protected passBack(output: Reversed, pass: ReversePass, anchor?: tf.Tensor): Reversed {
    const kept = firstChannels(output.value, this.passthrough);
    const held: tf.Tensor[] = [];
    const ofNetwork = new Set(this.network.trainableWeights);
    const own = [...new Set(this.trainableWeights)].filter((weight) => !ofNetwork.has(weight));
    const throughNetwork = () => {
      const parameters = this.parametersOf(kept, pass.context);
      const value = anchor ?? untaped(() => this.couple(output.value, parameters, true).value);
      const coupled = () => pass.objective(this.couple(value, parameters, false), output.gradient);
      const { gradients } = gradientsOf(coupled, [value, parameters, ...own]);
      const [gradient = tf.zerosLike(value), ofParameters = tf.zerosLike(parameters), ...ofOwn] = gradients;
      for (const tensor of [value, gradient]) held.push(tf.keep(tf.clone(tensor)));
      pass.add(own, ofOwn);
      return scalarWith([parameters], [ofParameters]);
    };
    try {
      const ofKept = pass.differentiate(throughNetwork, kept, [...ofNetwork]);
      const [value, gradient] = held;
      const [direct, changed] = this.split(gradient);
      return { value: tf.clone(value), gradient: joinChannels([tf.add(direct, ofKept), changed]) };
    } finally {
      tf.dispose(held);
    }
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.asGiven(this.passFirst(this.inOrder(x), context));
  }

  /** Value of `pass` for the batch that initializes the network. */
  protected passFirst(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const [kept, changed] = this.split(x);
    const parameters = this.network.initialize(kept, partOf(context, this.network.contextShape));
    return joinChannels([kept, this.transform(changed, parameters, false).value]);
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      inputShape: [...this.inputShape],
      passthrough: this.mask === undefined ? this.passthrough : [...this.mask],
      network: serializeModule(this.network) as never,
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const network = deserializeModule<Conditioner>(config.network as unknown as SerializedModule);
    return new cls({ ...config, network });
  }

  /** The channels that pass first, the others behind them. */
  protected inOrder(x: tf.Tensor): tf.Tensor {
    return this.order === undefined ? x : this.order.apply(x);
  }

  private asGiven(x: tf.Tensor): tf.Tensor {
    return this.order === undefined ? x : this.order.undo(x);
  }

  /** The network, and what it steers. */
  protected pass(x: tf.Tensor, inverse: boolean, context?: ContextTensors): Transformed {
    return this.couple(x, this.parametersIn(x, context), inverse);
  }

  /**
   * What the network says of the part of an event that passes: a fused one reads it where it stands.
   * @internal
   */
  protected parametersIn(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const fused =
      hasFusedPerceptron() && isOwn(this, Coupling, 'parametersOf')
        ? this.network.fusedPerceptron
        : undefined;
    return fused === undefined
      ? this.parametersOf(firstChannels(x, this.passthrough), context)
      : fusedPerceptron(x, this.flatContext(context), fused);
  }

  /** What the network reads of the context, as it reads it. */
  protected flatContext(context: ContextTensors | undefined): tf.Tensor | undefined {
    return flatContext(partOf(context, this.network.contextShape));
  }

  /** What the network says of the part that passes. */
  protected parametersOf(kept: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.network.apply(kept, partOf(context, this.network.contextShape));
  }

  protected split(x: tf.Tensor): [tf.Tensor, tf.Tensor] {
    return splitChannels(x, this.passthrough);
  }
}

function hintFor(channels: number): string {
  return channels === 1
    ? 'One channel has no parts: use Elementwise, whose network reads the context.'
    : 'Squeeze images first, or say which channels pass with `passthrough`.';
}

/** Half the channels; odd numbers have none. */
export function halfOf(kind: string, channels: number, hint: string): number {
  if (channels % 2 !== 0) {
    throw new ConfigError(complaint(kind, 'an even number of channels', channels, hint));
  }
  return channels / 2;
}

/** How many channels pass, of which there must be some on either side. */
function countOf(kind: string, passthrough: number | readonly boolean[], channels: number): number {
  const isMask = Array.isArray(passthrough);
  const count = isMask ? passthrough.filter((passes) => passes === true).length : (passthrough as number);
  const fits =
    !isMask || (passthrough.length === channels && passthrough.every((p) => typeof p === 'boolean'));
  if (fits && Number.isInteger(count) && count >= 1 && count < channels) return count;
  const expected = `passthrough to be 1 .. ${channels - 1} channels, or ${channels} booleans of both kinds`;
  throw new ConfigError(complaint(kind, expected, passthrough));
}

/** The numbers of the channels that pass, then those of the others. */
function passingFirst(mask: readonly boolean[]): Int32Array {
  const channelsWhere = (passing: boolean) => mask.flatMap((passes, i) => (passes === passing ? [i] : []));
  return Int32Array.from([...channelsWhere(true), ...channelsWhere(false)]);
}

/**
 * Affine coupling: the second part is shifted and scaled by what a network reads in the first.
 *
 *     y1 = x1,  [shift | raw] = network(x1),  y2 = (x2 + shift) * s,  logDet = sum log s,
 *     s = sigmoid(raw + 2)  or  exp(2 tanh(raw / 2))
 *
 * Shapes: [n, h, w, c] or [n, d]; the network maps the first part to twice the second part's channels. logDet in nats.
 *
 * @throws ConfigError for odd channels without `passthrough` or a network of other shapes
 * @see Dinh et al., "Real NVP" (2016), section 3.2, arXiv:1605.08803; Kingma and Dhariwal (2018), arXiv:1807.03039
 * @example
 * const coupling = new AffineCoupling({
 *   inputShape: [2],
 *   network: ([d], [units]) => new MultilayerPerceptron({ inputShape: [d], units, seed: 1 }),
 * });
 */
export class AffineCoupling extends Coupling {
  static className = 'FlowAffineCoupling';
  private readonly scale: ScaleMap;

  constructor(options: AffineCouplingOptions) {
    if (new.target === AffineCoupling)
      checkOptions('AffineCoupling', options, {
        inputShape: true,
        name: true,
        network: true,
        passthrough: true,
        scale: true,
      });
    const { scale = 'sigmoid' } = options;
    checkChoice('AffineCoupling', 'scale', scale, scaleMaps);
    super('AffineCoupling', options, 2);
    this.scale = scale;
  }

  protected transform(part: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    const [shift, raw] = splitChannels(parameters, part.shape[part.rank - 1]);
    const logScale = logScaleOf(raw, this.scale);
    if (inverse) {
      const value = tf.sub(tf.mul(part, tf.exp(tf.neg(logScale))), shift);
      return { value, logDet: tf.neg(sumPerExample(logScale)) as tf.Tensor1D };
    }
    return { value: tf.mul(tf.add(part, shift), tf.exp(logScale)), logDet: sumPerExample(logScale) };
  }

  protected override pass(x: tf.Tensor, inverse: boolean, context?: ContextTensors): Transformed {
    const layers = hasFusedNetworkCoupling() && this.fuses() ? this.network.fusedLayers : undefined;
    return layers === undefined
      ? super.pass(x, inverse, context)
      : fusedNetworkCoupling(x, layers, { kept: this.passthrough, scale: this.scale, inverse });
  }

  /** @internal */
  protected override passInOrder(x: tf.Tensor, way: OrderedPass, context?: ContextTensors): Transformed {
    const fuses = hasFusedPerceptronCoupling() && this.fuses() && isOwn(this, AffineCoupling, 'pass');
    const perceptron = fuses ? this.network.fusedPerceptron : undefined;
    if (perceptron === undefined) return super.passInOrder(x, way, context);
    const options = { ...way, kept: this.passthrough, scale: this.scale };
    return fusedPerceptronCoupling(x, this.flatContext(context), perceptron, options);
  }

  protected override passBack(output: Reversed, pass: ReversePass, anchor?: tf.Tensor): Reversed {
    const { passthrough: kept, scale, network } = this;
    const fuses = hasReverseNetworkCoupling() && this.fuses() && isOwn(this, AffineCoupling, 'pass');
    // An anchor is the input already.
    if (!fuses || anchor !== undefined) return super.passBack(output, pass, anchor);
    // On a tape, since offsets may be sums of weights.
    const { results: row, pullBack } = tapeOf(() => {
      const { fusedLayers } = network;
      return fusedLayers && { ...weightsInRow(fusedLayers) };
    });
    if (row === undefined) return super.passBack(output, pass);
    const { ofWeights, ...before } = reverseNetworkCoupling(output, pass.logDetGradient, row, {
      kept,
      scale,
    });
    const trained = [...new Set(network.trainableWeights)];
    pass.add(trained, pullBack(row.weights, ofWeights, trained));
    return before;
  }

  protected override couple(x: tf.Tensor, parameters: tf.Tensor, inverse: boolean): Transformed {
    const { passthrough: kept, scale } = this;
    return hasFusedAffineCoupling() && this.couplesAsOurs()
      ? fusedAffineCoupling(x, parameters, { kept, scale, inverse })
      : super.couple(x, parameters, inverse);
  }

  /** Whether no hook was replaced that a coupling and its network in one kernel stand for. */
  private fuses(): boolean {
    return this.couplesAsOurs() && isOwn(this, AffineCoupling, 'couple');
  }

  /** Whether no hook that the fused coupling stands for was replaced. */
  private couplesAsOurs(): boolean {
    return isOwn(this, AffineCoupling, 'transform') && isOwn(this, Coupling, 'split', 'parametersOf');
  }

  protected override computeConditioning(x: tf.Tensor, context?: ContextTensors): Conditioning<Measure> {
    const [kept, changed] = this.split(this.inOrder(x));
    const [, raw] = splitChannels(this.parametersOf(kept, context), changed.shape[changed.rank - 1]);
    return { smallestScale: tf.exp(tf.min(logScaleOf(raw, this.scale))) };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), scale: this.scale };
  }
}

/**
 * Additive coupling: the second part is shifted by what a network reads in the first; volume is kept.
 *
 *     y1 = x1,  y2 = x2 + network(x1),  logDet = 0
 *
 * Shapes: [n, h, w, c] or [n, d]; the network maps the first part to the second part's channels.
 *
 * @throws ConfigError for odd channels without `passthrough` or a network of other shapes
 * @see Dinh et al., "NICE" (2014), section 3.2, arXiv:1410.8516
 * @example
 * const coupling = new AdditiveCoupling({
 *   inputShape: [8, 8, 12],
 *   network: (inputShape, [, , filters]) => new ConvolutionNetwork({ inputShape, filters, hiddenChannels: 32, seed: 1 }),
 * });
 */
export class AdditiveCoupling extends Coupling {
  static className = 'FlowAdditiveCoupling';

  constructor(options: CouplingOptions) {
    if (new.target === AdditiveCoupling) {
      checkOptions('AdditiveCoupling', options, {
        inputShape: true,
        name: true,
        network: true,
        passthrough: true,
      });
    }
    super('AdditiveCoupling', options, 1);
  }

  protected transform(part: tf.Tensor, shift: tf.Tensor, inverse: boolean): Transformed {
    return { value: inverse ? tf.sub(part, shift) : tf.add(part, shift), logDet: zeroLogDet(part.shape[0]) };
  }
}

registerModule(AffineCoupling);
registerModule(AdditiveCoupling);
