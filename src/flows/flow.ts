import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, partOf } from '../core/context';
import { ConfigError, complaint, DataError, FormatError, ShapeError } from '../core/errors';
import {
  deserializeModule,
  Module,
  registerModule,
  type SerializedModule,
  serializeModule,
} from '../core/module';
import { RandomStream } from '../core/random';
import { batchOf, checkBatch, checkInteger, type Shape, sameShape } from '../core/shapes';
import { type Distribution, StandardNormal } from '../distributions';
import { type Location, loadModule, saveModule } from '../io';
import type { Bijector, LatentSlice, Transformed } from '../layers';
import { type FitData, type FitOptions, fit, type History } from '../training';
import type { Batch, BijectiveLoss, Loss, Trainable } from '../training/trainable';
import { type Account, firstNonFinite, makeAccount } from './account';
import { summarize } from './summary';

/** What a pass may be conditioned on: a tensor [n, ...]; class-conditional flows also take class numbers. */
export type Context = ContextTensors | number | readonly number[] | Int32Array;

/** Options of {@link Flow}. */
export interface FlowOptions {
  /** Data to latent; it is owned from here on. */
  bijector: Bijector;
  /** Distribution of the latents; it is owned from here on. Default: standard normal. */
  base?: Distribution;
  /** Name in messages. Default 'flow'. */
  name?: string;
  /** Seed of sampling and noise. Default: another one each time. */
  seed?: number;
}

/** Options of passes that may be conditioned and may draw noise. */
export interface PassOptions {
  /** What the flow is conditioned on. Default: nothing. */
  context?: Context;
  /** Seed of the noise of this call alone. Default: the flow's own stream goes on. */
  seed?: number;
}

/** Options of `sample`. */
export interface SampleOptions extends PassOptions {
  /** Factor on the latents' standard deviation: one for all, or one per level. Default 1. */
  temperature?: number | readonly number[];
}

/** Options of `interpolate`. */
export interface InterpolateOptions extends PassOptions {
  /** Number of frames, both ends included. Default 8. */
  steps?: number;
  /** 'linear' mixes latents; 'spherical' keeps their length on the way (Shoemake 1985). Default 'linear'. */
  path?: 'linear' | 'spherical';
}

/**
 * A normalizing flow: a bijector and the distribution of its latents.
 *
 *     log p(x) = log p_base(f(x)) + log|det df/dx|
 *
 * Shapes: x [n, ...eventShape], z [n, ...latentShape], logProb [n] in nats.
 * Callers own what is returned; nothing else leaks.
 *
 * @throws ShapeError where bijector and base do not fit
 * @see Rezende and Mohamed, "Variational Inference with Normalizing Flows" (2015), arXiv:1505.05770
 * @example
 * const flow = new Flow({ bijector: new ActNorm({ inputShape: [2] }) });
 * flow.logProb(tf.zeros([1, 2])).print(); // [-1.8378770]
 */
export class Flow extends Module implements Trainable {
  static className = 'FlowFlow';
  readonly bijector: Bijector;
  readonly base: Distribution;
  protected readonly random: RandomStream;

  constructor(options: FlowOptions) {
    super(options.name ?? 'flow');
    this.bijector = this.addChild(options.bijector);
    this.base = this.addChild(
      options.base ?? new StandardNormal({ eventShape: options.bijector.outputShape }),
    );
    this.random = new RandomStream(options.seed);
    if (!sameShape(this.base.eventShape, this.bijector.outputShape)) {
      const expected = `a base over [${this.bijector.outputShape.join(', ')}], the bijector's output`;
      throw new ShapeError(complaint(this.label, expected, this.base.eventShape));
    }
  }

  /** Event shape of the data. */
  get eventShape(): Shape {
    return this.bijector.inputShape;
  }

  /** Event shape of the latents. */
  get latentShape(): Shape {
    return this.bijector.outputShape;
  }

  /** Which slice of z belongs to which level. */
  get latentLayout(): LatentSlice[] {
    return this.bijector.latentLayout;
  }

  /** Unit of the training loss. */
  get lossUnit(): string {
    return 'nats';
  }

