import * as tf from '@tensorflow/tfjs-core';
import { NonFiniteError } from '../core/errors';
import { smallest } from '../core/lists';
import type { RandomStream } from '../core/random';
import { type AveragedWeights, withAveragedWeights } from './averaging';
import type { BatchStream } from './batchStream';
import type { CallbackList } from './callbacks';
import { type CheckpointOptions, loadCheckpoint, type RunParts, saveCheckpoint } from './checkpoint';
import type { EarlyStopping } from './earlyStopping';
import { evaluateStream } from './evaluate';
import type { EpochLogs, History, StopReason } from './history';
import { LogMeans, type Logs } from './logs';
import { bringToHost } from './nonFinite';
import { type Progress, type ProgressBar, SpeedMeter } from './progress';
import type { Stepper } from './stepper';
import type { Batch, Trainable } from './trainable';
import type { Yielder } from './yielding';

/** Everything that a run works with, already checked. */
export interface RunSettings {
  model: Trainable;
  data: BatchStream;
  validation: BatchStream | undefined;
  validationSteps: number | undefined;
  validationFrequency: number;
  validationSeed: number;
  /** Source of the loss's noise. */
  noise: RandomStream;
  stepper: Stepper;
  optimizer: tf.Optimizer;
  learningRateAt: (step: number) => number;
  averages: AveragedWeights | undefined;
  /** Whether the model ends with the averaged weights. */
  endsAveraged: boolean;
  earlyStopping: EarlyStopping | undefined;
  epochs: number;
  steps: number;
  /** Steps that make an epoch where passes do not. */
  stepsPerEpoch: number | undefined;
  /** Steps of an epoch where that is known beforehand. */
  expectedStepsPerEpoch: number | undefined;
  /** Whether each batch is still to be checked by the model. */
  checksBatches: boolean;
  /** Gives the examples that initialization sees, to be disposed; undefined where they are those of the first batch. */
  initialBatch: (() => Batch) | undefined;
  callbacks: CallbackList;
  progressBar: ProgressBar;
  onProgress: ((progress: Progress) => void) | undefined;
  yielder: Yielder;
  signal: AbortSignal | undefined;
  checkpoint: CheckpointOptions | undefined;
}

/** One run of `fit`: the loop over steps and epochs, and its position. */
export class TrainingRun {
  private step = 0;
  private epoch = 0;
  private stepInEpoch = 0;
  private validationSeed: number;
  private readonly means = new LogMeans();
  private readonly epochs: EpochLogs[] = [];
  private readonly losses: number[] = [];
  private readonly speed = new SpeedMeter();
  private exampleKind: Progress['exampleKind'] = 'examples';

  constructor(private readonly settings: RunSettings) {
    this.validationSeed = settings.validationSeed;
  }

  /** Takes the position of a checkpoint. */
  async resume(location: tf.io.IOHandler | string): Promise<void> {
    const { position, losses } = await loadCheckpoint(location, this.parts());
    const { data, validation, noise, stepper } = this.settings;
    stepper.resumeGradients(position.gradients);
    this.step = position.step;
    this.epoch = position.epoch;
    this.stepInEpoch = position.stepInEpoch;
    this.validationSeed = position.validationSeed;
    noise.restore(position.noise);
    this.means.restore(position.means);
    for (const epoch of position.epochs) this.epochs.push(epoch);
    for (const loss of losses) this.losses.push(loss);
    await data.seek(position.data);
    // Every validation is a pass of its own, so between two steps none is under way.
    if (position.validation !== null) await validation?.seek({ ...position.validation, batch: 0 });
  }

  /** Trains to the end, and leaves the model with the weights that the options ask for: the best ones also where it throws. */
  async run(): Promise<History> {
    const { callbacks, earlyStopping } = this.settings;
    try {
      await callbacks.trainBegin();
      const stopped = await this.loop();
      await this.finish(stopped);
      await callbacks.trainEnd(this.epochs.at(-1) ?? {});
      const { model, stepper } = this.settings;
      const { epochs, losses } = this;
      return { epochs, losses, stopped, lossUnit: model.lossUnit, gradients: stepper.gradientMethod };
    } catch (error) {
      earlyStopping?.bestWeights.restore();
      throw error;
    }
  }

  private async finish(stopped: StopReason): Promise<void> {
    const { checkpoint, earlyStopping, averages, endsAveraged, stepper } = this.settings;
    await stepper.checkWeights();
    if (checkpoint !== undefined) await this.save(checkpoint);
    if (stopped !== 'aborted' && this.stepInEpoch > 0) await this.endEpoch();
    if (earlyStopping?.bestWeights.taken) earlyStopping.bestWeights.restore();
    else if (endsAveraged) averages?.swap();
  }

  private async loop(): Promise<StopReason> {
    const { signal, callbacks, data, epochs, steps, stepsPerEpoch, checkpoint } = this.settings;
    for (;;) {
      if (signal?.aborted) return 'aborted';
      if (callbacks.stopRequested) return 'callback';
      if (this.step >= steps || this.epoch >= epochs) return 'finished';
      const epochFull = this.stepInEpoch === stepsPerEpoch;
      const batch = epochFull ? undefined : await data.next();
      if (batch === undefined) {
        // The end of a pass ends the epoch too, unless epochs are counted in steps.
        if (!epochFull && stepsPerEpoch !== undefined) continue;
        if (await this.endEpoch()) return 'earlyStopping';
        continue;
      }
      try {
        await this.takeStep(batch);
      } finally {
        tf.dispose([batch.x, batch.context ?? []]);
      }
      if (checkpoint?.everySteps !== undefined && this.step % checkpoint.everySteps === 0) {
        await this.save(checkpoint);
      }
    }
  }

