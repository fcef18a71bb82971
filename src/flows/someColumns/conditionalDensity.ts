import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../../core/errors';
import { figure, printable } from '../../core/printable';
import { RandomStream } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import type { Table } from '../../data';
import type { Column } from '../../layers/supports/columns';
import { takeColumns } from '../../layers/supports/takeColumns';
import type { Events } from '../events';
import { categoriesOf, tableOfRows } from '../tableRows';
import { averagedOverNoise } from './averaged';
import type { ColumnFlow } from './columnFlow';
import { categoriesLeft, enumerated } from './enumeration';
import { factorsOf } from './flowFactors';
import { Importance, type Look, type WeightedRows } from './importance';
import { type ColumnDensityOptions, standardErrorOf, tooFew } from './marginalDensity';
import { PointDensity, withoutNoise } from './pointDensity';
import { resample } from './points';
import { placeRows, readRows } from './rows';

/** Weighted points per row that is drawn, so that few are drawn twice. */
const PER_ROW = 4;
/** Weighted points that are drawn at once at most. */
const MOST_POINTS = 2 ** 16;

/** Draws n rows of all columns. */
type Draw = (n: number) => Promise<tf.Tensor>;

/**
 * The density of the columns of a flow that are not given, p(b | a) = p(a, b) / p(a). `flow.conditional` makes it.
 *
 * It is exact where what is given are factors of the flow that read no others (categories and angles come first), and where nothing but
 * categories is left: a classifier. Elsewhere p(a) is an estimate by importance sampling, and samples are drawn again from
 * weighted ones (sampling, importance, resampling): as many of them differ as the effective sample size says. `String` tells.
 *
 * @see Rubin, "Using the SIR algorithm to simulate posterior distributions" (1988); Owen, "Monte Carlo theory, methods and examples" (2013), chapter 9
 * @example
 * const women = await vectorFlow.conditional({ sex: 'f' }, { seed: 1 });
 * women.method; // 'exact'
 * (await women.sampleTable(5)).names; // ['age', 'pressure']
 */
export class ConditionalDensity {
  /** The columns that are not given, in their order. */
  readonly columns: readonly Column[];

  /** @internal */
  private constructor(
    private readonly flow: ColumnFlow,
    private readonly given: ReadonlyMap<number, number>,
    private readonly options: ColumnDensityOptions,
    private readonly random: RandomStream,
    private readonly draw: Draw,
    /** log p(a) of what is given, in nats. */
    readonly logMass: number,
    /** Whether it is exact, or rests on importance sampling. */
    readonly method: 'exact' | 'importance',
    /** How many independent draws its weighted points are worth; Infinity where it is exact. */
    readonly effectiveSampleSize: number,
    /** Standard error of `logMass`, and with it of every logProb, in nats; 0 where it is exact. */
    readonly standardError: number,
  ) {
    this.columns = this.free.map((place) => flow.columns[place]);
  }

  /** @internal */
  static async of(
    flow: ColumnFlow,
    given: ReadonlyMap<number, number>,
    options: ColumnDensityOptions,
  ): Promise<ConditionalDensity> {
    const { context, samples = 2048, minimumEffectiveSampleSize: least = 100 } = options;
    const random = new RandomStream(options.seed);
    const make = (draw: Draw, logMass: number, size = Number.POSITIVE_INFINITY, points = samples) => {
      if (size < least) {
        const received = `${size.toFixed(1)} of ${points}`;
        throw new DataError(complaint(`${flow.label}.conditional`, ...tooFew(least, received)));
      }
      const error = standardErrorOf(size, points);
      const method = size === Number.POSITIVE_INFINITY ? 'exact' : 'importance';
      return new ConditionalDensity(flow, given, options, random, draw, logMass, method, size, error);
    };
    const places = [...given.keys()];
    const factors = factorsOf(flow, places);
    if (factors !== undefined) {
      const rows = (n: number) => placeRows(tf.zeros([n, 0]), [], flow.columns.length, given);
      const columns = places.map((place) => flow.columns[place]);
      const mass = await averagedOverNoise(
        columns,
        () => rows(1),
        (row) => factors.logProb(row, context, random),
      );
      const draw = async (n: number) =>
        tf.tidy(() => flow.decode(factors.completed(rows(n), context, random), { context }));
      return make(draw, mass.logProb[0], mass.effectiveSampleSize[0], mass.draws);
    }
    const density = new PointDensity(flow, context);
    const left = categoriesLeft(flow.columns, places);
    if (left !== undefined) {
      const all = await enumerated(density, given, left, random);
      const draw = async (n: number) => drawn(flow, all, n, () => random.uniformNumber());
      return make(draw, all.logMass, all.effectiveSampleSize, all.draws);
    }
    const importance = await Importance.prepare(density, places, random);
    const look = await importance.at(given, samples, random);
    const draw = async (n: number) => resampled(flow, importance, look, given, n, random);
    return make(draw, look.logMass, look.effectiveSampleSize);
  }

