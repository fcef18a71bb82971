import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../../core/errors';
import { checkOptions } from '../../core/options';
import { printable } from '../../core/printable';
import { RandomStream } from '../../core/random';
import { checkInteger } from '../../core/shapes';
import type { Table } from '../../data';
import type { Column } from '../../layers/supports/columns';
import { takeColumns } from '../../layers/supports/takeColumns';
import { rowsOff } from '../columnValues';
import type { Context } from '../context';
import type { Events } from '../events';
import { tableOfRows } from '../tableRows';
import { averagedOverNoise, hasNoise } from './averaged';
import type { ColumnFlow } from './columnFlow';
import { categoriesLeft, enumerated } from './enumeration';
import { type ColumnFactors, factorsOf } from './flowFactors';
import { Importance, type WeightedRows } from './importance';
import { PointDensity } from './pointDensity';
import { placeRows, readRows } from './rows';

/** How densities of some columns are computed, where they are not exact. */
export interface ColumnDensityOptions {
  /** What the flow is conditioned on, one row. Default: nothing. */
  context?: Context;
  /** Points of importance sampling, per row for a marginal density. Default 2048. */
  samples?: number;
  /** Below this effective sample size an estimate is refused. Default 100. */
  minimumEffectiveSampleSize?: number;
  /** Seed of all that is drawn. Default: another one each time. */
  seed?: number;
}

/** Log-densities with what is known of their error. */
export interface DensityEstimate {
  /** Nats, one per row; -Infinity off the supports. */
  logProb: Float64Array;
  /** Standard error of each logProb, nats; 0 where it is exact. */
  standardError: Float64Array;
  /** How many independent draws each estimate is worth; Infinity where it is exact. */
  effectiveSampleSize: Float64Array;
}

export const densityNames = {
  context: true,
  samples: ['draws'],
  minimumEffectiveSampleSize: ['minimumESS'],
  seed: true,
} as const;

/**
 * The density of some columns of a flow, the others integrated out. `flow.marginal` makes it.
 *
 *     p(a) = integral of p(a, b) db
 *
 * It is exact where these columns are factors of the flow that read no others (categories and angles come first), and where nothing but
 * categories is left to sum over. Elsewhere it is an estimate by importance sampling, which tells its error: `estimate`.
 * Samples are exact always.
 *
 * @see Owen, "Monte Carlo theory, methods and examples" (2013), chapter 9
 * @example
 * const ages = vectorFlow.marginal(['age'], { seed: 1 });
 * (await ages.sampleTable(5)).names; // ['age']
 * const nats = await ages.logProb([[31], [44]]);
 */
export class MarginalDensity {
  /** Its columns, in the order in which they were asked for. */
  readonly columns: readonly Column[];
  /** Whether log-densities are exact, or estimated by importance sampling. */
  readonly method: 'exact' | 'importance';
  private readonly random: RandomStream;
  private readonly factors?: ColumnFactors;

  /** @internal */
  constructor(
    private readonly flow: ColumnFlow,
    private readonly places: readonly number[],
    private readonly options: ColumnDensityOptions,
  ) {
    this.columns = places.map((place) => flow.columns[place]);
    this.random = new RandomStream(options.seed);
    this.factors = factorsOf(flow, places);
    const summed = this.factors ?? categoriesLeft(flow.columns, places);
    const exact = summed !== undefined && !hasNoise(this.columns);
    this.method = exact ? 'exact' : 'importance';
  }

  /**
   * Natural log of the density, in nats.
   *
   * @param x [n, columns], or a table with these columns
   * @returns [n]
   * @throws DataError for rows on an edge, and where the effective sample size of one is too low
   * @example
   * const nats = await vectorFlow.marginal(['sex']).logProb([[0], [1]]); // [2]
   */
  async logProb(x: Events): Promise<tf.Tensor1D> {
    const { logProb, effectiveSampleSize } = await this.estimate(x);
    const { minimumEffectiveSampleSize: least = 100 } = this.options;
    const low = effectiveSampleSize.findIndex((size) => size < least);
    if (low < 0) return tf.tensor1d(Float32Array.from(logProb));
    const received = `${effectiveSampleSize[low].toFixed(1)} in row ${low}`;
    throw new DataError(complaint(this.where('logProb'), ...tooFew(least, received)));
  }

  /**
   * Log-densities with their standard errors and effective sample sizes.
   *
   * @param x as for `logProb`
   * @throws DataError for rows on an edge
   * @example
   * const { logProb, standardError } = await vectorFlow.marginal(['age']).estimate([[31]]);
   */
  async estimate(x: Events): Promise<DensityEstimate> {
    const where = this.where('estimate');
    const rows = tf.tidy(() => tf.clone(readRows(where, this.columns, x)));
    try {
      const values = await rows.data<'float32'>();
      const off = new Set(rowsOff(where, this.columns, values));
      if (this.factors !== undefined) return await this.byFactors(this.factors, rows, off);
      return await this.byRows(values, off);
    } finally {
      rows.dispose();
    }
  }

