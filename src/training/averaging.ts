import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DisposedError } from '../core/errors';
import type { NamedWeight } from '../core/module';
import { canMoveAverages, fusedAverage } from './fusedAverage';

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
  /** The model's own weights, while it has the averages. */
  private raw: tf.Tensor[] | undefined;
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

  /** Whether the model has the averages at present. */
  get swapped(): boolean {
    return this.raw !== undefined;
  }

  /** Number of updates that the average holds. */
  get updates(): number {
    return this.updateCount;
  }

  /**
   * Takes the model's present weights into the average.
   *
   * @throws ConfigError while the model has the averages
   * @example
   * averages.update(); // after a step of a loop of your own
   */
  update(): void {
    this.checkOwnWeights('update');
    const rate = (1 - this.decay) / (1 - this.decay ** (this.updateCount + 1));
    const moved = (value: tf.Tensor, i: number) =>
      tf.tidy(() => tf.add(value, tf.mul(rate, tf.sub(this.variables[i], value))));
    if (canMoveAverages(this.values)) fusedAverage(this.values, this.variables, rate);
    else this.replace(() => this.values.map(moved));
    this.updateCount++;
  }

  /**
   * Gives the model the averages; a second call undoes that, whatever was written to the weights meanwhile.
   *
   * @throws DisposedError after the model or this object was disposed
   * @example
   * averages.swap(); // the flow now has the averaged weights
   * averages.swap(); // and its own again
   */
  swap(): void {
    this.checkUsable('swap');
    const { raw } = this;
    this.raw = raw === undefined ? this.variables.map((variable) => tf.keep(tf.clone(variable))) : undefined;
    for (const [i, variable] of this.variables.entries()) variable.assign((raw ?? this.values)[i]);
    tf.dispose(raw ?? []);
  }

  /** The averages by weight name; still owned by this object. */
  tensors(): { name: string; tensor: tf.Tensor }[] {
    return this.names.map((name, i) => ({ name, tensor: this.values[i] }));
  }

  /**
   * Continues from averages that `tensors()` gave and their number of updates.
   *
   * @throws ConfigError while the model has the averages
   */
  restore(tensors: ReadonlyMap<string, tf.Tensor>, updates: number): void {
    this.checkOwnWeights('restore');
    this.replace(() => this.names.map((name) => tf.clone(tensors.get(name) as tf.Tensor)));
    this.updateCount = updates;
  }

  /**
   * Whether this can go along with training a model.
   *
   * @throws ConfigError for averages of another model, or while the model has them
   * @internal
   */
  checkFits(variables: readonly tf.Variable[]): void {
    const same =
      variables.length === this.variables.length && variables.every((v, i) => v === this.variables[i]);
    if (!same) {
      const hint = 'Make new ones: new AveragedWeights(flow, decay).';
      throw new ConfigError(
        complaint('fit', "averages of this model's weights", 'those of another model', hint),
      );
    }
    this.checkOwnWeights('fit');
  }

  /** Frees the averages; the model keeps the weights it has. */
  dispose(): void {
    tf.dispose([this.values, this.raw ?? []]);
    this.values = [];
    this.raw = undefined;
  }

  private replace(make: () => tf.Tensor[]): void {
    const previous = this.values;
    this.values = tf.tidy(() => make().map((value) => tf.keep(value)));
    tf.dispose(previous);
  }

  private checkUsable(method: string): void {
    const gone = this.values.length < this.variables.length || this.variables.some((v) => v.isDisposed);
    if (gone) throw new DisposedError(`AveragedWeights.${method}: the model or the averages were disposed.`);
  }

  private checkOwnWeights(method: string): void {
    this.checkUsable(method);
    if (!this.swapped) return;
    const hint = 'Call swap() first.';
    const expected = 'the model to have its own weights';
    throw new ConfigError(complaint(`AveragedWeights.${method}`, expected, 'the averages in them', hint));
  }
}

/**
 * Runs `use` with the averages in the model, then leaves it as it was, also when `use` throws or swaps.
 *
 * What `use` writes to the weights is lost. Calls may be nested.
 *
 * @example
 * const { loss } = await withAveragedWeights(averages, () => evaluate(flow, heldOut));
 */
export async function withAveragedWeights<T>(
  averages: AveragedWeights,
  use: () => T | Promise<T>,
): Promise<T> {
  const { swapped } = averages;
  if (!swapped) averages.swap();
  try {
    return await use();
  } finally {
    if (averages.swapped !== swapped) averages.swap();
  }
}
