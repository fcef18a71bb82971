import * as tf from '@tensorflow/tfjs-core';
import { complaint, NonFiniteError } from '../../core/errors';
import type { RandomStream } from '../../core/random';
import { type Column, isWhole } from '../../layers/supports/columns';
import { noEvents } from '../columnValues';
import type { Context } from '../context';
import type { ColumnFlow } from './columnFlow';

/** Points on the device at once. */
const BATCH = 8192;
/** So many points of a hundred may have no density that is a number: those are far out, where float32 ends. */
const MOST_LOST = 1 / 100;

/**
 * A flow of vectors as importance sampling sees it: rows of points, in which whole numbers and categories have their noise.
 *
 * Rows are row-major, [n, d], in float64.
 */
export class PointDensity {
  readonly columns: readonly Column[];

  constructor(
    private readonly flow: ColumnFlow,
    private readonly context: Context | undefined,
  ) {
    this.columns = flow.columns;
  }

  /** n points drawn from the flow. */
  async draw(n: number, random: RandomStream): Promise<Float64Array> {
    const { flow, context } = this;
    const rows = flow.sample(n, { context, continuous: true, seed: random.childSeed() });
    try {
      return Float64Array.from(await rows.data());
    } finally {
      rows.dispose();
    }
  }

  /**
   * Log-density of points in nats; -Infinity off the supports.
   *
   * @throws NonFiniteError where more than a few have none
   */
  async logDensity(rows: Float64Array): Promise<Float64Array> {
    const d = this.columns.length;
    const count = rows.length / d;
    const result = new Float64Array(count);
    for (let start = 0; start < count; start += BATCH) {
      const end = Math.min(start + BATCH, count);
      result.set(await this.ofBatch(Float32Array.from(rows.subarray(start * d, end * d))), start);
    }
    const lost = result.reduce((sum, value) => sum + Number(Number.isNaN(value)), 0);
    if (lost > MOST_LOST * count) {
      const received = `NaN at ${lost} of ${count} points`;
      throw new NonFiniteError(complaint(this.flow.label, 'densities that are numbers', received));
    }
    return result.map((value) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value));
  }

  private async ofBatch(values: Float32Array): Promise<Float64Array> {
    const d = this.columns.length;
    const off = new Set(noEvents(this.columns, withoutNoise(this.columns, values)));
    const inside = Int32Array.from({ length: values.length / d }, (_, row) => row).filter(
      (row) => !off.has(row),
    );
    const result = new Float64Array(values.length / d).fill(Number.NEGATIVE_INFINITY);
    if (inside.length === 0) return result;
    const points = new Float32Array(inside.length * d);
    inside.forEach((row, i) => {
      points.set(values.subarray(row * d, (row + 1) * d), i * d);
    });
    const logProb = tf.tidy(() =>
      this.flow.logProbOfPoints(tf.tensor2d(points, [inside.length, d]), this.context),
    );
    try {
      const densities = await logProb.data();
      inside.forEach((row, i) => {
        result[row] = densities[i];
      });
      return result;
    } finally {
      logProb.dispose();
    }
  }
}

/** Points as events: whole numbers and categories as such. */
export function withoutNoise(columns: readonly Column[], points: Float32Array): Float32Array {
  const whole = columns.map(isWhole);
  const d = columns.length;
  return points.map((value, at) => (whole[at % d] ? Math.floor(value) : value));
}