  /**
   * Natural log of the density, in nats.
   *
   * @param x [n, ...eventShape]
   * @returns [n]
   * @throws ShapeError, DataError for values the flow cannot take
   * @example
   * const nats = flow.logProb(images, { seed: 1 }); // [n]
   */
  logProb(x: tf.Tensor, options: PassOptions = {}): tf.Tensor1D {
    this.checkData('logProb', x);
    return tf.tidy(() => {
      const context = this.toContext('logProb', options.context, x.shape[0]);
      const latent = this.bijector.forward(this.toModel(x, this.stream(options)), this.ofBijector(context));
      return this.logProbOf(latent, context);
    });
  }

  /**
   * Latents of data, exactly; `decode` undoes it.
   *
   * @param x [n, ...eventShape]
   * @returns z [n, ...latentShape]
   * @example
   * const z = flow.encode(images);
   */
  encode(x: tf.Tensor, options: { context?: Context } = {}): tf.Tensor {
    this.checkData('encode', x);
    return tf.tidy(() => {
      const context = this.toContext('encode', options.context, x.shape[0]);
      return this.bijector.forward(this.toModel(x), this.ofBijector(context)).value;
    });
  }

  /**
   * Data of latents.
   *
   * @param z [n, ...latentShape]
   * @returns x [n, ...eventShape]
   * @example
   * const same = flow.decode(flow.encode(images));
   */
  decode(z: tf.Tensor, options: { context?: Context } = {}): tf.Tensor {
    this.checkUsable('decode');
    checkBatch(`${this.label}.decode`, z, this.latentShape, 'Latents come from encode.');
    return tf.tidy(() => {
      const context = this.toContext('decode', options.context, z.shape[0]);
      return this.fromModel(this.bijector.inverse(z, this.ofBijector(context)).value);
    });
  }

  /**
   * n new events.
   *
   * @returns [n, ...eventShape]
   * @throws ConfigError for a negative temperature or a wrong number of them
   * @example
   * const images = glow.sample(4, { temperature: [0.7, 0.9], seed: 1 });
   */
  sample(n: number, options: SampleOptions = {}): tf.Tensor {
    this.checkUsable('sample');
    const temperature = this.temperatures(options.temperature ?? 1);
    return tf.tidy(() => {
      const context = this.toContext('sample', options.context, n);
      const ofBase = partOf(context, this.base.contextShape);
      const z = this.base.sample(n, { temperature, context: ofBase, random: this.stream(options) });
      return this.fromModel(this.bijector.inverse(z, this.ofBijector(context)).value);
    });
  }

  /**
   * Events on the way from one to another, through their latents.
   *
   * @param from one event, [1, ...eventShape] or [...eventShape]
   * @param to likewise
   * @returns [steps, ...eventShape], first and last frame are the two events
   * @example
   * const frames = glow.interpolate(tf.slice(images, 0, 1), tf.slice(images, 1, 1), { steps: 5, path: 'spherical' });
   * frames.shape; // [5, 8, 8, 1]
   */
  interpolate(from: tf.Tensor, to: tf.Tensor, options: InterpolateOptions = {}): tf.Tensor {
    const { steps = 8, path = 'linear', context } = options;
    checkInteger(`${this.label}.interpolate`, 'steps', steps, 2);
    return tf.tidy(() => {
      const one = (x: tf.Tensor) => (sameShape(x.shape, this.eventShape) ? tf.expandDims(x, 0) : x);
      const [a, b] = [one(from), one(to)].map((end) => {
        if (end.shape[0] !== 1) {
          throw new ShapeError(complaint(`${this.label}.interpolate`, 'one event at each end', end.shape));
        }
        return tf.reshape(this.encode(end, { context }), [1, -1]);
      });
      const [left, right] = path === 'linear' ? linearWeights(steps) : sphericalWeights(a, b, steps);
      const z = tf.add(tf.mul(left, a), tf.mul(right, b));
      return this.decode(tf.reshape(z, [steps, ...this.latentShape]), { context });
    });
  }

  /**
   * Where the log-likelihood of a batch comes from: per layer its log-det, its share of the bits per dimension,
   * its round-trip error, its smallest scale or condition number, and the first layer with a non-finite value.
   *
   * @example
   * console.log(String(flow.account(x)));
   */
  account(x: tf.Tensor, options: PassOptions = {}): Account {
    this.checkData('account', x);
    let account: Account | undefined;
    tf.tidy(() => {
      const context = this.toContext('account', options.context, x.shape[0]);
      account = makeAccount(this.bijector, this.base, this.toModel(x, this.stream(options)), context);
    });
    return account as unknown as Account;
  }

