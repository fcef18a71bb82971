import * as tf from '@tensorflow/tfjs-core';
import { partOf } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { registerModule } from '../core/module';
import { checkOptions, type OptionNames } from '../core/options';
import type { RandomStream } from '../core/random';
import { checkInteger } from '../core/shapes';
import { Table } from '../data';
import { hostValues } from '../engine/hostValues';
import { type Column, isWhole, readColumns } from '../layers/supports/columns';
import { LARGEST } from '../layers/supports/elementwiseSupport';
import { takeColumns } from '../layers/supports/takeColumns';
import { onlyColumnRows } from './columnBounds';
import { checkRows, rowsOff } from './columnValues';
import type { Context } from './context';
import { type EventArray, type Events, readEvents } from './events';
import { Flow, type FlowOptions } from './flow';
import { ConditionedVectorFlow, type VectorFlowVerbs } from './given';
import { type PassOptions, passNames, type SampleOptions } from './options';
import { checkGiven, checkShares, chosenPlaces, givenValues } from './someColumns/chosen';
import type { PreparedRows } from './someColumns/columnFlow';
import { ConditionalDensity } from './someColumns/conditionalDensity';
import {
  type ColumnDensityOptions,
  checkDensityOptions,
  MarginalDensity,
} from './someColumns/marginalDensity';
import { rowsOfTable, tableOfRows } from './tableRows';

/** Options of {@link VectorFlow}. */
export interface VectorFlowOptions extends FlowOptions {
  /** What the columns of the data are, as a recipe remembers them. Default: real numbers without names. */
  columns?: readonly Column[];
}

/**
 * Rows that data-dependent initialization sees where they are in memory: enough for means and deviations within a hundredth of a
 * deviation, few enough to cost a few steps.
 */
const INITIAL_ROWS = 8192;

/**
 * A flow over vectors whose columns have names and supports: what recipes for vectors return.
 *
 *     log p(x) = log p_base(f(x + u)) + log|det df/dx|,   u ~ U[0, 1) for columns of whole numbers, 0 for the others
 *
 * A row off its supports has log-density -Infinity; one on an open end, or with a value that is not finite, is a DataError that names row,
 * column and value, and so is any row off its supports in `fit` (before a step is taken), `encode`, `transform` and `account`. Whole numbers
 * and categories go in and come out as such; with categories `logProb` is exactly that of the category, with whole numbers its
 * expectation is a lower bound. `fit` initializes with up to 8192 rows of what is in memory, not with its first batch.
 *
 * Shapes: x [n, d], z [n, latents]: shares of a whole have one latent less than columns. logProb [n] in nats.
 *
 * @throws ConfigError for another number of columns than the bijector takes; ShapeError where bijector and base do not fit
 * @see Theis et al., "A note on the evaluation of generative models" (2016), section 3.1, arXiv:1511.01844 (whole numbers)
 * @example
 * const positive = new VectorFlow({
 *   bijector: new Bounded({ inputShape: [1], low: 0 }),
 *   columns: [{ name: 'sigma', support: { kind: 'bounded', low: 0 } }],
 * });
 * positive.logProb([[-1], [1]]).print(); // [-Infinity, -0.6066559]
 */
export class VectorFlow extends Flow implements VectorFlowVerbs {
  static override className = 'FlowVectorFlow';
  /** The columns of the data, in their order. */
  readonly columns: readonly Column[];
  /** Places of whole numbers among all columns, -1 for the others: what noise is added to. */
  private readonly wholePlaces: number[];

  constructor(options: VectorFlowOptions) {
    if (new.target === VectorFlow) checkOptions('VectorFlow', options, vectorFlowNames);
    const { columns, ...rest } = options;
    super({ ...rest, name: options.name ?? 'vectorFlow' });
    const { eventShape } = this;
    if (eventShape.length !== 1) {
      throw new ConfigError(complaint('VectorFlow', 'a bijector of vectors', eventShape));
    }
    this.columns = columns ?? readColumns('VectorFlow', { dimensions: eventShape[0] });
    if (this.columns.length !== eventShape[0]) {
      const expected = `${eventShape[0]} columns, as the bijector takes`;
      throw new ConfigError(complaint('VectorFlow', expected, this.columns.length));
    }
    let place = 0;
    this.wholePlaces = this.columns.map((column) => (isWhole(column) ? place++ : -1));
  }