  /**
   * n new rows of these columns.
   *
   * @returns [n, columns]
   * @throws ConfigError for a bad n
   * @example
   * vectorFlow.marginal(['age', 'sex']).sample(5).shape; // [5, 2]
   */
  sample(n: number): tf.Tensor {
    const { context } = this.options;
    return tf.tidy(() => {
      const rows = this.flow.sample(n, { context, seed: this.random.childSeed() });
      return tf.clone(takeColumns(rows, this.places));
    });
  }

  /**
   * n new rows as a table.
   *
   * @param n 1 or more
   * @example
   * (await vectorFlow.marginal(['sex']).sampleTable(5)).column('sex').categories; // ['f', 'm']
   */
  async sampleTable(n: number): Promise<Table> {
    checkInteger(this.where('sampleTable'), 'n', n);
    return tableOfRows(this.columns, this.sample(n));
  }

  private async byFactors(
    factors: ColumnFactors,
    rows: tf.Tensor,
    off: ReadonlySet<number>,
  ): Promise<DensityEstimate> {
    const { flow, places, columns } = this;
    const { logProb, effectiveSampleSize, draws } = await averagedOverNoise(
      columns,
      () => placeRows(rows, places, flow.columns.length),
      (all) => factors.logProb(all, this.options.context, this.random),
    );
    const result = exactly(logProb.map((value, row) => (off.has(row) ? Number.NEGATIVE_INFINITY : value)));
    effectiveSampleSize.forEach((size, row) => {
      if (off.has(row)) return;
      result.effectiveSampleSize[row] = size;
      result.standardError[row] = standardErrorOf(size, draws);
    });
    return result;
  }

  private async byRows(values: ArrayLike<number>, off: ReadonlySet<number>): Promise<DensityEstimate> {
    const { flow, places, options, random } = this;
    const { samples = 2048 } = options;
    const count = values.length / places.length;
    const density = new PointDensity(flow, options.context);
    const left = categoriesLeft(flow.columns, places);
    const importance = left === undefined ? await Importance.prepare(density, places, random) : undefined;
    const result = exactly(new Float64Array(count).fill(Number.NEGATIVE_INFINITY));
    const set = (row: number, { logMass, effectiveSampleSize }: WeightedRows, points: number) => {
      result.logProb[row] = logMass;
      result.effectiveSampleSize[row] = effectiveSampleSize;
      result.standardError[row] = standardErrorOf(effectiveSampleSize, points);
    };
    for (let row = 0; row < count; row++) {
      if (off.has(row)) continue;
      const given = new Map(places.map((place, j) => [place, values[row * places.length + j]]));
      if (importance === undefined) {
        const { draws, ...all } = await enumerated(density, given, left!, random);
        set(row, all, draws);
      } else set(row, await importance.at(given, samples, random), samples);
    }
    return result;
  }

  private where(method: string): string {
    return `${this.flow.label}.marginal.${method}`;
  }
}

printable(MarginalDensity.prototype, ({ columns, method }) => [
  `Density of ${columns.map(({ name }) => name).join(', ')}: ${method === 'exact' ? method : 'by importance sampling'}`,
]);

/** Throws a ConfigError for options that nothing reads, or numbers that cannot be. */
export function checkDensityOptions(where: string, options: ColumnDensityOptions): void {
  checkOptions(where, options, densityNames);
  if (options.samples !== undefined) checkInteger(where, 'samples', options.samples, 100);
  const { minimumEffectiveSampleSize: least } = options;
  if (least !== undefined) checkInteger(where, 'minimumEffectiveSampleSize', least, 0);
}

/** Error of the log of a mean of weights, to first order. */
export function standardErrorOf(effectiveSampleSize: number, samples: number): number {
  const excess = samples / effectiveSampleSize - 1;
  return effectiveSampleSize === Number.POSITIVE_INFINITY ? 0 : Math.sqrt(Math.max(0, excess) / samples);
}

/** What to say of weights that few points carry. */
export function tooFew(least: number, received: string): [expected: string, received: string, hint: string] {
  const hint = 'Is what is given far from the data? More samples may help, or fewer columns at once.';
  return [`an effective sample size of at least ${least}`, received, hint];
}

function exactly(logProb: Float64Array): DensityEstimate {
  return {
    logProb,
    standardError: new Float64Array(logProb.length),
    effectiveSampleSize: new Float64Array(logProb.length).fill(Number.POSITIVE_INFINITY),
  };
}