  /**
   * Natural log of the density, in nats. With whole numbers among the columns of the flow it is that of a mean over 256 draws of their
   * noise.
   *
   * @param x [n, columns], or a table with these columns
   * @returns [n]; -Infinity off the supports
   * @throws DataError for rows on an edge; ShapeError
   * @example
   * const adults = await vectorFlow.conditional({ sex: 'm' });
   * const nats = await adults.logProb([[31, 120.5]]); // [1]
   */
  async logProb(x: Events): Promise<tf.Tensor1D> {
    const { flow, free, given, options, random } = this;
    const where = this.where('logProb');
    const { logProb } = await averagedOverNoise(
      flow.columns,
      () => placeRows(readRows(where, this.columns, x), free, flow.columns.length, given),
      (rows) => flow.logProb(rows, { context: options.context, seed: random.childSeed() }),
    );
    return tf.tensor1d(Float32Array.from(logProb, (nats) => nats - this.logMass));
  }

  /**
   * n new rows of the columns that are not given.
   *
   * @returns [n, columns]
   * @throws ConfigError for a bad n
   * @example
   * const sexes = await vectorFlow.conditional({ age: 31, pressure: 120 });
   * (await sexes.sample(5)).shape; // [5, 1]
   */
  async sample(n: number): Promise<tf.Tensor> {
    checkInteger(this.where('sample'), 'n', n);
    const rows = await this.draw(n);
    try {
      return tf.tidy(() => tf.clone(takeColumns(rows, this.free)));
    } finally {
      rows.dispose();
    }
  }

  /**
   * n new rows as a table.
   *
   * @example
   * const men = await vectorFlow.conditional({ sex: 'm' });
   * (await men.sampleTable(5)).rows; // 5
   */
  async sampleTable(n: number): Promise<Table> {
    return tableOfRows(this.columns, await this.sample(n));
  }

  /** What is given, by name. */
  get values(): Record<string, number | string> {
    return Object.fromEntries(
      [...this.given].map(([place, value]) => {
        const column = this.flow.columns[place];
        return [column.name, column.support.kind === 'categorical' ? categoriesOf(column)[value] : value];
      }),
    );
  }

  private get free(): number[] {
    return this.flow.columns.map((_, place) => place).filter((place) => !this.given.has(place));
  }

  private where(method: string): string {
    return `${this.flow.label}.conditional.${method}`;
  }
}

printable(ConditionalDensity.prototype, (density) => {
  const given = Object.entries(density.values).map(([name, value]) => `${name} ${value}`);
  const { effectiveSampleSize: size, standardError } = density;
  return [
    `Density of ${density.columns.map(({ name }) => name).join(', ')} given ${given.join(', ')}`,
    density.method === 'exact'
      ? '  exact'
      : `  by importance sampling: effective sample size ${Math.floor(size)}, log-densities within ${figure(standardError)} nats (standard error)`,
  ];
});

/** Rows drawn by their weights, each for itself. */
function drawn(
  flow: ColumnFlow,
  { rows, weights }: WeightedRows,
  n: number,
  uniform: () => number,
): tf.Tensor {
  const chosen = Array.from({ length: n }, () => resample(weights, 1, uniform())[0]);
  return asEvents(flow, rows, chosen);
}

/** Fresh weighted points of the same kernels, drawn again by their weights. */
async function resampled(
  flow: ColumnFlow,
  importance: Importance,
  { proposal, weights, effectiveSampleSize }: Look,
  given: ReadonlyMap<number, number>,
  n: number,
  random: RandomStream,
): Promise<tf.Tensor> {
  const wanted = Math.ceil((PER_ROW * n * weights.length) / effectiveSampleSize);
  const pool = await importance.look(
    given,
    proposal,
    Math.min(Math.max(wanted, weights.length), MOST_POINTS),
    random,
  );
  return asEvents(flow, pool.rows, resample(pool.weights, n, random.uniformNumber()));
}

/** Chosen points as rows that a flow takes: whole numbers and categories without their noise. */
function asEvents({ columns }: ColumnFlow, points: Float64Array, chosen: ArrayLike<number>): tf.Tensor {
  const d = columns.length;
  const rows = new Float32Array(chosen.length * d);
  for (let i = 0; i < chosen.length; i++) {
    rows.set(points.subarray(chosen[i] * d, (chosen[i] + 1) * d), i * d);
  }
  return tf.tensor2d(withoutNoise(columns, rows), [chosen.length, d]);
}
