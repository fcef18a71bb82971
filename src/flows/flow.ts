import * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, mapContext, partOf } from '../core/context';
import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import {
  deserializeModule,
  Module,
  registerModule,
  type SerializedModule,
  serializeModule,
} from '../core/module';
import { allFinite } from '../core/numbers';
import { checkOptions, type OptionNames } from '../core/options';
import { isOwn } from '../core/overriding';
import { RandomStream } from '../core/random';
import { checkChoice, checkInteger, type Shape, sameShape } from '../core/shapes';
import { Table } from '../data';
import { type Distribution, StandardNormal } from '../distributions';
import { hostValues } from '../engine/hostValues';
import { type Location, saveModule } from '../io';
import type { Bijector, LatentSlice, Transformed } from '../layers';
import { type FitData, type FitOptions, fit, type History } from '../training';
import type { Batch, BijectiveLoss, Loss, Trainable } from '../training/trainable';
import { type Account, firstNonFinite, makeAccount } from './account';
import { type Context, ContextRows, repeatRows } from './context';
import { type Embed, Embedding, embedOption, throughEmbed } from './embedding';
import { type EventArray, type Events, readEvent, readEvents } from './events';
import { FINITE, onlyFitRows } from './fusedRowVerdicts';
import { ConditionedFlow, type FlowVerbs, type SampledWithLogProb } from './given';
import { linearWeights, sphericalWeights } from './latentPaths';
import {
  type ContextOptions,
  contextNames,
  type DecodeOptions,
  decodeNames,
  type InterpolateOptions,
  interpolateNames,
  type PassOptions,
  passNames,
  type SampleOptions,
  sampleNames,
  type TransformOptions,
  transformNames,
} from './options';
import { summarize } from './summary';
import { isOne, readTemperatures } from './temperatures';

/** Options of {@link Flow}. */
export interface FlowOptions {
  /** Data to latent; it is owned from here on. */
  bijector: Bijector;
  /** Distribution of the latents; it is owned from here on. Default: standard normal. */
  base?: Distribution;
  /**
   * Networks that the context goes through before the layers read it, one or one per part by name; they are owned, trained and saved
   * with the flow. `contextShape` is then what they read. Default: none.
   */
  embed?: Embed;
  /** Name in messages. Default 'flow'. */
  name?: string;
  /** Seed of sampling and noise. Default: another one each time. */
  seed?: number;
}

/**
 * A normalizing flow: a bijector and the distribution of its latents.
 *
 *     log p(x) = log p_base(f(x)) + log|det df/dx|
 *
 * Shapes: x [n, ...eventShape], z [n, ...latentShape], logProb [n] in nats. Events are tensors, nested arrays, typed arrays or
 * numbers with their shape. Where layers or base are conditioned, every method takes a `context` as `contextShape` says, and
 * `given` binds one. Callers own what is returned; nothing else leaks.
 *
 * @throws ShapeError where bijector and base do not fit; ConfigError where `embed` does not fit, or for unknown options
 * @see Rezende and Mohamed, "Variational Inference with Normalizing Flows" (2015), arXiv:1505.05770
 * @example
 * const flow = new Flow({ bijector: new ActNorm({ inputShape: [2] }) });
 * flow.logProb([[0, 0]]).print(); // [-1.8378770]
 */
export class Flow extends Module implements Trainable, FlowVerbs {
  static className = 'FlowFlow';
  readonly bijector: Bijector;
  readonly base: Distribution;
  protected readonly random: RandomStream;
  private readonly embedding?: Embedding;