  /**
   * Prints the layers with their shapes and numbers of parameters.
   *
   * @example
   * flow.summary();
   */
  summary(print: (text: string) => void = console.log): void {
    this.checkUsable('summary');
    print(summarize(this));
  }

  /**
   * Trains the flow on its negative log-likelihood; see the function `fit` for data and options.
   *
   * @example
   * const history = await flow.fit(images, { epochs: 10, batchSize: 64, learningRate: 1e-3 });
   */
  fit(data: FitData, options?: FitOptions): Promise<History>;
  fit(...given: [data: FitData, options?: FitOptions]): Promise<History> {
    this.checkUsable('fit');
    // All of what came: `fit` refuses an argument too many.
    return fit(this, ...given);
  }

  /**
   * Saves the flow, structure and weights, to a tf.io handler or URL; `loadFlow` reads it.
   *
   * @param location `indexeddb://name`, `downloads://name`, ..., or in Node `file://folder` with tfjs-flows/node imported
   * @example
   * await flow.save('indexeddb://garments');
   * const copy = await loadFlow('indexeddb://garments');
   */
  save(location: Location): Promise<tf.io.SaveResult> {
    this.checkUsable('save');
    return saveModule(this, location);
  }

  /** Throws a ShapeError or DataError where a training batch cannot be this flow's data. */
  checkBatch(batch: Batch): void {
    this.checkData('fit', batch.x);
    tf.tidy(() => {
      this.toContext('fit', batch.context, batch.x.shape[0]);
    });
  }

  /** Data-dependent initialization from one batch. */
  initializeFrom(batch: Batch, random: RandomStream): void {
    tf.tidy(() => {
      const context = this.toContext('fit', batch.context, batch.x.shape[0]);
      this.bijector.initialize(this.toModel(batch.x, random), this.ofBijector(context));
    });
  }

  /** The training loss of a batch, in `lossUnit`; subclasses say what it is in `lossOf`. */
  loss(batch: Batch, random: RandomStream): Loss {
    const { bijector, x, context, lossOf } = this.lossParts(batch, random);
    return lossOf(bijector.forward(x, this.ofBijector(context)), context);
  }

  /** The loss taken apart for reversible gradients; undefined where a subclass has a `loss` of its own. */
  bijectiveLoss(batch: Batch, random: RandomStream): BijectiveLoss | undefined {
    return this.loss === Flow.prototype.loss ? this.lossParts(batch, random) : undefined;
  }

  /** Name of the first layer with a non-finite output on this batch. */
  locateNonFinite(batch: Batch, random: RandomStream): string | undefined {
    let found: string | undefined;
    tf.tidy(() => {
      const context = this.toContext('fit', batch.context, batch.x.shape[0]);
      found = firstNonFinite(this.bijector, this.toModel(batch.x, random), this.ofBijector(context));
    });
    return found;
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      bijector: serializeModule(this.bijector) as never,
      base: serializeModule(this.base) as never,
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const part = <M extends Module>(key: string) =>
      deserializeModule<M>(config[key] as unknown as SerializedModule);
    return new cls({ ...config, bijector: part<Bijector>('bijector'), base: part<Distribution>('base') });
  }

  /** Hook: data as the bijector takes it, with noise where a stream is given and noise is needed. */
  protected toModel(x: tf.Tensor, _random?: RandomStream): tf.Tensor {
    return x;
  }

  /** Hook: the bijector's data as the user gets it. */
  protected fromModel(x: tf.Tensor): tf.Tensor {
    return x;
  }

  /** Hook: throws where values cannot be this flow's data. */
  protected checkValues(where: string, x: tf.Tensor): void {
    if (!x.dataSync().every(Number.isFinite)) {
      const hint = 'Clean the data first: one such value would spoil every weight.';
      throw new DataError(complaint(where, 'finite data', 'NaN or infinity in it', hint));
    }
  }

  /** Hook: a context as the tensor that the layers take. */
  protected toContext(method: string, context: Context | undefined, _n: number): ContextTensors | undefined {
    if (context === undefined || context instanceof tf.Tensor) return context;
    if (isParts(context)) return context;
    throw new ConfigError(complaint(`${this.label}.${method}`, 'a context tensor [n, ...]', typeof context));
  }

