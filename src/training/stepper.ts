import * as tf from '@tensorflow/tfjs-core';
import { complaint, NonFiniteError } from '../core/errors';
import { allFinite } from '../core/numbers';
import type { RandomStream } from '../core/random';
import { inTrainingStep } from '../core/trainingStep';
import { capabilities } from '../engine/capabilities';
import {
  applyGradients,
  canStepAhead,
  canUndo,
  type StepAhead,
  stepAhead,
  type Undo,
} from './applyGradients';
import type { AveragedWeights } from './averaging';
import { inFloat32 } from './bfloat16';
import { normOfGradients, replaceEach } from './clipping';
import { readLoss, readScalars } from './evaluate';
import type { ChosenGradients, GradientChoice, GradientComputer } from './gradientMethod';
import { type Gradients, trainableOf } from './gradients';
import type { Logs } from './logs';
import { checkFiniteBatch, explainNonFinite } from './nonFinite';
import { setLearningRate } from './optimizers';
import { stepScale } from './stepScale';
import type { Batch, Trainable } from './trainable';
import { WeightSnapshot } from './weightSnapshot';

const restored = 'The last good weights are back in place. Try a lower learningRate, warm-up or clipNorm.';

/** How a step limits its gradients. */
export interface ClippingOptions {
  clipValue?: number;
  clipNorm?: number;
}

/**
 * Takes single training steps and never applies a gradient that is not finite.
 *
 * One small read-back per step (loss, metrics and gradient norm together) decides, before anything is applied. Where a backend can hold a
 * step back itself, the step is on its way before that: then the host waits for the device once, at the end.
 */
export class Stepper {
  private readonly weightNames: string[];
  private readonly trainable: tf.Variable[];
  /** Weights of the last step whose loss and gradient were finite: from before it, or what it left in place, which `undo` takes back. */
  private readonly lastFixed: WeightSnapshot;
  private readonly lastTrainable: WeightSnapshot;
  private undo?: Undo;
  /** Whether the last step's weights are still to go into the averages: only once they are known to be finite. */
  private unaveraged = false;

  constructor(
    private readonly model: Trainable,
    private readonly optimizer: tf.Optimizer,
    private readonly gradients: GradientComputer,
    private readonly clipping: ClippingOptions,
    private readonly averages: AveragedWeights | undefined,
  ) {
    this.weightNames = model.weights.filter((weight) => weight.trainable).map((weight) => weight.name);
    this.trainable = trainableOf(model);
    averages?.checkFits(this.trainable);
    const fixed = model.weights.filter((weight) => !weight.trainable);
    this.lastFixed = new WeightSnapshot(fixed.map((weight) => weight.variable));
    this.lastTrainable = new WeightSnapshot(this.trainable);
  }

  /** How gradients are computed; undefined before 'auto' has chosen. */
  get gradientMethod(): ChosenGradients | undefined {
    return this.gradients.chosen;
  }

  /** What 'auto' chose, for a run that goes on. */
  get gradientChoice(): GradientChoice | null {
    return this.gradients.state();
  }

  /** Goes on with what 'auto' chose in an earlier run. */
  resumeGradients(choice: GradientChoice | null | undefined): void {
    this.gradients.restore(choice);
  }

  /**
   * Data-dependent initialization.
   *
   * @throws DataError for a batch with NaN or infinity, before it can spoil the weights
   */
  async initialize(batch: Batch, random: RandomStream): Promise<void> {
    await checkFiniteBatch('fit', batch);
    this.remember(false);
    this.model.initializeFrom(batch, random);
  }

  /**
   * One step on a batch.
   *
   * @param meanwhile called where the host waits for the device's work
   * @returns `loss`, metrics and `gradientNorm` (before clipping) from before the update
   * @throws NonFiniteError or DataError; the model then holds the last good weights
   */
  async take(
    batch: Batch,
    random: RandomStream,
    learningRate: number,
    step: number,
    meanwhile: () => void = () => {},
  ): Promise<Logs> {
    const noiseBefore = random.state();
    const computed = this.compute(batch, random);
    const { gradients } = computed;
    try {
      const gradientNorm = this.normOf(computed);
      const ahead = this.stepAhead(computed, gradientNorm, learningRate);
      const reading = readLoss('fit', computed, { gradientNorm });
      if (!capabilities().readsAtOnce) meanwhile();
      const logs = await reading;
      if (!Number.isFinite(logs.loss) || !Number.isFinite(logs.gradientNorm)) {
        random.restore(noiseBefore);
        throw await this.failure(logs, gradients, batch, random, step);
      }
      if (ahead === undefined) await this.step(gradients, logs.gradientNorm, learningRate);
      else this.countStep(ahead);
      return logs;
    } finally {
      tf.dispose(gradients.filter((gradient) => gradient !== null));
    }
  }

  /**
   * Looks at the weights themselves, which no later step does once training ends; the averages take them.
   *
   * @throws NonFiniteError where an update spoiled them; the model then holds the last good weights
   */
  async checkWeights(): Promise<void> {
    const { norm } = await readScalars({ norm: normOfGradients(this.trainable) });
    if (Number.isFinite(norm)) return this.average();
    const layer = await this.firstNonFinite(this.trainable);
    this.rollBack();
    throw new NonFiniteError(
      complaint('fit', 'finite weights after the update', `NaN or infinity in ${layer ?? 'them'}`, restored),
      layer,
    );
  }

  /** Puts the last good weights back. */
  rollBack(): void {
    this.unaveraged = false;
    this.lastFixed.restore();
    this.lastTrainable.restore();
    if (this.undo === undefined) return;
    this.lastTrainable.dispose();
    this.undo();
    this.undo = undefined;
  }

