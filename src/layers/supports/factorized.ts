import * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, isNamed } from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../../core/module';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkEventShape, sameShape, sizeOf } from '../../core/shapes';
import { gradientsOf } from '../../engine/gradients';
import {
  Bijector,
  type BijectorOptions,
  type Reversed,
  type TraceEntry,
  type Transformed,
} from '../bijector';
import { addLogDets } from '../logDets';
import type { ReversePass } from '../reversePass';
import { ColumnHead } from './columnHead';
import { joinColumns, takeColumns } from './takeColumns';

/** Some columns of the data, and the bijector that they go through. */
export interface Factor {
  /** Which columns, in the order in which the bijector takes them. */
  columns: readonly number[];
  /** [columns] to [k]; a part 'before' of its context is what heads before it say of their columns. It is owned from here on. */
  bijector: Bijector;
}

/** Options of {@link Factorized}. */
export interface FactorizedOptions extends BijectorOptions {
  /** In the order in which they are generated; each column in one of them. */
  factors: readonly Factor[];
}

/** Name of the part of a context that says what came before. */
export const BEFORE = 'before';

/**
 * Columns in groups, each with a bijector of its own that may read the groups before it: the chain rule of probability.
 *
 *     z = [f_1(x_1; c), f_2(x_2; h(x_1), c), ...],   logDet = sum of the factors' logDets
 *
 * h is what heads (categories, angles) say of their columns: one-hot numbers, sine and cosine. A factor whose context has a part named
 * 'before' reads all that heads before it say; its other parts are the context c of the whole ('' is the name of one without names).
 *
 * Shapes: [n, d] to [n, sum of the factors' outputs], in the order of the factors. logDet in nats.
 *
 * @throws ConfigError where the columns are not each in one factor, or a factor reads another number of values than came before
 * @see Bishop, "Pattern Recognition and Machine Learning" (2006), section 8.1
 * @example
 * const kindAndSize = new Factorized({
 *   inputShape: [2],
 *   factors: [
 *     { columns: [1], bijector: new Categorical({ categories: 3 }) },
 *     { columns: [0], bijector: new ActNorm({ inputShape: [1] }) },
 *   ],
 * });
 * kindAndSize.forward(tf.tensor2d([[7, 1.5]])).value.print(); // [[0, 7]]: the middle of the middle category
 */
export class Factorized extends Bijector {
  static className = 'FlowFactorized';
  readonly factors: readonly Factor[];

  constructor(options: FactorizedOptions) {
    if (new.target === Factorized) checkOptions('Factorized', options, names);
    const { inputShape, factors } = options;
    checkEventShape('Factorized', inputShape, [1]);
    checkFactors(factors, inputShape[0]);
    const outputs = factors.reduce((sum, { bijector }) => sum + sizeOf(bijector.outputShape), 0);
    super(options.name ?? 'factorized', inputShape, [outputs], 'different');
    this.factors = factors.map(({ columns, bijector }) => ({
      columns: [...columns],
      bijector: this.addChild(bijector),
    }));
  }

  /**
   * The forward result of some factors alone, their latents side by side.
   *
   * @param chosen numbers of factors; heads that they read are among them
   * @param x [n, d], of which the columns of the other factors are not looked at
   * @throws ShapeError, DataError
   * @example
   * const sizes = new Factorized({
   *   inputShape: [2],
   *   factors: [0, 1].map((i) => ({ columns: [i], bijector: new Linear({ inputShape: [1], name: `size${i}` }) })),
   * });
   * sizes.forwardOf([0], tf.tensor2d([[7, 1]])).value.print(); // [[7]]
   */
  forwardOf(chosen: readonly number[], x: tf.Tensor, context?: ContextTensors): Transformed {
    this.checkUsable('forwardOf');
    const pass = (bijector: Bijector, part: tf.Tensor, given?: ContextTensors) =>
      bijector.forward(part, given);
    return tf.tidy(() => joined(this.eachOf(x, context, pass, chosen)) as never) as Transformed;
  }