  /** Hook: the training loss of latents; here the mean negative log-likelihood, in nats. */
  protected lossOf(latent: Transformed, context?: ContextTensors): Loss {
    return { loss: tf.neg(tf.mean(this.logProbOf(latent, context))) as tf.Scalar, metrics: {} };
  }

  /** log p of data by the bijector's result on them. */
  protected logProbOf({ value, logDet }: Transformed, context?: ContextTensors): tf.Tensor1D {
    return tf.add(this.base.logProb(value, partOf(context, this.base.contextShape)), logDet);
  }

  /** What of a context the bijector reads. */
  private ofBijector(context: ContextTensors | undefined): ContextTensors | undefined {
    return partOf(context, this.bijector.contextShape);
  }

  protected stream(options: PassOptions): RandomStream {
    return options.seed === undefined ? this.random : new RandomStream(options.seed);
  }

  private lossParts(batch: Batch, random: RandomStream): BijectiveLoss {
    const context = this.toContext('fit', batch.context, batch.x.shape[0]);
    const lossOf: BijectiveLoss['lossOf'] = (latent, given) => this.lossOf(latent, given);
    return { bijector: this.bijector, x: this.toModel(batch.x, random), context, lossOf };
  }

  private checkData(method: string, x: tf.Tensor): void {
    this.checkUsable(method);
    const where = `${this.label}.${method}`;
    if (x.shape[0] === 0) throw new DataError(complaint(where, batchOf(this.eventShape), 'an empty batch'));
    checkBatch(where, x, this.eventShape);
    this.checkValues(where, x);
  }

  /** One temperature, or one per value made of one per level. */
  private temperatures(given: number | readonly number[]): number | Float32Array {
    if (typeof given === 'number') return given;
    const layout = this.latentLayout;
    if (given.length !== layout.length) {
      throw new ConfigError(
        complaint(`${this.label}.sample`, `1 or ${layout.length} temperatures, one per level`, given.length),
      );
    }
    const perValue = new Float32Array(layout.reduce((sum, slice) => sum + slice.size, 0));
    for (const { level, offset, size } of layout) perValue.fill(given[level], offset, offset + size);
    return perValue;
  }
}

/** Whether a context is tensors by name. */
function isParts(context: Context): context is Readonly<Record<string, tf.Tensor>> {
  return typeof context === 'object' && Object.values(context).every((part) => part instanceof tf.Tensor);
}

function linearWeights(steps: number): [tf.Tensor, tf.Tensor] {
  const right = tf.reshape(tf.linspace(0, 1, steps), [steps, 1]);
  return [tf.sub(1, right), right];
}

/** sin((1 - t) angle) / sin(angle) and sin(t angle) / sin(angle); linear where the ends are nearly parallel. */
function sphericalWeights(a: tf.Tensor, b: tf.Tensor, steps: number): [tf.Tensor, tf.Tensor] {
  const [dot, lengthA, lengthB] = [tf.sum(tf.mul(a, b)), tf.norm(a), tf.norm(b)].map((x) => x.dataSync()[0]);
  const angle = Math.acos(Math.max(-1, Math.min(1, dot / (lengthA * lengthB))));
  if (!(Math.sin(angle) > 1e-6)) return linearWeights(steps);
  const [left, right] = linearWeights(steps);
  const weight = (part: tf.Tensor) => tf.div(tf.sin(tf.mul(part, angle)), Math.sin(angle));
  return [weight(left), weight(right)];
}

/**
 * Loads a flow that `save` wrote, of whatever class it was.
 *
 * @param location a tf.io handler or URL
 * @throws FormatError for a damaged or truncated file, one of another version, or one that holds no flow
 * @example
 * await glow.save('indexeddb://faces');
 * const copy = await loadFlow<Glow>('indexeddb://faces');
 */
export async function loadFlow<T extends Flow = Flow>(location: Location): Promise<T> {
  const loaded = await loadModule<Module>(location);
  if (loaded instanceof Flow) return loaded as T;
  loaded.dispose();
  throw new FormatError(
    complaint('loadFlow', 'a flow', `a ${loaded.label}`, 'loadModule reads other modules.'),
  );
}

registerModule(Flow);