  /** How many examples in memory data-dependent initialization wants to see. */
  get initialExamples(): number {
    return INITIAL_ROWS;
  }

  /**
   * As of every flow; -Infinity for rows off their supports. On webgpu, rows of a tensor that the GPU computed are looked at there: all that
   * are no events have NaN, in place of -Infinity and of errors.
   *
   * @throws DataError for a value that is not finite, on an open end, or off its circle; ShapeError, ConfigError
   * @example
   * const flow: VectorFlow = new VectorFlow({ bijector: new ActNorm({ inputShape: [2] }) });
   * flow.logProb([[0, 0]]).print(); // [-1.8378770]
   */
  override logProb(x: Events, options: PassOptions = {}): tf.Tensor1D {
    const where = this.enter('logProb', options, passNames);
    return tf.tidy(() => {
      const data = readEvents(where, this.asEvents(where, x), this.eventShape);
      const [n] = data.shape;
      const context = this.toContext('logProb', options.context, n);
      const densityOf = (rows: tf.Tensor) => {
        const points = this.toModel(rows, this.stream(options));
        const latent = this.bijector.forward(points, partOf(context, this.bijector.contextShape));
        return this.logProbOf(latent, context);
      };
      const values = hostValues(data);
      if (values === undefined) return densityOf(this.onlyEvents(data));
      // Looked at once: what `checkValues` refuses beyond this are the rows whose density is 0.
      const off = new Set(rowsOff(where, this.columns, values));
      if (off.size === 0) return densityOf(data);
      const nothing = tf.fill([n], Number.NEGATIVE_INFINITY) as tf.Tensor1D;
      if (off.size === n) return nothing;
      const inside = Array.from({ length: n }, (_, row) => !off.has(row));
      const mask = tf.tensor1d(inside, 'bool');
      // Another row in its place: what lies off the supports has no latent.
      const other = tf.slice(data, [inside.indexOf(true), 0], [1, this.columns.length]);
      const replaced = tf.where(tf.reshape(mask, [n, 1]), data, other);
      return tf.where(mask, densityOf(replaced), nothing) as tf.Tensor1D;
    });
  }

  /**
   * n new rows as a table: categories by name, whole numbers as such.
   *
   * @param n 1 or more
   * @throws ConfigError for a bad n, and as `sample`
   * @example
   * const table = await vectorFlow.sampleTable(3, { seed: 1 });
   * table.names; // ['age', 'pressure', 'sex']
   */
  async sampleTable(n: number, options: SampleOptions = {}): Promise<Table> {
    checkInteger(`${this.label}.sampleTable`, 'n', n);
    return tableOfRows(this.columns, this.sample(n, options));
  }

  /**
   * As of every flow, and with tables and densities of some columns.
   *
   * @example
   * const embedded = new VectorFlow({
   *   bijector: new TransformerCoupling({
   *     inputShape: [2],
   *     passthrough: 1,
   *     transformer: new AffineTransformer(),
   *     network: (inputShape, [units]) => new MultilayerPerceptron({ inputShape, units, context: 1, seed: 1 }),
   *   }),
   * });
   * (await embedded.given(2).sampleTable(3)).rows; // 3
   */
  override given(context: Context): ConditionedVectorFlow {
    return new ConditionedVectorFlow(this, this.bind(context));
  }

  /**
   * The density of some columns, the others integrated out: exactly where the flow allows it, else by importance sampling.
   *
   * @param columns their names
   * @throws ConfigError for unknown columns, one twice, or shares of a whole that are left out
   * @example
   * const pressures = vectorFlow.marginal(['pressure', 'sex'], { seed: 1 });
   * const { logProb, effectiveSampleSize } = await pressures.estimate([[120, 1]]);
   */
  marginal(columns: readonly string[], options: ColumnDensityOptions = {}): MarginalDensity {
    this.checkUsable('marginal');
    const where = `${this.label}.marginal`;
    checkDensityOptions(where, options);
    const places = chosenPlaces(where, this.columns, columns);
    checkShares(where, this, places);
    return new MarginalDensity(this, places, this.seeded(options));
  }

