import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextShape,
  type ContextTensors,
  contextTensors,
  isNamed,
  partOf,
} from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { building, checkName, registerModule } from '../core/module';
import { checkOptions, type OptionNames } from '../core/options';
import { RandomStream } from '../core/random';
import { checkChoice, checkEventShape, checkInteger, type Shape } from '../core/shapes';
import {
  ActNorm,
  AdditiveCoupling,
  AffineCoupling,
  type Bijector,
  type BijectorBuilder,
  Chain,
  type ConditionerBuilder,
  ConvolutionNetwork,
  Dequantize,
  InvConv1x1,
  LearnedPrior,
  MultiScale,
  type Padding,
  Permutation,
  type Preprocessing,
  type PriorKind,
  type ScaleMap,
  Split,
  Squeeze,
  type Transformed,
} from '../layers';
import { Convolution } from '../layers/networks';
import type { Loss } from '../training/trainable';
import { Classifier } from './classifier';
import type { Context, ContextValue } from './context';
import { type Embed, embedOption } from './embedding';
import type { Events } from './events';
import { type GlowContext, LABELS, planContext } from './glowContext';
import { ImageFlow } from './imageFlow';
import { type ContextOptions, contextNames } from './options';

/** Options of {@link Glow}. */
export interface GlowOptions {
  /** [h, w, c]; height and width divisible by 2^levels. */
  imageShape: Shape;
  /** Scales L; every level halves height and width. Default 3. */
  levels?: number;
  /** Steps K of actnorm, permutation and coupling per level. Default 8; the paper uses 32. */
  stepsPerLevel?: number;
  /** Width of the coupling networks. Default 128; the paper uses 512. */
  hiddenChannels?: number;
  /** What mixes the channels between couplings. Default 'invconv'. */
  permutation?: 'invconv' | 'reverse' | 'shuffle';
  /** Whether a 1x1 convolution is LU-parameterized: no read-back, never singular by rounding. Default true. */
  lu?: boolean;
  /** Kind of coupling. Default 'affine'. */
  coupling?: 'affine' | 'additive';
  /** Scale map of affine couplings: 'sigmoid' as published, or 'exp' with a smooth clamp. Default 'sigmoid'. */
  scale?: ScaleMap;
  /** Actnorm inside the coupling networks; otherwise biases. Default true. */
  networkActnorm?: boolean;
  /** Padding of the coupling networks' 3x3 convolutions, first and last. Default 'zero'. */
  padding?: Padding;
  /** Padding of each network's last convolution and of the splits' priors. Default: as `padding`. */
  lastPadding?: Padding;
  /** Prior of the top level: false for N(0, 1), true for one mean and scale per channel, 'border' or 'spatial'. Default true. */
  learnTop?: boolean | Exclude<PriorKind, 'constant'>;
  /** Number of classes: conditions the top prior and adds a classifier head. Default 0: none. */
  classes?: number;
  /**
   * What the coupling networks read too: vectors, or images of the size of `imageShape`, which reach the networks of each level
   * averaged to its size; each a number of values or an event shape, or several by name. Beside `classes` it needs a name, and the
   * classes are the part `labels`. Default: nothing.
   */
  context?: ContextOption;
  /** Networks of the flow's own that the context goes through first, one or one per part by name. Default: none. */
  embed?: Embed;
  /** Whether an image may have several classes. Default false. */
  multiLabel?: boolean;
  /** Weight of the classifier's cross-entropy in the loss, both in bits. Default 0.01 (openai). */
  classWeight?: number;
  /** Bits per value: images are whole levels 0 .. 2^nBits - 1. Default 8. */
  nBits?: number;
  /** 'centered': to [-0.5, 0.5], as published; 'unit': to [0, 1] (chaiyujin); 'logit': to the whole line. Default 'centered'. */
  preprocessing?: Preprocessing;
  /** Name in messages. Default 'glow'. */
  name?: string;
  /** Seed of initial weights, sampling and noise. Default: another one each time. */
  seed?: number;
}