  constructor(options: FlowOptions) {
    if (new.target === Flow) checkOptions('Flow', options, flowNames);
    const { bijector } = options;
    super(options.name ?? 'flow');
    this.bijector = this.addChild(bijector);
    this.base = this.addChild(options.base ?? new StandardNormal({ eventShape: bijector.outputShape }));
    this.random = new RandomStream(options.seed);
    if (!sameShape(this.base.eventShape, bijector.outputShape)) {
      const expected = `a base over [${bijector.outputShape.join(', ')}], the bijector's output`;
      throw new ShapeError(complaint(this.label, expected, this.base.eventShape));
    }
    const { embed } = options;
    if (embed instanceof Embedding) this.embedding = this.addChild(embed);
    else if (embed !== undefined) {
      const outer = throughEmbed(this.label, embed, super.contextShape, 'outputShape');
      this.embedding = this.addChild(new Embedding(embed, outer as ContextShape));
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

  /**
   * Whether latents are independent normal numbers after the base's own mean and deviation, as temperatures, paths between latents
   * and `encodeLabeled` assume; a mixture, a box or heavy tails are not.
   */
  get latentIsNormal(): boolean {
    return this.base.isNormal;
  }

  /** What the flow is conditioned on, as callers give it: an event shape, or one per part by name; undefined where on nothing. */
  override get contextShape(): ContextShape | undefined {
    return this.embedding?.outerShape ?? super.contextShape;
  }

  /** Unit of the training loss, for displays; a subclass with a loss of its own says its own. */
  get lossUnit(): string {
    return 'nats';
  }

  /**
   * Natural log of the density, in nats.
   *
   * @param x [n, ...eventShape]
   * @returns [n]; differentiable by x where that is a tensor and its values are continuous, and by the context
   * @throws ShapeError, DataError for values the flow cannot take; ConfigError for a missing or unwanted context
   * @example
   * const nats = flow.logProb(images, { seed: 1 }); // [n]
   */
  logProb(x: Events, options: PassOptions = {}): tf.Tensor1D {
    this.enter('logProb', options, passNames);
    return tf.tidy(() => {
      const { latent, context } = this.latentOf('logProb', x, options, 'noise');
      return this.logProbOf(latent, context);
    });
  }

  /**
   * Latents of data with the log-determinant of the map; `logProb` is the base's log-density of the value plus logDet.
   *
   *     z = f(x),  logDet = log|det df/dx|
   *
   * @param x [n, ...eventShape]; with `dequantize: 'none'` points of an image flow, as `decode` gives with `continuous`
   * @returns value [n, ...latentShape] and logDet [n] in nats; with image flows those of points in the bins, in level units
   * @throws ShapeError, DataError, ConfigError
   * @example
   * const { value, logDet } = flow.transform(images, { dequantize: 'middle' }); // value is flow.encode(images)
   */
  transform(x: Events, options: TransformOptions = {}): Transformed {
    this.enter('transform', options, transformNames);
    const { dequantize = 'noise' } = options;
    checkChoice(`${this.label}.transform`, 'dequantize', dequantize, ['noise', 'middle', 'none']);
    return tf.tidy(
      () => this.latentOf('transform', x, options, dequantize).latent as never,
    ) as unknown as Transformed;
  }

  /**
   * Latents of data, exactly; `decode` undoes it.
   *
   * @param x [n, ...eventShape]
   * @returns z [n, ...latentShape]
   * @throws ShapeError, DataError, ConfigError
   * @example
   * const z = flow.encode(images);
   */
  encode(x: Events, options: ContextOptions = {}): tf.Tensor {
    this.enter('encode', options, contextNames);
    return tf.tidy(() => this.latentOf('encode', x, options, 'middle').latent.value);
  }

  /**
   * Data of latents.
   *
   * @param z [n, ...latentShape]
   * @returns x [n, ...eventShape]; differentiable by z and the context where it is continuous
   * @throws ShapeError, DataError, ConfigError
   * @example
   * const same = flow.decode(flow.encode(images));
   * const points = flow.decode(flow.encode(images), { continuous: true }); // in the middle of each level: same + 0.5
   */
  decode(z: EventArray, options: DecodeOptions = {}): tf.Tensor {
    const where = this.enter('decode', options, decodeNames);
    return tf.tidy(() => {
      const latents = readEvents(where, z, this.latentShape, 'Latents come from encode.');
      const context = this.toContext('decode', options.context, latents.shape[0]);
      const { value } = this.bijector.inverse(latents, partOf(context, this.bijector.contextShape));
      return options.continuous ? value : this.fromModel(value);
    });
  }

  /**
   * n new events.
   *
   * @param n 0 or more
   * @returns [n, ...eventShape]
   * @throws ConfigError for a bad n, a negative temperature or a wrong number of them, and any but 1 where the base is not normal
   * @example
   * const images = glow.sample(4, { temperature: [0.7, 0.9], seed: 1 });
   */
  sample(n: number, options: SampleOptions = {}): tf.Tensor {
    this.enter('sample', options, sampleNames);
    return tf.tidy(() => this.draw('sample', n, options).value);
  }

  /**
   * n new events with the log-density of each, by the log-determinant of the pass that made them.
   *
   *     log p(x) = log p_base(z) - log|det df^-1/dz|
   *
   * The density is that of the flow itself, whatever the temperature the events were drawn with. For an image flow it is that of
   * the point in the bin: `continuous` gives that point, otherwise the value is the level that it is cut to.
   *
   * @returns value [n, ...eventShape], the events of `sample` for the same seed, and logProb [n] in nats
   * @throws ConfigError for a bad n, a negative temperature or a wrong number of them, and any but 1 where the base is not normal
   * @example
   * const { value, logProb } = flow.sampleWithLogProb(4, { temperature: 0.7, seed: 1 });
   */
  sampleWithLogProb(n: number, options: SampleOptions = {}): SampledWithLogProb {
    this.enter('sampleWithLogProb', options, sampleNames);
    return tf.tidy(() => {
      const { value, logProb } = this.draw('sampleWithLogProb', n, options);
      return { value, logProb: logProb() } as never;
    }) as unknown as SampledWithLogProb;
  }

  /**
   * Events on the way from one to another, through their latents, which are taken in units of the base's deviations from its mean.
   *
   * @param from one event, [1, ...eventShape] or [...eventShape]
   * @param to likewise
   * @returns [steps, ...eventShape], first and last frame are the two events
   * @throws ShapeError, DataError, ConfigError, also where the base is not normal
   * @example
   * const frames = glow.interpolate(tf.slice(images, 0, 1), tf.slice(images, 1, 1), { steps: 5, path: 'spherical' });
   * frames.shape; // [5, 8, 8, 1]
   */
  interpolate(from: Events, to: Events, options: InterpolateOptions = {}): tf.Tensor {
    const where = this.enter('interpolate', options, interpolateNames);
    const { steps = 8, path = 'linear' } = options;
    checkInteger(where, 'steps', steps, 2);
    checkChoice(where, 'path', path, ['linear', 'spherical']);
    this.requireNormalLatents(
      where,
      'Points between two latents may lie where the base has none: decode them one by one.',
    );
    return tf.tidy(() => {
      const rows = this.readContext(where, options.context);
      rows?.check(where, [1, 2, steps]);
      const flat = (event: Events, side: 'first' | 'last') => {
        const one = readEvent(where, this.asEvents(where, event), this.eventShape);
        const given = { context: asContext(rows?.end(side)) };
        const { latent, context } = this.latentOf('interpolate', one, given, 'middle');
        const standard = this.base.standardize(latent.value, partOf(context, this.base.contextShape));
        return tf.reshape(standard, [1, -1]);
      };
      const [a, b] = [flat(from, 'first'), flat(to, 'last')];
      const [left, right] = path === 'linear' ? linearWeights(steps) : sphericalWeights(a, b, steps);
      const mixed = tf.reshape(tf.add(tf.mul(left, a), tf.mul(right, b)), [steps, ...this.latentShape]);
      const along = asContext(rows?.along(steps));
      const ofBase = partOf(this.toContext('interpolate', along, steps), this.base.contextShape);
      return this.decode(this.base.unstandardize(mixed, ofBase), { context: along });
    });
  }

  /**
   * This flow and what it is conditioned on, p(x | context): the same verbs, without `context` among their options.
   *
   * @param context as `contextShape` says; one row serves any number of events
   * @throws ConfigError, ShapeError, DataError for a context that does not fit
   * @example
   * const ring = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 1, seed: 1 });
   * ring.given(2).sample(5).shape; // [5, 2]
   */
  given(context: Context): ConditionedFlow {
    return new ConditionedFlow(this, this.bind(context));
  }

  /**
   * Where the log-likelihood of a batch comes from: per layer its log-det, its share of the bits per dimension,
   * its round-trip error, its smallest scale or condition number, what it is conditioned on, and the first layer with a
   * non-finite value.
   *
   * Everything is read at the end, together: a GPU is waited for once. What it was asked with may be freed or trained on meanwhile.
   *
   * @throws ShapeError, DataError, ConfigError; NonFiniteError where a matrix is singular
   * @example
   * console.log(String(await flow.account(x)));
   */
  async account(x: Events, options: PassOptions = {}): Promise<Account> {
    const where = this.enter('account', options, passNames);
    return makeAccount(this.bijector, this.base, () => {
      const data = this.readData(where, x);
      const context = this.toContext('account', options.context, data.shape[0]);
      return { x: this.toModel(data, this.stream(options)), context };
    });
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

  /**
   * A context as it was read, which may be cut into batches; undefined where the flow takes none.
   *
   * @internal
   */
  readContext(where: string, context: Context | undefined): ContextRows | undefined {
    const isLabels = (part: string) => this.labelParts.has(part) && this.embedding?.changes(part) !== true;
    return ContextRows.read(where, this.contextShape, isLabels, context);
  }

  /**
   * Events as arrays: a flow that knows its columns finds them in a table.
   *
   * @throws DataError for a table where the flow knows none
   * @internal
   */
  asEvents(where: string, x: Events): EventArray {
    if (!(x instanceof Table)) return x;
    const hint = 'This flow knows no columns. Build it with columns: table.columns, or give table.toArray().';
    throw new DataError(complaint(where, 'events', 'a table', hint));
  }

  /**
   * Throws a ShapeError, DataError or ConfigError where a training batch cannot be this flow's data.
   *
   * @param firstRow place of its first example in the data, for messages
   */
  checkBatch(batch: Batch, firstRow = 0): void {
    this.checkUsable('fit');
    tf.tidy(() => {
      const { shape } = this.readData(`${this.label}.fit`, batch.x, firstRow);
      this.toContext('fit', batch.context, shape[0]);
    });
  }

  /** Data-dependent initialization from one batch, of what is not initialized. */
  initializeFrom(batch: Batch, random: RandomStream): void {
    tf.tidy(() => {
      const given = this.embedding && this.readContext(`${this.label}.fit`, batch.context)?.tensors();
      if (given !== undefined) this.embedding?.initialize(given);
      const context = this.toContext('fit', batch.context, batch.x.shape[0]);
      this.bijector.initialize(this.toModel(batch.x, random), partOf(context, this.bijector.contextShape));
    });
  }

  /** The training loss of a batch, in `lossUnit`; subclasses say what it is in `lossOf`. */
  loss(batch: Batch, random: RandomStream): Loss {
    const { bijector, x, context, lossOf } = this.lossParts(batch, random);
    return lossOf(bijector.forward(x, partOf(context, bijector.contextShape)), context);
  }

  /** The loss taken apart for reversible gradients; undefined where a subclass, or the flow itself, has a `loss` of its own. */
  bijectiveLoss(batch: Batch, random: RandomStream): BijectiveLoss | undefined {
    return isOwn(this, Flow, 'loss') ? this.lossParts(batch, random) : undefined;
  }

  /** Name of the first layer, or of the base, with a non-finite output on this batch. */
  locateNonFinite(batch: Batch, random: RandomStream): Promise<string | undefined> {
    return firstNonFinite(this.bijector, this.base, () => {
      const context = this.toContext('fit', batch.context, batch.x.shape[0]);
      return { x: this.toModel(batch.x, random), context };
    });
  }

  /** What to do about a layer with a non-finite output. */
  adviseNonFinite(layer: string): string | undefined {
    if (layer !== this.base.name || !this.base.isBounded) return undefined;
    return (
      "Latents lie outside of the base's box, where its density is 0. Layers have to map the data into it, as splines with " +
      "tails 'none' or 'circular' do on a box of their own; after others take a base on the whole line."
    );
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      bijector: serializeModule(this.bijector) as never,
      base: serializeModule(this.base) as never,
      ...this.embedding?.getConfig(),
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const part = <M extends Module>(key: string) =>
      deserializeModule<M>(config[key] as unknown as SerializedModule);
    const bijector = part<Bijector>('bijector');
    return new cls({
      ...config,
      bijector,
      base: part<Distribution>('base'),
      ...embedOption(config),
    });
  }

  /** Hook: data as the bijector takes it, with noise where a stream is given and noise is needed. */
  protected toModel(x: tf.Tensor, _random?: RandomStream): tf.Tensor {
    return x;
  }

  /** Hook: the bijector's data as the user gets it. */
  protected fromModel(x: tf.Tensor): tf.Tensor {
    return x;
  }

  /** Hook: throws where values that the host has cannot be this flow's data. */
  protected checkValues(where: string, x: tf.Tensor, _firstRow = 0): void {
    checkFiniteData(where, x);
  }

  /** Hook: data whose values lie on a device that has to be waited for, rows that cannot be this flow's data being NaN. */
  protected onlyEvents(x: tf.Tensor): tf.Tensor {
    return onlyFitRows(x, FINITE);
  }

  /** Hook: a context as the layers take it, tensors [n, ...]. */
  protected toContext(method: string, context: Context | undefined, n: number): ContextTensors | undefined {
    const where = `${this.label}.${method}`;
    const rows = this.readContext(where, context);
    if (rows === undefined) return undefined;
    rows.check(where, method === 'fit' ? [n] : [1, n]);
    const given = rows.tensors();
    return mapContext(this.embedding?.apply(given) ?? given, (part) => repeatRows(part, n));
  }

  /** Hook: the training loss of latents; here the mean negative log-likelihood, in nats. */
  protected lossOf(latent: Transformed, context?: ContextTensors): Loss {
    return { loss: tf.neg(tf.mean(this.logProbOf(latent, context))) as tf.Scalar, metrics: {} };
  }

  /** log p of data by the bijector's result on them. */
  protected logProbOf({ value, logDet }: Transformed, context?: ContextTensors): tf.Tensor1D {
    return tf.add(this.base.logProb(value, partOf(context, this.base.contextShape)), logDet);
  }

  /**
   * Throws a ConfigError unless latents are normal.
   *
   * @internal
   */
  requireNormalLatents(where: string, hint: string): void {
    if (this.latentIsNormal) return;
    throw new ConfigError(complaint(where, 'a flow with a normal base', `a ${this.base.label}`, hint));
  }

  /**
   * A context that was read, to be bound.
   *
   * @internal
   */
  protected bind(context: Context): ContextRows {
    this.checkUsable('given');
    const where = `${this.label}.given`;
    const rows = this.readContext(where, context);
    if (rows !== undefined) return rows;
    const hint = 'Nothing in this flow is conditioned.';
    throw new ConfigError(complaint(where, 'a flow with a context', 'none', hint));
  }

  protected stream(options: PassOptions): RandomStream {
    return options.seed === undefined ? this.random : new RandomStream(options.seed);
  }

  /**
   * What every public method looks at first; returns its name for messages.
   *
   * @internal
   */
  protected enter<T extends object>(method: string, options: T, names: OptionNames<T>): string {
    this.checkUsable(method);
    const where = `${this.label}.${method}`;
    checkOptions(where, options, names);
    return where;
  }

  /** Data on the device, checked. */
  protected readData(where: string, x: Events, firstRow = 0): tf.Tensor {
    const data = readEvents(where, this.asEvents(where, x), this.eventShape);
    this.checkValues(where, data, firstRow);
    return hostValues(data) === undefined ? this.onlyEvents(data) : data;
  }

  /** The bijector's result on data. */
  protected latentOf(
    method: string,
    x: Events,
    options: PassOptions,
    dequantize: NonNullable<TransformOptions['dequantize']>,
  ): { latent: Transformed; context: ContextTensors | undefined } {
    const where = `${this.label}.${method}`;
    const data =
      dequantize === 'none'
        ? finiteData(where, readEvents(where, this.asEvents(where, x), this.eventShape))
        : this.readData(where, x);
    const context = this.toContext(method, options.context, data.shape[0]);
    const stream = dequantize === 'noise' ? this.stream(options) : undefined;
    const points = dequantize === 'none' ? data : this.toModel(data, stream);
    const latent = this.bijector.forward(points, partOf(context, this.bijector.contextShape));
    return { latent, context };
  }

  /** Events drawn from the base, and their log-density, which costs more ops where it is asked for. */
  private draw(method: string, n: number, options: SampleOptions): Drawn {
    const where = `${this.label}.${method}`;
    checkInteger(where, 'n', n, 0);
    const temperature = readTemperatures(where, options.temperature ?? 1, this.latentLayout);
    if (!isOne(temperature)) {
      this.requireNormalLatents(
        where,
        'A temperature is a factor on the deviation of a normal base: leave it out.',
      );
    }
    if (n === 0) {
      this.readContext(where, options.context)?.check(where, [0, 1]);
      return { value: tf.zeros([0, ...this.eventShape]), logProb: () => tf.zeros([0]) };
    }
    const context = this.toContext(method, options.context, n);
    const ofBase = partOf(context, this.base.contextShape);
    const z = this.base.sample(n, { temperature, context: ofBase, random: this.stream(options) });
    const { value, logDet } = this.bijector.inverse(z, partOf(context, this.bijector.contextShape));
    const logProb = () => tf.sub(this.base.logProb(z, ofBase), logDet) as tf.Tensor1D;
    return { value: options.continuous ? value : this.fromModel(value), logProb };
  }

  private lossParts(batch: Batch, random: RandomStream): BijectiveLoss {
    const context = this.toContext('fit', batch.context, batch.x.shape[0]);
    const lossOf: BijectiveLoss['lossOf'] = (latent, given) => this.lossOf(latent, given);
    return { bijector: this.bijector, x: this.toModel(batch.x, random), context, lossOf };
  }
}

interface Drawn {
  value: tf.Tensor;
  logProb: () => tf.Tensor1D;
}

const flowNames: OptionNames<FlowOptions> = {
  bijector: true,
  base: true,
  embed: true,
  name: true,
  seed: true,
};

/** Data without NaN and infinity: an error where the host sees one, else rows of NaN. */
function finiteData(where: string, x: tf.Tensor): tf.Tensor {
  checkFiniteData(where, x);
  return hostValues(x) === undefined ? onlyFitRows(x, FINITE) : x;
}

function checkFiniteData(where: string, x: tf.Tensor): void {
  if (allFinite(hostValues(x) ?? [])) return;
  const hint = 'Clean the data first: one such value would spoil every weight.';
  throw new DataError(complaint(where, 'finite data', 'NaN or infinity in it', hint));
}

function asContext(rows: ContextRows | undefined): Context | undefined {
  return rows as unknown as Context | undefined;
}

registerModule(Flow);