  /**
   * The density of the columns that are not given: exactly where the flow allows it, else by importance sampling.
   *
   * @param given values by column, categories by name
   * @throws ConfigError for unknown columns or categories, and shares of a whole that are not given; DataError for a value off its
   * support, and where the effective sample size is too low: what is given lies where the flow has hardly any mass
   * @example
   * const at40 = await vectorFlow.conditional({ age: 40, sex: 'f' }, { seed: 1 });
   * const pressures = await at40.sampleTable(100);
   */
  async conditional(
    given: Readonly<Record<string, number | string>>,
    options: ColumnDensityOptions = {},
  ): Promise<ConditionalDensity> {
    this.checkUsable('conditional');
    const where = `${this.label}.conditional`;
    checkDensityOptions(where, options);
    const values = givenValues(where, this.columns, given);
    const places = [...values.keys()];
    checkShares(where, this, places);
    checkGiven(where, this.columns, values);
    return ConditionalDensity.of(this, values, this.seeded(options));
  }

  /**
   * Log-density of points, in which whole numbers and categories have their noise: [n] in nats.
   *
   * @param x [n, d], on the supports
   * @internal
   */
  logProbOfPoints(x: tf.Tensor, context: Context | undefined): tf.Tensor1D {
    return tf.tidy(() => {
      const { latent, context: read } = this.latentOf('logProb', x, { context }, 'none');
      return this.logProbOf(latent, read);
    });
  }

  /**
   * Rows and context as the bijector takes them; noise comes from the stream, or is the middle of all.
   *
   * @internal
   */
  prepared(rows: tf.Tensor, context: Context | undefined, random?: RandomStream): PreparedRows {
    const read = this.toContext('logProb', context, rows.shape[0]);
    return { points: this.toModel(rows, random), context: partOf(read, this.bijector.contextShape) };
  }

  /**
   * Rows of a table in the order of the columns, which are found by name.
   *
   * @internal
   */
  override asEvents(where: string, x: Events): EventArray {
    return x instanceof Table ? rowsOfTable(where, this.columns, x) : x;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), columns: this.columns as never };
  }

  protected override toModel(x: tf.Tensor, random?: RandomStream): tf.Tensor {
    const count = this.wholePlaces.filter((place) => place >= 0).length;
    if (count === 0) return x;
    const shape = [x.shape[0], count];
    const place = takeColumns(random?.uniform(shape) ?? tf.fill(shape, 0.5), this.wholePlaces);
    // Below the next whole number, which float32 may round a sum to.
    const most = tf.sub(1, tf.mul(tf.add(tf.abs(x), 1), 2 ** -23));
    return tf.add(x, tf.minimum(place, most));
  }

  /** Whole numbers as such, and values within the ends that their columns may reach. */
  protected override fromModel(x: tf.Tensor): tf.Tensor {
    const ends = this.columns.map(reachedEnds);
    if (ends.every((end) => end === undefined)) return x;
    const whole = tf.tensor1d(this.columns.map(isWhole), 'bool');
    const [low, high] = [0, 1].map((side) =>
      tf.tensor1d(ends.map((end) => end?.[side] ?? (side === 0 ? -LARGEST : LARGEST))),
    );
    const floored = tf.where(tf.broadcastTo(whole, x.shape), tf.floor(x), x);
    // Not clipByValue: on wasm it makes a number of NaN.
    return tf.minimum(tf.maximum(floored, low), high);
  }

  private seeded(options: ColumnDensityOptions): ColumnDensityOptions {
    return { ...options, seed: options.seed ?? this.random.childSeed() };
  }

  protected override checkValues(where: string, x: tf.Tensor, firstRow?: number): void {
    checkRows(where, this.columns, hostValues(x) ?? [], firstRow);
  }

  protected override onlyEvents(x: tf.Tensor): tf.Tensor {
    return onlyColumnRows(x, this.columns);
  }
}

/** Ends that values of a column may reach, where the bijector may give others; undefined where it cannot. */
function reachedEnds({ support }: Column): [low: number, high: number] | undefined {
  switch (support.kind) {
    case 'categorical':
      return [0, support.categories - 1];
    case 'integer':
      return [support.low ?? -LARGEST, support.high ?? LARGEST];
    case 'bounded':
      return support.epsilon === undefined ? undefined : [support.low ?? -LARGEST, support.high ?? LARGEST];
    default:
      return undefined;
  }
}

const vectorFlowNames: OptionNames<VectorFlowOptions> = {
  bijector: true,
  base: true,
  embed: true,
  columns: true,
  name: true,
  seed: true,
};

registerModule(VectorFlow);
