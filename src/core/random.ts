import * as tf from '@tensorflow/tfjs-core';
import seedrandom from 'seedrandom';
import { requireBackend } from './backend';
import { ConfigError, complaint, FormatError } from './errors';
import { takeRoom } from './room';

/** What makes random numbers repeatable: any finite number, or a text. The same seed gives the same numbers. */
export type Seed = number | string;

/** Everything needed to continue a stream exactly where it stood; plain JSON. */
export interface RandomStreamState {
  alea: unknown;
  spare: number | null;
}

/**
 * A seeded stream of random numbers: the one source of randomness in this library.
 *
 * Numbers are drawn on the host (Alea, through seedrandom), so the same seed gives the same run on every backend.
 *
 * @example
 * const random = new RandomStream(7);
 * const noise = random.normal([2, 3]); // tf.Tensor, standard normal
 * noise.dispose();
 */
export class RandomStream {
  private generator: seedrandom.StatefulPRNG<seedrandom.State.Alea>;
  private spare: number | null = null;
  /** The last two that were drawn together. */
  private readonly pair = new Float64Array(2);

  /**
   * @param seed any number or string. Default: another one each time
   * @throws ConfigError for anything else
   */
  constructor(seed: Seed = unseeded()) {
    if (typeof seed !== 'string' && !Number.isFinite(seed)) {
      throw new ConfigError(complaint('RandomStream', 'a finite number or a text as seed', seed));
    }
    this.generator = seedrandom.alea(String(seed), { state: true });
  }

  /** One number, uniform on [0, 1). */
  uniformNumber(): number {
    return this.generator.quick();
  }

  /** One standard normal number (Marsaglia's polar method, 1964). */
  normalNumber(): number {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    this.drawPair();
    this.spare = this.pair[1];
    return this.pair[0];
  }

  /** One integer, uniform on 0 .. limit - 1. */
  integer(limit: number): number {
    return Math.floor(this.generator.double() * limit);
  }

  /**
   * A seed for a child stream: an integer in 1 .. 2^31 - 2, never 0 (tfjs reads 0 as unseeded).
   *
   * @example
   * const layer = new InvConv1x1({ inputShape: [4], seed: new RandomStream(1).childSeed() });
   */
  childSeed(): number {
    return 1 + this.integer(2 ** 31 - 2);
  }

  /** A stream of its own, derived from this one. */
  child(): RandomStream {
    return new RandomStream(this.childSeed());
  }

  /**
   * The numbers 0 .. n - 1 in random order (Fisher-Yates).
   *
   * @example
   * new RandomStream(1).permutation(4).length; // 4
   */
  permutation(n: number): Int32Array {
    takeRoom(n);
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
    return order;
  }

  /** n standard normal numbers in float64. */
  normalArray(n: number): Float64Array {
    takeRoom(n);
    const values = new Float64Array(n);
    this.fillNormal(values, 0, 1);
    return values;
  }

  /**
   * Tensor of normal numbers, float32.
   *
   * @example
   * new RandomStream(1).normal([100, 2], 5, 2).shape; // [100, 2]
   */
  normal(shape: readonly number[], mean = 0, standardDeviation = 1): tf.Tensor {
    requireBackend('RandomStream.normal');
    const size = tf.util.sizeFromShape([...shape]);
    takeRoom(size);
    const values = new Float32Array(size);
    this.fillNormal(values, mean, standardDeviation);
    return tf.tensor(values, [...shape], 'float32');
  }

  /**
   * Tensor of uniform numbers on [low, high), float32; `high` is never reached, by rounding neither.
   *
   * @throws ConfigError unless float32 has a number in [low, high)
   * @example
   * new RandomStream(1).uniform([100], -1, 1).shape; // [100]
   */
  uniform(shape: readonly number[], low = 0, high = 1): tf.Tensor {
    requireBackend('RandomStream.uniform');
    const size = tf.util.sizeFromShape([...shape]);
    takeRoom(size);
    const values = new Float32Array(size);
    if (!(Math.fround(low) < high)) {
      throw new ConfigError(complaint('RandomStream.uniform', 'low below high', `[${low}, ${high})`));
    }
    for (let i = 0; i < values.length; i++) {
      // The last of the numbers below 1 round to 1 in float32.
      do values[i] = low + (high - low) * this.generator.quick();
      while (values[i] >= high);
    }
    return tf.tensor(values, [...shape], 'float32');
  }

  /**
   * The stream's position, as plain JSON.
   *
   * @example
   * const stream = new RandomStream(1);
   * const state = stream.state(); // plain JSON
   * const first = stream.uniformNumber();
   * stream.restore(state);
   * stream.uniformNumber() - first; // 0
   */
  state(): RandomStreamState {
    return { alea: this.generator.state(), spare: this.spare };
  }

  /**
   * Moves this stream to a position that `state()` returned.
   *
   * @throws FormatError for anything else
   */
  restore(state: RandomStreamState): void {
    const { c, s0, s1, s2 } = (state?.alea ?? {}) as Record<string, unknown>;
    const sound = [c, s0, s1, s2, state?.spare ?? 0].every((part) => typeof part === 'number');
    if (!sound) throw new FormatError(complaint('RandomStream.restore', 'what state() returned', 'another'));
    this.generator = seedrandom.alea('', { state: state.alea as seedrandom.State.Alea });
    this.spare = state.spare;
  }

  /** Fills an array with what `normalNumber` would give, one after the other. */
  private fillNormal(values: Float32Array | Float64Array, mean: number, standardDeviation: number): void {
    const { pair } = this;
    let i = 0;
    if (this.spare !== null && values.length > 0)
      values[i++] = mean + standardDeviation * this.normalNumber();
    for (; i + 1 < values.length; i += 2) {
      this.drawPair();
      values[i] = mean + standardDeviation * pair[0];
      values[i + 1] = mean + standardDeviation * pair[1];
    }
    if (i < values.length) values[i] = mean + standardDeviation * this.normalNumber();
  }

  private drawPair(): void {
    let u: number;
    let v: number;
    let s: number;
    do {
      u = 2 * this.generator.quick() - 1;
      v = 2 * this.generator.quick() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const factor = Math.sqrt((-2 * Math.log(s)) / s);
    this.pair[0] = u * factor;
    this.pair[1] = v * factor;
  }
}

/** A seed that no other call gets. The clock would not do: layers are built within one millisecond. */
function unseeded(): string {
  return [...globalThis.crypto.getRandomValues(new Uint32Array(4))].join('-');
}