const DEFAULTS = {
  levels: 3,
  stepsPerLevel: 8,
  hiddenChannels: 128,
  permutation: 'invconv',
  lu: true,
  coupling: 'affine',
  scale: 'sigmoid',
  networkActnorm: true,
  padding: 'zero',
  learnTop: true,
  classes: 0,
  multiLabel: false,
  classWeight: 0.01,
  nBits: 8,
  preprocessing: 'centered',
  name: 'glow',
} as const;

type Free = 'seed' | 'context' | 'embed';
type ResolvedOptions = Required<Omit<GlowOptions, Free>> & Pick<GlowOptions, Free>;

/** The options of `Glow`, for those that read them from files. */
export const glowOptionNames: OptionNames<GlowOptions> = {
  imageShape: ['inputShape', 'shape'],
  levels: ['L', 'scales'],
  stepsPerLevel: ['K', 'steps', 'flows'],
  hiddenChannels: ['width', 'filters'],
  permutation: true,
  lu: ['boolean', 'luDecomposed'],
  coupling: true,
  scale: true,
  networkActnorm: ['boolean', 'actnorm'],
  padding: true,
  lastPadding: true,
  learnTop: true,
  classes: ['yClasses'],
  context: ['contextSize', 'condition'],
  embed: true,
  multiLabel: 'boolean',
  classWeight: ['weightY'],
  nBits: ['bits'],
  preprocessing: true,
  name: true,
  seed: true,
};

/**
 * Glow: a multi-scale flow of actnorm, invertible 1x1 convolution and coupling for images.
 *
 *     level:  squeeze, K x (actnorm, 1x1 convolution, coupling), then half the channels leave through a conditional prior
 *     z = standardized latents of all levels,  log p(x) = log N(z; 0, I) + sum of log-dets
 *
 * Shapes: images [n, h, w, c] of whole levels 0 .. 2^nBits - 1; z [n, h * w * c], laid out as `latentLayout` says.
 * `logProb` in nats, `bitsPerDim` and the training loss in bits per dimension. `decode(encode(x))` is x, exactly.
 * With classes, contexts are class numbers (one, or one per image) or labels [n, classes], as the part `labels` where there is
 * another context. The loss then is
 *
 *     bits/dim + classWeight * cross-entropy of the classifier head / ln 2
 *
 * @throws ConfigError for sizes not divisible by 2^levels and other bad or unknown options; DataError for values outside nBits
 * @see Kingma and Dhariwal, "Glow: Generative Flow with Invertible 1x1 Convolutions" (2018), arXiv:1807.03039
 * @example
 * const glow = new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 2, hiddenChannels: 16, nBits: 4, seed: 1 });
 * const images = glow.sample(4, { temperature: 0.7 });
 * const z = glow.encode(images);
 */
export class Glow extends ImageFlow {
  static override className = 'FlowGlow';
  /** The classifier head, where there are classes. */
  readonly classifier?: Classifier;
  private readonly options: ResolvedOptions;
  private readonly prior?: Bijector;

  constructor(options: GlowOptions) {
    if (new.target === Glow) checkOptions('Glow', options, glowOptionNames);
    const resolved = resolve(options);
    const { nBits, preprocessing, name } = resolved;
    const random = new RandomStream(resolved.seed);
    const { multiScale, prior, embed } = building(() => buildLevels(resolved, random));
    super({
      bijector: multiScale,
      nBits,
      preprocessing,
      embed: embed as Embed | undefined,
      name,
      seed: random.childSeed(),
    });
    this.options = resolved;
    this.prior = prior;
    if (resolved.classes > 0) {
      const { classes, multiLabel } = resolved;
      const [{ shape }] = this.latentLayout.slice(-1);
      this.classifier = this.addChild(
        new Classifier({ channels: shape[shape.length - 1], classes, multiLabel }),
      );
    }
  }