  dispose(): void {
    this.lastFixed.dispose();
    this.lastTrainable.dispose();
  }

  /** Takes weights that are known to be finite into the averages. */
  private average(): void {
    if (this.unaveraged) this.averages?.update();
    this.unaveraged = false;
  }

  /** Norm of the gradients; NaN where the averages are about to take weights that are not finite. */
  private normOf({ loss, metrics, gradients }: Gradients): tf.Scalar {
    try {
      return tf.tidy(() => {
        const norm = normOfGradients(gradients);
        return this.unaveraged ? tf.add(norm, tf.mul(0, normOfGradients(this.trainable))) : norm;
      });
    } catch (error) {
      tf.dispose([loss, metrics]);
      throw error;
    }
  }

  /** Sends the step ahead of any read, where the backend holds it back if loss or norm is not finite. */
  private stepAhead(
    { loss, metrics, gradients }: Gradients,
    norm: tf.Scalar,
    learningRate: number,
  ): StepAhead | undefined {
    const { clipValue, clipNorm = Number.POSITIVE_INFINITY } = this.clipping;
    if (clipValue !== undefined || this.averages !== undefined) return undefined;
    setLearningRate(this.optimizer, learningRate);
    if (!canStepAhead(this.optimizer)) return undefined;
    // The step before this one can be taken back as long as this one is not known to be taken.
    this.lastTrainable.letGo();
    const scale = stepScale(loss, norm, clipNorm);
    try {
      return stepAhead(this.optimizer, this.trainable, gradients, scale);
    } catch (error) {
      tf.dispose([loss, metrics, norm]);
      this.rollBack();
      throw error;
    } finally {
      scale.dispose();
    }
  }

  /** A step that went ahead was taken. */
  private countStep(ahead: StepAhead): void {
    ahead.count();
    this.lastFixed.capture();
    this.lastTrainable.capture();
    this.undo = ahead.undo;
  }

  /** Takes the step by gradients that are known to be finite. */
  private async step(
    gradients: readonly (tf.Tensor | null)[],
    norm: number,
    learningRate: number,
  ): Promise<void> {
    this.average();
    setLearningRate(this.optimizer, learningRate);
    const inPlace = canUndo(this.optimizer);
    this.remember(inPlace);
    try {
      this.undo = await this.apply(gradients, norm);
    } catch (error) {
      this.rollBack();
      throw error;
    }
    if (inPlace) this.lastTrainable.capture();
    this.unaveraged = this.averages !== undefined;
  }

  /** Holds on to the present weights, but not to trainable ones that change in place. */
  private remember(inPlace: boolean): void {
    this.lastFixed.capture();
    if (inPlace) this.lastTrainable.dispose();
    else this.lastTrainable.capture();
    this.undo = undefined;
  }

  /** Loss and gradients; where a layer finds that the last step spoiled its weights, the ones before that step come back. */
  private compute(batch: Batch, random: RandomStream): Gradients {
    const noiseBefore = random.state();
    try {
      return this.gradients.compute(batch, random);
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      random.restore(noiseBefore);
      this.rollBack();
      throw new NonFiniteError(`${error.message} ${restored}`, error.layer);
    }
  }

  private async apply(gradients: readonly (tf.Tensor | null)[], norm: number): Promise<Undo | undefined> {
    const { clipValue, clipNorm = Number.POSITIVE_INFINITY } = this.clipping;
    if (clipValue === undefined) return this.applyScaled(gradients, Math.min(1, clipNorm / norm));
    const clipped = replaceEach(gradients, (gradient, i) =>
      tf.tidy(() => tf.clipByValue(this.inFloat32(gradient, i), -clipValue, clipValue)),
    );
    try {
      // Clipping by value only makes the norm smaller, so the norm before it settles most steps.
      const clippedNorm =
        norm > clipNorm ? (await readScalars({ norm: normOfGradients(clipped) })).norm : norm;
      return this.applyScaled(clipped, Math.min(1, clipNorm / clippedNorm));
    } finally {
      tf.dispose(clipped.filter((gradient) => gradient !== null));
    }
  }

  private applyScaled(gradients: readonly (tf.Tensor | null)[], scale: number): Undo | undefined {
    return applyGradients(this.optimizer, this.trainable, gradients, scale);
  }

  /** A gradient that may be in bfloat16. */
  private inFloat32(gradient: tf.Tensor, place: number): tf.Tensor {
    return inFloat32(gradient, this.trainable[place].shape);
  }

  private async failure(
    logs: Logs,
    gradients: readonly (tf.Tensor | null)[],
    batch: Batch,
    random: RandomStream,
    step: number,
  ): Promise<Error> {
    const received = `loss ${logs.loss} and gradient norm ${logs.gradientNorm} at step ${step}`;
    const gradientLayer = Number.isFinite(logs.loss)
      ? ((await this.firstNonFinite(gradients)) ?? (await this.firstNonFinite(this.trainable)))
      : undefined;
    const locate = () => inTrainingStep(random, () => this.model.locateNonFinite(batch, random));
    const error = await explainNonFinite('fit', received, this.model, batch, locate, gradientLayer, restored);
    this.rollBack();
    return error;
  }

  /** The layer of the first weight that is not finite, or whose gradient is not. */
  private async firstNonFinite(tensors: readonly (tf.Tensor | null)[]): Promise<string | undefined> {
    for (const [i, name] of this.weightNames.entries()) {
      const tensor = tensors[i];
      if (tensor === null) continue;
      // Not by its norm, which overflows for large values that are finite.
      const read = tf.tidy(() => tf.clone(this.inFloat32(tensor, i)));
      const values = await read.data();
      read.dispose();
      if (!allFinite(values)) return name.split('/').slice(0, -1).join('/') || name;
    }
    return undefined;
  }
}