  /** What came before is the factors' own affair. */
  protected override declareContext(shape: ContextShape | undefined): void {
    super.declareContext(withoutBefore(shape));
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return joined(this.eachOf(x, context, (bijector, part, given) => bijector.forward(part, given)));
  }

  protected computeInverse(z: tf.Tensor, context?: ContextTensors): Transformed {
    const latents = this.latentsOf(z);
    const before: tf.Tensor[] = [];
    const results = this.factors.map(({ bijector }, i) => {
      const result = bijector.inverse(latents[i], contextOf(bijector, context, besides(before)));
      if (bijector instanceof ColumnHead) before.push(bijector.featuresOf(result.value));
      return result;
    });
    const value = this.inPlace(results.map((result) => result.value));
    return { value, logDet: addLogDets(results.map(({ logDet }) => logDet)) };
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const values = this.eachOf(x, context, (bijector, part, given) => bijector.initialize(part, given));
    return besides(values) as tf.Tensor;
  }

  override trace(
    x: tf.Tensor,
    visit: (entry: TraceEntry) => void,
    context?: ContextTensors,
    name = this.name,
    pairs = false,
  ): Transformed {
    if (!this.passesAsIn('trace')) return super.trace(x, visit, context, name);
    return joined(
      this.eachOf(x, context, (bijector, part, given) =>
        bijector.trace(part, visit, given, `${name}/${bijector.name}`, pairs),
      ),
    );
  }

  /** Factor by factor; heads are found first, since those after them read them, and hear from them what gradients they have. */
  protected override computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    const latents = this.latentsOf(output.value);
    const gradients = this.latentsOf(output.gradient);
    const features = this.headFeatures(latents, pass.context);
    const ofFeatures = features.map((feature) => tf.zerosLike(feature));
    const inputs = this.factors.map(({ bijector }, i) => {
      const heads = this.headsBefore(i);
      const before = heads === 0 ? undefined : besides(features.slice(0, heads));
      const inner = pass.within(
        contextOf(bijector, pass.context, before),
        before === undefined ? [] : [before],
      );
      const after = { value: latents[i], gradient: gradients[i] };
      const input = bijector.reverse(after, inner, `${name}/${bijector.name}`);
      const [ofBefore] = before === undefined ? [null] : inner.takeGradients([before]);
      if (ofBefore !== null) {
        const sizes = features.slice(0, heads).map(({ shape }) => shape[1] as number);
        tf.split(ofBefore, sizes, 1).forEach((part, k) => {
          ofFeatures[k] = tf.add(ofFeatures[k], part);
        });
      }
      return input;
    });
    const values = inputs.map(({ value }) => value);
    const byFactor = this.factors.map(({ bijector }, i) => {
      if (!(bijector instanceof ColumnHead)) return inputs[i].gradient;
      const read = () => tf.sum(tf.mul(bijector.featuresOf(values[i]), ofFeatures[this.headsBefore(i)]));
      const [through] = gradientsOf(read as () => tf.Scalar, [values[i]]).gradients;
      return through === undefined ? inputs[i].gradient : tf.add(inputs[i].gradient, through);
    });
    return { value: this.inPlace(values), gradient: this.inPlace(byFactor) };
  }

  getConfig(): tf.serialization.ConfigDict {
    const factors = this.factors.map(({ columns, bijector }) => ({
      columns: [...columns],
      bijector: serializeModule(bijector),
    }));
    return { name: this.name, inputShape: [...this.inputShape], factors: factors as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    type Saved = { columns: number[]; bijector: SerializedModule };
    const factors = (config.factors as unknown as Saved[]).map(({ columns, bijector }) => ({
      columns,
      bijector: deserializeModule<Bijector>(bijector),
    }));
    return new cls({ ...config, factors });
  }

  private eachOf<T>(
    x: tf.Tensor,
    context: ContextTensors | undefined,
    pass: (bijector: Bijector, part: tf.Tensor, context: ContextTensors | undefined) => T,
    chosen: readonly number[] = this.factors.map((_, i) => i),
  ): T[] {
    const before: tf.Tensor[] = [];
    return chosen.map((factor) => {
      const { columns, bijector } = this.factors[factor];
      const part = takeColumns(x, columns);
      const result = pass(bijector, part, contextOf(bijector, context, besides(before)));
      if (bijector instanceof ColumnHead) before.push(bijector.featuresOf(part));
      return result;
    });
  }

  /** What the heads say, found from their latents. */
  private headFeatures(latents: readonly tf.Tensor[], context: ContextTensors | undefined): tf.Tensor[] {
    const found: tf.Tensor[] = [];
    this.factors.forEach(({ bijector }, i) => {
      if (!(bijector instanceof ColumnHead)) return;
      const { value } = bijector.inverse(latents[i], contextOf(bijector, context, besides(found)));
      found.push(bijector.featuresOf(value));
    });
    return found;
  }

  /** How many heads come before a factor. */
  private headsBefore(factor: number): number {
    return this.factors.slice(0, factor).filter(({ bijector }) => bijector instanceof ColumnHead).length;
  }

  private latentsOf(z: tf.Tensor): tf.Tensor[] {
    const sizes = this.factors.map(({ bijector }) => sizeOf(bijector.outputShape));
    return sizes.length === 1 ? [z] : tf.split(z, sizes, 1);
  }

  /** The columns of the factors in the places of the data. */
  private inPlace(parts: tf.Tensor[]): tf.Tensor {
    return joinColumns(
      parts,
      this.factors.map(({ columns }) => columns),
    );
  }
}