  /**
   * Class probabilities of images, from the classifier head.
   *
   * @param images [n, h, w, c]
   * @param options the context, where there is one beside the classes; without the part `labels`
   * @returns [n, classes], softmax or one sigmoid per class where images may have several
   * @throws ConfigError for a Glow without classes, ShapeError, DataError
   * @example
   * const withClasses = new Glow({ imageShape: [8, 8, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, classes: 3 });
   * withClasses.classify(tf.slice(images, 0, 2)).shape; // [2, 3]
   */
  classify(images: Events, options: ContextOptions = {}): tf.Tensor2D {
    const where = this.enter('classify', options, contextNames);
    const { classifier } = this;
    if (classifier === undefined) {
      throw new ConfigError(complaint(where, 'a Glow with classes', 'none', 'Build it with `classes`.'));
    }
    return tf.tidy(() => {
      // No label is known, and none is needed: the latents are read before the prior that depends on it.
      const withoutLabels = this.withLabels(where, options.context, tf.zeros([1, this.options.classes]));
      const { latent, context } = this.latentOf('classify', images, { context: withoutLabels }, 'middle');
      return classifier.probabilities(this.topLatents(latent.value, context));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { seed, embed: _, ...config } = this.options;
    const { embed } = super.getConfig();
    // Shuffled orders are no weights: the seed that drew them must be kept.
    const order = config.permutation === 'shuffle' ? { seed } : {};
    const networks = embed === undefined ? {} : { embed };
    const imageShape = [...config.imageShape];
    return { ...config, ...order, ...networks, imageShape } as tf.serialization.ConfigDict;
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls({ ...config, ...embedOption(config) });
  }

  /** Mean bits per dimension, and with classes the weighted cross-entropy of the classifier head. */
  protected override lossOf(latent: Transformed, context?: ContextTensors): Loss {
    const { classifier, prior } = this;
    const { loss: bitsPerDim, metrics } = super.lossOf(latent, context);
    if (classifier === undefined) return { loss: bitsPerDim, metrics };
    const [labels] = contextTensors(partOf(context, prior?.contextShape));
    const top = this.topLatents(latent.value, context);
    const bits = tf.div(classifier.crossEntropy(top, labels), Math.LN2) as tf.Scalar;
    return {
      loss: tf.add(bitsPerDim, tf.mul(bits, this.options.classWeight)) as tf.Scalar,
      metrics: { bitsPerDim, classBits: bits, accuracy: classifier.accuracy(top, labels) },
    };
  }

  /** A context that lacks the labels, with these. */
  private withLabels(where: string, context: Context | undefined, labels: tf.Tensor): Context {
    const { contextShape = {} } = this;
    if (isNamed(contextShape)) return { ...(context as Record<string, ContextValue>), [LABELS]: labels };
    if (context === undefined) return labels;
    const hint = 'It reads the classes from the images.';
    throw new ConfigError(complaint(where, 'no context', 'one', hint));
  }

  /** The top level's latents before its prior standardized them: they depend on no label. */
  private topLatents(z: tf.Tensor, context: ContextTensors | undefined): tf.Tensor {
    const { prior } = this;
    const [{ offset, size, shape }] = this.latentLayout.slice(-1);
    const top = tf.reshape(tf.slice(z, [0, offset], [-1, size]), [z.shape[0], ...shape]);
    return prior === undefined ? top : prior.inverse(top, partOf(context, prior.contextShape)).value;
  }
}

function resolve(options: GlowOptions): ResolvedOptions {
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved = { ...DEFAULTS, lastPadding: options.padding ?? 'zero', ...defined } as ResolvedOptions;
  const { imageShape, levels, classWeight, nBits, preprocessing } = resolved;
  if (resolved.permutation === 'shuffle') resolved.seed ??= new RandomStream().childSeed();
  checkEventShape('Glow', imageShape, [3]);
  for (const name of ['levels', 'stepsPerLevel', 'hiddenChannels'] as const) {
    checkInteger('Glow', name, resolved[name]);
  }
  checkInteger('Glow', 'classes', resolved.classes, 0);
  checkName('Glow', resolved.name);
  checkChoice('Glow', 'permutation', resolved.permutation, ['invconv', 'reverse', 'shuffle']);
  checkChoice('Glow', 'coupling', resolved.coupling, ['affine', 'additive']);
  checkChoice('Glow', 'learnTop', resolved.learnTop, [true, false, 'perChannel', 'border', 'spatial']);
  if (!(classWeight >= 0)) throw new ConfigError(complaint('Glow', 'classWeight >= 0', classWeight));
  const divisor = 2 ** levels;
  if (imageShape[0] % divisor !== 0 || imageShape[1] % divisor !== 0) {
    const hint = `Pad or crop the images to a multiple of ${divisor}, or use fewer levels.`;
    throw new ConfigError(
      complaint('Glow', `height and width divisible by 2^levels = ${divisor}`, imageShape, hint),
    );
  }
  // It checks its options before anything with weights is there.
  new Dequantize({ inputShape: imageShape, nBits, preprocessing });
  return resolved;
}

function buildLevels(
  options: ResolvedOptions,
  random: RandomStream,
): { multiScale: MultiScale; prior?: Bijector; embed?: unknown } {
  const context = planContext(options);
  let shape: Shape = options.imageShape;
  const levels: Bijector[] = [];
  for (let level = 0; level < options.levels; level++) {
    const last = level === options.levels - 1;
    const steps = Array.from({ length: options.stepsPerLevel }, (_, i) =>
      stepBuilder(options, random, `step${i}`, context.ofLevel(level)),
    );
    const end = last ? priorBuilders(options, context) : [splitBuilder(options)];
    const squeeze: BijectorBuilder = (inputShape) => new Squeeze({ inputShape });
    const built = Chain.from(shape, [squeeze, ...steps, ...end], `level${level}`);
    const [height, width, channels] = built.outputShape;
    shape = [height, width, channels / 2];
    levels.push(built);
  }
  const [prior] = (levels[levels.length - 1] as Chain).bijectors.filter(
    (member) => member instanceof LearnedPrior,
  );
  return { multiScale: new MultiScale({ levels }), prior, embed: context.embedding };
}

function stepBuilder(
  options: ResolvedOptions,
  random: RandomStream,
  name: string,
  context: ContextShape | undefined,
): BijectorBuilder {
  return (inputShape) =>
    Chain.from(
      inputShape,
      [
        (shape) => new ActNorm({ inputShape: shape }),
        (shape) => mixing(options, shape, random.childSeed()),
        (shape) => coupling(options, shape, random.childSeed(), context),
      ],
      name,
    );
}

function mixing({ permutation, lu }: ResolvedOptions, inputShape: Shape, seed: number): Bijector {
  if (permutation !== 'invconv') return new Permutation({ inputShape, order: permutation, seed });
  return new InvConv1x1({ inputShape, parameterization: lu ? 'lu' : 'full', seed });
}

function coupling(
  options: ResolvedOptions,
  inputShape: Shape,
  seed: number,
  context: ContextShape | undefined,
): Bijector {
  const { hiddenChannels, networkActnorm: actnorm, padding, lastPadding, scale } = options;
  const network: ConditionerBuilder = (input, [, , filters]) =>
    new ConvolutionNetwork({
      inputShape: input,
      filters,
      hiddenChannels,
      actnorm,
      padding,
      lastPadding,
      context,
      seed,
    });
  return options.coupling === 'affine'
    ? new AffineCoupling({ inputShape, network, scale })
    : new AdditiveCoupling({ inputShape, network });
}

function splitBuilder({ lastPadding: padding }: ResolvedOptions): BijectorBuilder {
  const network: ConditionerBuilder = (inputShape, [, , filters]) =>
    new Convolution({ inputShape, filters, initial: 'zero', padding, name: 'network' });
  return (inputShape) => new Split({ inputShape, network });
}

function priorBuilders(
  { learnTop, classes }: ResolvedOptions,
  { classes: named }: GlowContext,
): BijectorBuilder[] {
  if (learnTop === false && classes === 0) return [];
  const kind: PriorKind = learnTop === false ? 'constant' : learnTop === true ? 'perChannel' : learnTop;
  return [(inputShape) => new LearnedPrior({ inputShape, kind, classes: named })];
}

registerModule(Glow);