  private async takeStep(batch: Batch): Promise<void> {
    const { model, noise, stepper, callbacks, yielder, checksBatches } = this.settings;
    const size = batch.x.shape[0];
    if (this.stepInEpoch === 0) await callbacks.epochBegin(this.epoch);
    await callbacks.batchBegin(this.stepInEpoch, size);
    const start = performance.now();
    const learningRate = this.settings.learningRateAt(this.step);
    if (checksBatches) {
      await bringToHost(batch);
      model.checkBatch(batch);
    }
    if (!model.initialized) await this.initialize(batch);
    const logs = await stepper.take(batch, noise, learningRate, this.step, () => this.readAhead());
    this.speed.add((performance.now() - start) / 1000, size);
    this.exampleKind = batch.x.rank === 4 ? 'images' : 'examples';
    this.losses.push(logs.loss);
    this.means.add(logs, size);
    this.step++;
    this.stepInEpoch++;
    const batchLogs = { batch: this.stepInEpoch - 1, size, ...logs, learningRate };
    this.report(this.means.logs(), false);
    await callbacks.batchEnd(batchLogs.batch, batchLogs);
    if (yielder.due(false)) {
      await yielder.pause();
      await callbacks.yield(this.epoch, batchLogs.batch, batchLogs);
    }
  }

  /** Reads the batch of the next step, where there is one in this epoch for sure. */
  private readAhead(): void {
    const { data, steps, stepsPerEpoch, signal } = this.settings;
    const last = this.step + 1 >= steps || this.stepInEpoch + 1 === stepsPerEpoch;
    if (!last && !signal?.aborted) data.readAhead();
  }

  private async initialize(batch: Batch): Promise<void> {
    const { stepper, noise, initialBatch } = this.settings;
    const seen = initialBatch?.();
    try {
      await stepper.initialize(seen ?? batch, noise);
    } finally {
      if (seen !== undefined) tf.dispose([seen.x, seen.context ?? []]);
    }
  }

  /** Validates, logs and tells the callbacks; true where early stopping says so. */
  private async endEpoch(): Promise<boolean> {
    const { averages, callbacks, earlyStopping, stepper, yielder } = this.settings;
    // The averages take the last step's weights only once these are known to be finite.
    if (averages !== undefined) await stepper.checkWeights();
    const close = async (): Promise<boolean> => {
      const logs: Logs = {
        ...this.means.logs(),
        ...(await this.validate()),
        learningRate: this.settings.learningRateAt(this.step - 1),
      };
      this.epochs.push({ ...(logs as EpochLogs), epoch: this.epoch, step: this.step });
      this.report(logs, true);
      // Before the callbacks: where one throws, this epoch may be the best.
      const stop = earlyStopping?.shouldStop(logs) ?? false;
      await callbacks.epochEnd(this.epoch, logs);
      return stop;
    };
    const stop = await this.guarded(() =>
      averages === undefined ? close() : withAveragedWeights(averages, close),
    );
    this.epoch++;
    this.stepInEpoch = 0;
    this.means.clear();
    if (yielder.due(true)) await yielder.pause();
    return stop;
  }

  private async validate(): Promise<Logs> {
    const { model, validation, validationSteps, validationFrequency } = this.settings;
    if (validation === undefined || (this.epoch + 1) % validationFrequency !== 0) return {};
    const logs = await evaluateStream(model, validation, validationSteps, this.validationSeed);
    return Object.fromEntries(Object.entries(logs).map(([name, value]) => [`val_${name}`, value]));
  }

  /** Rolls back to the last good weights where validation meets a value that is not finite. */
  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NonFiniteError) this.settings.stepper.rollBack();
      throw error;
    }
  }

  private report(logs: Logs, epochEnd: boolean): void {
    const { model, progressBar, onProgress, expectedStepsPerEpoch, stepper } = this.settings;
    const epochs = Number.isFinite(this.settings.epochs) ? this.settings.epochs : undefined;
    const inEpochs = epochs === undefined ? Number.NaN : epochs * (expectedStepsPerEpoch ?? Number.NaN);
    const total = smallest([this.settings.steps, inEpochs].filter(Number.isFinite));
    const steps = Number.isFinite(total) ? total : undefined;
    const progress: Progress = {
      epoch: this.epoch,
      epochs,
      step: this.step,
      steps,
      stepInEpoch: this.stepInEpoch,
      stepsPerEpoch: expectedStepsPerEpoch,
      loss: logs.loss,
      validationLoss: logs.val_loss,
      lossUnit: model.lossUnit,
      exampleKind: this.exampleKind,
      examplesPerSecond: this.speed.examplesPerSecond,
      secondsLeft: steps === undefined ? undefined : (steps - this.step) * this.speed.secondsPerStep,
      epochEnd,
      gradients: stepper.gradientMethod,
    };
    progressBar.show(progress);
    onProgress?.(progress);
  }

  private async save(checkpoint: CheckpointOptions): Promise<void> {
    const { data, validation, noise, stepper } = this.settings;
    // A spoiled checkpoint must never take the place of a good one.
    await stepper.checkWeights();
    const position = {
      step: this.step,
      epoch: this.epoch,
      stepInEpoch: this.stepInEpoch,
      data: data.position,
      validation: validation?.position ?? null,
      validationSeed: this.validationSeed,
      noise: noise.state(),
      means: this.means.state(),
      epochs: [...this.epochs],
      gradients: stepper.gradientChoice,
    };
    await saveCheckpoint(checkpoint.location, position, this.losses, this.parts());
  }

  private parts(): RunParts {
    const { model, optimizer, averages, earlyStopping } = this.settings;
    return { model, optimizer, averages, earlyStopping };
  }
}