function joined(results: readonly Transformed[]): Transformed {
  return {
    value: besides(results.map(({ value }) => value)) as tf.Tensor,
    logDet: addLogDets(results.map(({ logDet }) => logDet)),
  };
}

function checkFactors(factors: readonly Factor[], d: number): void {
  const taken = factors.flatMap(({ columns }) => columns);
  if ([...taken].sort((a, b) => a - b).some((column, i) => column !== i) || taken.length !== d) {
    throw new ConfigError(complaint('Factorized', `each of the columns 0 .. ${d - 1} in one factor`, taken));
  }
  let before = 0;
  for (const { columns, bijector } of factors) {
    if (!sameShape(bijector.inputShape, [columns.length])) {
      const expected = `'${bijector.name}' to take its ${columns.length} columns`;
      throw new ConfigError(complaint('Factorized', expected, bijector.inputShape));
    }
    const { contextShape } = bijector;
    const reads = contextShape !== undefined && isNamed(contextShape) ? contextShape[BEFORE] : undefined;
    if (reads !== undefined && !sameShape(reads, [before])) {
      const expected = `'${bijector.name}' to read the ${before} values of what came before it`;
      throw new ConfigError(complaint('Factorized', expected, reads));
    }
    if (bijector instanceof ColumnHead) before += bijector.features;
  }
}

/** A factor's context without what came before; without names again, where that leaves one without. */
function withoutBefore(shape: ContextShape | undefined): ContextShape | undefined {
  if (shape === undefined || !isNamed(shape)) return shape;
  const { [BEFORE]: _, ...outer } = shape;
  if ('' in outer) return outer[''];
  return Object.keys(outer).length === 0 ? undefined : outer;
}

/** What a factor reads, of the context of the whole and of what came before. */
function contextOf(
  { contextShape }: Bijector,
  context: ContextTensors | undefined,
  before: tf.Tensor | undefined,
): ContextTensors | undefined {
  if (contextShape === undefined) return undefined;
  if (!isNamed(contextShape)) return context;
  const outer = context instanceof tf.Tensor ? { '': context } : (context ?? {});
  const parts = { ...outer, ...(before === undefined ? {} : { [BEFORE]: before }) } as Record<
    string,
    tf.Tensor
  >;
  return Object.fromEntries(Object.keys(contextShape).map((name) => [name, parts[name]]));
}

/** Columns side by side; undefined where there are none. */
function besides(parts: readonly tf.Tensor[]): tf.Tensor | undefined {
  if (parts.length < 2) return parts[0];
  return tf.concat([...parts], 1);
}

const names: OptionNames<FactorizedOptions> = { inputShape: true, factors: true, name: true };

registerModule(Factorized);
