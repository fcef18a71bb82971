import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, contextTensors } from '../core/context';
import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import { registerModule } from '../core/module';
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
import type { Context } from './flow';
import { ImageFlow } from './imageFlow';

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

type ResolvedOptions = Required<Omit<GlowOptions, 'seed'>> & Pick<GlowOptions, 'seed'>;

/**
 * Glow: a multi-scale flow of actnorm, invertible 1x1 convolution and coupling for images.
 *
 *     level:  squeeze, K x (actnorm, 1x1 convolution, coupling), then half the channels leave through a conditional prior
 *     z = standardized latents of all levels,  log p(x) = log N(z; 0, I) + sum of log-dets
 *
 * Shapes: images [n, h, w, c] of whole levels 0 .. 2^nBits - 1; z [n, h * w * c], laid out as `latentLayout` says.
 * `logProb` in nats, `bitsPerDim` and the training loss in bits per dimension. `decode(encode(x))` is x, exactly.
 * With classes, contexts are class numbers (one, or one per image) or labels [n, classes]. The loss then is
 *
 *     bits/dim + classWeight * cross-entropy of the classifier head / ln 2
 *
 * @throws ConfigError for sizes not divisible by 2^levels and other bad options; DataError for values outside nBits
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
    const resolved = resolve(options);
    const { nBits, preprocessing, name } = resolved;
    const random = new RandomStream(resolved.seed);
    const { multiScale, prior } = buildLevels(resolved, random);
    super({ bijector: multiScale, nBits, preprocessing, name, seed: random.childSeed() });
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
   * @returns [n, classes], softmax or one sigmoid per class where images may have several
   * @throws ConfigError for a Glow without classes
   * @example
   * const withClasses = new Glow({ imageShape: [8, 8, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, classes: 3 });
   * withClasses.classify(tf.slice(images, 0, 2)).shape; // [2, 3]
   */
  classify(images: tf.Tensor): tf.Tensor2D {
    const { classifier } = this;
    if (classifier === undefined) {
      throw new ConfigError(
        complaint('Glow.classify', 'a Glow with classes', 'none', 'Build it with `classes`.'),
      );
    }
    return tf.tidy(() => {
      const context = tf.zeros([images.shape[0], this.options.classes]);
      return classifier.probabilities(this.topLatents(this.encode(images, { context }), context));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { seed, ...config } = this.options;
    // Shuffled orders are no weights: the seed that drew them must be kept.
    const order = config.permutation === 'shuffle' ? { seed } : {};
    return { ...config, ...order, imageShape: [...config.imageShape] } as tf.serialization.ConfigDict;
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(config);
  }

  /** Mean bits per dimension, and with classes the weighted cross-entropy of the classifier head. */
  protected override lossOf(latent: Transformed, context?: ContextTensors): Loss {
    const { classifier } = this;
    const { loss: bitsPerDim, metrics } = super.lossOf(latent, context);
    const [labels] = contextTensors(context);
    if (classifier === undefined || labels === undefined) return { loss: bitsPerDim, metrics };
    const top = this.topLatents(latent.value, labels);
    const bits = tf.div(classifier.crossEntropy(top, labels), Math.LN2) as tf.Scalar;
    return {
      loss: tf.add(bitsPerDim, tf.mul(bits, this.options.classWeight)) as tf.Scalar,
      metrics: { bitsPerDim, classBits: bits, accuracy: classifier.accuracy(top, labels) },
    };
  }

  /** Class numbers, one for all or one per image, become one-hot labels. */
  protected override toContext(
    method: string,
    context: Context | undefined,
    n: number,
  ): tf.Tensor | undefined {
    if (this.options.classes > 0) return this.labels(method, context, n);
    if (context === undefined) return undefined;
    const hint = 'Build the Glow with `classes`.';
    throw new ConfigError(complaint(`Glow.${method}`, 'no context', 'one', hint));
  }

  /** Labels [n, classes] of any kind of context. */
  private labels(method: string, context: Context | undefined, n: number): tf.Tensor {
    const { classes } = this.options;
    const where = `Glow.${method}`;
    if (context === undefined) {
      const hint = 'Give class numbers or labels as `context`.';
      throw new ConfigError(complaint(where, `a class of 0 .. ${classes - 1}`, 'none', hint));
    }
    if (context instanceof tf.Tensor && context.rank === 2) {
      if (context.shape[0] === n && context.shape[1] === classes) return tf.cast(context, 'float32');
      throw new ShapeError(complaint(where, `labels [${n}, ${classes}]`, context.shape));
    }
    return this.oneHot(where, context, n);
  }

  private oneHot(where: string, context: Context, n: number): tf.Tensor {
    const { classes } = this.options;
    const given =
      typeof context === 'number'
        ? new Array<number>(n).fill(context)
        : Array.from(context instanceof tf.Tensor ? context.dataSync() : (context as readonly number[]));
    if (given.length !== n) throw new ShapeError(complaint(where, `${n} class numbers`, given.length));
    const bad = given.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
    if (bad !== undefined) throw new DataError(complaint(where, `classes 0 .. ${classes - 1}`, bad));
    return tf.cast(tf.oneHot(tf.tensor1d(given, 'int32'), classes), 'float32');
  }

  /** The top level's latents before its prior standardized them: they depend on no label. */
  private topLatents(z: tf.Tensor, labels: tf.Tensor): tf.Tensor {
    const [{ offset, size, shape }] = this.latentLayout.slice(-1);
    const top = tf.reshape(tf.slice(z, [0, offset], [-1, size]), [z.shape[0], ...shape]);
    return this.prior === undefined ? top : this.prior.inverse(top, labels).value;
  }
}

function resolve(options: GlowOptions): ResolvedOptions {
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved = { ...DEFAULTS, lastPadding: options.padding ?? 'zero', ...defined } as ResolvedOptions;
  const { imageShape, levels, classWeight } = resolved;
  if (resolved.permutation === 'shuffle') resolved.seed ??= new RandomStream().childSeed();
  checkEventShape('Glow', imageShape, [3]);
  for (const name of ['levels', 'stepsPerLevel', 'hiddenChannels'] as const) {
    checkInteger('Glow', name, resolved[name]);
  }
  checkInteger('Glow', 'classes', resolved.classes, 0);
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
  return resolved;
}

function buildLevels(
  options: ResolvedOptions,
  random: RandomStream,
): { multiScale: MultiScale; prior?: Bijector } {
  let shape: Shape = options.imageShape;
  const levels: Bijector[] = [];
  for (let level = 0; level < options.levels; level++) {
    const last = level === options.levels - 1;
    const steps = Array.from({ length: options.stepsPerLevel }, (_, i) =>
      stepBuilder(options, random, `step${i}`),
    );
    const end = last ? priorBuilders(options) : [splitBuilder(options)];
    const squeeze: BijectorBuilder = (inputShape) => new Squeeze({ inputShape });
    const built = Chain.from(shape, [squeeze, ...steps, ...end], `level${level}`);
    const [height, width, channels] = built.outputShape;
    shape = [height, width, channels / 2];
    levels.push(built);
  }
  const [prior] = (levels[levels.length - 1] as Chain).bijectors.filter(
    (member) => member instanceof LearnedPrior,
  );
  return { multiScale: new MultiScale({ levels }), prior };
}

function stepBuilder(options: ResolvedOptions, random: RandomStream, name: string): BijectorBuilder {
  return (inputShape) =>
    Chain.from(
      inputShape,
      [
        (shape) => new ActNorm({ inputShape: shape }),
        (shape) => mixing(options, shape, random.childSeed()),
        (shape) => coupling(options, shape, random.childSeed()),
      ],
      name,
    );
}

function mixing({ permutation, lu }: ResolvedOptions, inputShape: Shape, seed: number): Bijector {
  if (permutation !== 'invconv') return new Permutation({ inputShape, order: permutation, seed });
  return new InvConv1x1({ inputShape, parameterization: lu ? 'lu' : 'full', seed });
}

function coupling(options: ResolvedOptions, inputShape: Shape, seed: number): Bijector {
  const { hiddenChannels, networkActnorm: actnorm, padding, lastPadding, scale } = options;
  const network: ConditionerBuilder = (input, [, , filters]) =>
    new ConvolutionNetwork({
      inputShape: input,
      filters,
      hiddenChannels,
      actnorm,
      padding,
      lastPadding,
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

function priorBuilders({ learnTop, classes }: ResolvedOptions): BijectorBuilder[] {
  if (learnTop === false && classes === 0) return [];
  const kind: PriorKind = learnTop === false ? 'constant' : learnTop === true ? 'perChannel' : learnTop;
  return [(inputShape) => new LearnedPrior({ inputShape, kind, classes })];
}

registerModule(Glow);
