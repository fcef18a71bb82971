import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import type { NamedWeight } from '../core/module';

/**
 * Exponential moving average of a model's trainable weights, without the bias towards their start.
 *
 *     a_t = a_{t-1} + (1 - d) / (1 - d^t) * (w_t - a_{t-1})
 *
 * which equals the zero-started average sum_i (1 - d) d^(t-i) w_i divided by 1 - d^t: the first update gives a_1 = w_1.
 *
 * Source: Polyak and Juditsky (1992), doi:10.1137/0330046; zero-debiasing as in Kingma and Ba (2015), section 3, arXiv:1412.6980.
 *
 * @example
 * const averages = new AveragedWeights(flow, 0.999);
 * await flow.fit(data, { steps: 1000, average: averages });
 * await withAveragedWeights(averages, () => flow.sample(16));
 * averages.dispose();
 */
export class AveragedWeights {
  private readonly variables: tf.Variable[];
  private readonly names: string[];
  private values: tf.Tensor[];
  private updateCount = 0;

  /**
   * @param model whose trainable weights are averaged
   * @param decay d, in (0, 1): about 1 / (1 - d) steps are remembered
   * @throws ConfigError
   */
  constructor(
    model: { readonly weights: NamedWeight[] },
    readonly decay: number,
  ) {
    if (!(decay > 0 && decay < 1)) {
      throw new ConfigError(complaint('AveragedWeights', 'a decay between 0 and 1', decay));
    }
    const trainable = model.weights.filter((weight) => weight.trainable);
    this.names = trainable.map((weight) => weight.name);
    this.variables = trainable.map((weight) => weight.variable);
    this.values = this.variables.map((variable) => tf.keep(tf.clone(variable)));
  }

  /** Number of updates that the average holds. */
  get updates(): number {
    return this.updateCount;
  }

  /**
   * Takes the model's present weights into the average.
   *
   * @example
   * averages.update(); // after a step of a loop of your own
   */
  update(): void {
    this.updateCount++;
    const rate = (1 - this.decay) / (1 - this.decay ** this.updateCount);
    const previous = this.values;
    this.values = previous.map((value, i) =>
      tf.tidy(() => tf.keep(tf.add(value, tf.mul(rate, tf.sub(this.variables[i], value))))),
    );
    tf.dispose(previous);
  }

  /**
   * Exchanges the model's weights and the averages; a second call undoes the first.
   *
   * @example
   * averages.swap(); // the flow now has the averaged weights
   * averages.swap(); // and its own again
   */
  swap(): void {
    const raw = this.variables.map((variable) => tf.keep(tf.clone(variable)));
    for (const [i, variable] of this.variables.entries()) variable.assign(this.values[i]);
    tf.dispose(this.values);
    this.values = raw;
  }

  /** The averages by weight name; still owned by this object. */
  tensors(): { name: string; tensor: tf.Tensor }[] {
    return this.names.map((name, i) => ({ name, tensor: this.values[i] }));
  }

  /** Continues from averages that `tensors()` gave and their number of updates. */
  restore(tensors: ReadonlyMap<string, tf.Tensor>, updates: number): void {
    const restored = this.names.map((name) => tf.keep(tf.clone(tensors.get(name) as tf.Tensor)));
    tf.dispose(this.values);
    this.values = restored;
    this.updateCount = updates;
  }

  /** Frees the averages; the model keeps the weights it has. */
  dispose(): void {
    tf.dispose(this.values);
    this.values = [];
  }
}

/**
 * Runs `use` with the averages in the model, then puts the raw weights back, also when `use` throws.
 *
 * @example
 * const { loss } = await withAveragedWeights(averages, () => evaluate(flow, heldOut));
 */
export async function withAveragedWeights<T>(
  averages: AveragedWeights,
  use: () => T | Promise<T>,
): Promise<T> {
  averages.swap();
  try {
    return await use();
  } finally {
    averages.swap();
  }
}
