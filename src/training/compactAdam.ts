import * as tf from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import { capabilities } from '../engine/capabilities';
import { variableOf } from '../engine/handles';
import type { Slot } from '../engine/optimizers';
import { compactStep } from './compactStep';
import {
  type CompactStep,
  fusedCompactStep,
  fusedCompactStepBack,
  hasFusedCompactStep,
} from './fusedCompactStep';
import { stopSharing, zeroSlot } from './slots';

/** Options of {@link CompactAdam}; defaults as in `tf.train.adam`. */
export interface CompactAdamOptions {
  /** Decay of the first moment. Default 0.9. */
  beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment. Default 1e-7. */
  epsilon?: number;
}

/**
 * Adam whose moments take 16 bits each: four bytes per weight beside the weight and its gradient, in place of eight. In `fit` with
 * reversible gradients on the wasm backend a gradient takes 16 bits too: ten bytes per weight in all, in place of sixteen.
 *
 *     m = r(beta1 m + (1 - beta1) g),   v = r(beta2 v + (1 - beta2) g^2),   w -= lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * r rounds m to 8 and v to 9 significant bits, up or down by chance, so that on average nothing is lost, not even the thousandth by which v
 * changes in a step. Chance depends on the step and the place alone: runs repeat, and resume, to the same numbers. Single steps differ from
 * Adam's by about one percent. Weights stay in float32. One pass on the wasm backend and on webgpu; on others on the host.
 * Gradients of 16 bits are bfloat16, rounded to the nearest: half a percent at most, and nothing adds up over steps.
 *
 * @throws BackendError on webgpu without `tfjs-flows/webgpu`, where values cannot be read at once
 * @see Kingma and Ba, "Adam" (2014), algorithm 1, arXiv:1412.6980; moments and gradients in bfloat16: Kalamkar et al. (2019),
 * arXiv:1905.12322; DeepSeek-AI, "DeepSeek-V3" (2024), section 3.3.2,
 * arXiv:2412.19437; rounding by chance: Gupta et al. (2015), section 3.1, arXiv:1502.02551
 * @example
 * await flow.fit(data, { optimizer: 'compactAdam', steps: 100 }); // or an instance: new CompactAdam(1e-3)
 */
export class CompactAdam extends tf.Optimizer {
  static readonly className: string = 'FlowCompactAdam';
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;
  private accumulatedMoments: Slot[] = [];

  /** @param learningRate step size */
  constructor(
    private learningRate: number,
    options: CompactAdamOptions = {},
  ) {
    super();
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
  }

  override applyGradients(gradients: tf.NamedTensorMap | { name: string; tensor: tf.Tensor }[]): void {
    const named = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    this.step(
      named.map(({ name }) => variableOf(name)),
      named.map(({ tensor }) => tensor ?? null),
    );
  }

  /**
   * One step; null leaves a weight and its moments alone.
   *
   * @param gradientScale factor of the gradients, which may be in bfloat16 where the backend has the fused kernel
   * @returns takes the step back to rounding, where it was made in place
   * @internal
   */
  step(
    variables: readonly tf.Variable[],
    gradients: readonly (tf.Tensor | null)[],
    gradientScale = 1,
  ): (() => void) | undefined {
    if (hasFusedCompactStep()) {
      const step = this.stepAhead(variables, gradients, gradientScale);
      step.count();
      return step.undo;
    }
    const { weight, moments, gradient } = this.chosen(variables, gradients);
    stepOnHost(weight, moments, gradient, this.constants(), gradientScale);
    this.incrementIterations();
    return undefined;
  }

  /**
   * One step where the backend has the fused kernel, which is yet to be counted.
   *
   * @internal
   */
  stepAhead(
    variables: readonly tf.Variable[],
    gradients: readonly (tf.Tensor | null)[],
    gradientScale: number | tf.Scalar,
  ): { undo(): void; count(): void } {
    const { weight, moments, gradient } = this.chosen(variables, gradients);
    const constants = this.constants();
    stopSharing([...weight, ...moments]);
    fusedCompactStep({ weight, moments }, gradient, constants, gradientScale);
    const undo = () => {
      stopSharing([...weight, ...moments]);
      fusedCompactStepBack({ weight, moments }, constants);
    };
    return { undo, count: () => this.incrementIterations() };
  }

  /** Weights that have a gradient, with their moments, which come to be in the first step. */
  private chosen(variables: readonly tf.Variable[], gradients: readonly (tf.Tensor | null)[]) {
    variables.forEach((variable, i) => {
      this.accumulatedMoments[i] ??= zeroSlot(variable, 'mv', 'int32');
    });
    const chosen = variables.flatMap((_, i) => (gradients[i] === null ? [] : [i]));
    const weight = chosen.map((i) => variables[i]);
    const moments = chosen.map((i) => this.accumulatedMoments[i].variable);
    const gradient = chosen.map((i) => gradients[i] as tf.Tensor);
    return { weight, moments, gradient };
  }

  override dispose(): void {
    tf.dispose(this.accumulatedMoments.map(({ variable }) => variable));
    this.accumulatedMoments = [];
  }

  override async getWeights(): Promise<{ name: string; tensor: tf.Tensor }[]> {
    const slots = this.accumulatedMoments.map(({ originalName, variable }) => ({
      name: originalName,
      tensor: variable,
    }));
    return [await this.saveIterations(), ...slots];
  }

  override async setWeights(weights: { name: string; tensor: tf.Tensor }[]): Promise<void> {
    const slots = await this.extractIterations(weights);
    this.dispose();
    this.accumulatedMoments = slots.map(({ name, tensor }) => ({
      originalName: name,
      variable: tf.variable(tensor, false),
    }));
  }

  getConfig(): tf.serialization.ConfigDict {
    const { learningRate, beta1, beta2, epsilon } = this;
    return { learningRate, beta1, beta2, epsilon };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    _class: tf.serialization.SerializableConstructor<T>,
    { learningRate, ...options }: tf.serialization.ConfigDict,
  ): T {
    return new CompactAdam(learningRate as number, options) as unknown as T;
  }

  /** Of the next step. */
  private constants(): CompactStep {
    const { learningRate, beta1, beta2, epsilon } = this;
    const iterations = this.iterations + 1;
    return {
      learningRate,
      beta1,
      beta2,
      epsilon,
      bias1: 1 - beta1 ** iterations,
      bias2: 1 - beta2 ** iterations,
      // The golden ratio's multiples lie far apart.
      seed: Math.imul(iterations, 0x9e3779b9),
    };
  }
}

function stepOnHost(
  weights: readonly tf.Variable[],
  moments: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  constants: CompactStep,
  gradientScale: number,
): void {
  if (!capabilities().readsAtOnce) {
    const hint = "On webgpu call prepareWebGpu of 'tfjs-flows/webgpu' first, or train with 'adam'.";
    throw new BackendError(
      complaint('CompactAdam', 'wasm, or a backend that reads at once', tf.getBackend(), hint),
    );
  }
  const states = weights.map((weight, i) => ({
    weight: weight.dataSync<'float32'>().slice(),
    moments: moments[i].dataSync<'int32'>().slice(),
    gradient: gradients[i].dataSync<'float32'>(),
  }));
  compactStep(states, constants, gradientScale);
  tf.tidy(() => {
    states.forEach((state, i) => {
      weights[i].assign(tf.tensor(state.weight, weights[i].shape, 'float32'));
      moments[i].assign(tf.tensor(state.moments, moments[i].shape, 'int32'));
    });
  });
}

tf.serialization.registerClass(CompactAdam as never);
