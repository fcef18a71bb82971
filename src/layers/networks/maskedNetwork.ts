import type { ContextTensors } from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import { named } from '../../core/numbers';
import type { OptionNames } from '../../core/options';
import { checkInteger } from '../../core/shapes';
import { Conditioner } from './conditioner';
import { type Adjacency, checkAdjacency, levelsOf } from './masks';
import type { Sweep } from './sweep';

/** Options that say who reads whom in a masked network. */
export interface MaskedNetworkOptions {
  /** Which values the outputs of each value may read: d rows of d booleans, or of 0 and 1, without circles. */
  adjacency: Adjacency;
  /** Outputs for each value. Default 1. */
  outputsPerValue?: number;
}

/** The names of those options, for `checkOptions`. */
export const maskedNetworkNames: OptionNames<MaskedNetworkOptions> = {
  adjacency: ['mask'],
  outputsPerValue: ['outputs', 'units'],
};

/**
 * A network whose outputs for each value depend on some values only, as `adjacency` says; all of them may read the context.
 *
 *     d out_{i m + k} / d x_j = 0   unless   A_ij,    k < m = outputsPerValue
 *
 * Shapes: [n, d] -> [n, d * outputsPerValue], the outputs of a value side by side. A subclass implements `compute`, and keeps to the
 * adjacency: nothing in it may be normalized across hidden units, which would let every output read everything.
 *
 * @throws ConfigError for an adjacency that is not d rows of d, or has circles
 * @see Germain et al., "MADE" (2015), arXiv:1502.03509
 * @example
 * class Sums extends MaskedNetwork {
 *   static className = 'MySums';
 *   protected compute(x: tf.Tensor) {
 *     const reads = tf.tensor2d(this.adjacency.map((row) => row.map(Number)));
 *     return tf.matMul(x as tf.Tensor2D, reads, false, true);
 *   }
 *   getConfig() {
 *     return { name: this.name, adjacency: this.adjacency.map((row) => row.map(Number)) };
 *   }
 * }
 * const sums = new Sums('sums', { adjacency: [[0, 0, 0], [1, 0, 0], [1, 1, 0]] });
 * sums.apply(tf.tensor2d([[1, 2, 4]])).print(); // [[0, 1, 3]]
 */
export abstract class MaskedNetwork extends Conditioner {
  readonly adjacency: readonly (readonly boolean[])[];
  readonly outputsPerValue: number;
  /** For each value the step in which it is known, where values are found one after another: 0 for those that read nothing. */
  readonly levels: readonly number[];

  constructor(name: string, { adjacency, outputsPerValue = 1 }: MaskedNetworkOptions) {
    const d = Array.isArray(adjacency) ? adjacency.length : 0;
    super(name, [d], [d * outputsPerValue]);
    if (d === 0) {
      const expected = 'adjacency to be a row of booleans for each value';
      throw new ConfigError(complaint(this.label, expected, named(adjacency)[0]));
    }
    checkInteger(this.label, 'outputsPerValue', outputsPerValue);
    this.adjacency = checkAdjacency(this.label, adjacency, d);
    this.outputsPerValue = outputsPerValue;
    this.levels = levelsOf(this.label, this.adjacency);
  }

  /** Whether its outputs for each value read what this adjacency allows. */
  masksAs(adjacency: Adjacency): boolean {
    return JSON.stringify(this.adjacency) === JSON.stringify(adjacency.map((row) => row.map(Boolean)));
  }

  /**
   * Hook: takes the network apart, for n examples and what they are conditioned on, so that its units can be computed level by level and
   * an inverse takes the work of one pass. Undefined, the default, where that cannot be. Tensors belong to the present tidy and tape.
   *
   * @internal
   */
  get sweep(): ((n: number, context?: ContextTensors) => Sweep) | undefined {
    return undefined;
  }
}
