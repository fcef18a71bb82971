import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import type { Seed } from '../core/random';
import { checkChoice, checkInteger } from '../core/shapes';
import { type Location, loaderOf } from '../io/handlers';
import { AveragedWeights } from './averaging';
import { checkCallbacks, type FitCallbacks } from './callbacks';
import { type CheckpointOptions, checkCheckpoint } from './checkpoint';
import type { FitData } from './data';
import { checkEarlyStopping, type EarlyStoppingOptions } from './earlyStopping';
import { type GradientMethod, gradientMethods } from './gradientMethod';
import type { OptimizerName } from './optimizers';
import { checkFlag, checkFunction, checkNoData, checkPositive, checkSeed, shown } from './optionChecks';
import { type Progress, type ProgressStyle, progressStyles } from './progress';
import { checkSchedule, type Schedule } from './schedules';
import { checkYieldEvery, type YieldEvery } from './yielding';

/** Options of `fit`. */
export interface FitOptions {
  /** Passes over the data, or groups of `stepsPerEpoch`. Default: 1, or no limit where `steps` is given. */
  epochs?: number;
  /** Training steps in all. Default: no limit but `epochs`. */
  steps?: number;
  /** Examples per step, for data in memory. Default: 32. */
  batchSize?: number;
  /** Steps that make an epoch. Default: one pass over the data. */
  stepsPerEpoch?: number;
  /** A tf.train optimizer, or the name of one that `fit` makes and disposes; 'compactAdam' needs the least memory. Default: 'adam'. */
  optimizer?: OptimizerName | tf.Optimizer;
  /** Full learning rate. Default: 1e-3, or that of the given optimizer. */
  learningRate?: number;
  /** How the learning rate runs over the steps. Default: constant. */
  schedule?: Schedule;
  /**
   * Where gradients get the layers' inputs from: 'stored' on the tape; 'reversible', recomputed by inverses in memory that does not
   * grow with depth, for about one more forward pass; 'auto', stored where a step takes at most half of the memory
   * that is left. Which it was stands in `History` and in the first line of `progress`. Default: 'auto'.
   */
  gradients?: GradientMethod;
  /** For reversible gradients: keep the input of every so-many-th layer against rounding. Default: 16. */
  anchorEvery?: number;
  /** Largest absolute value of a gradient's entry; applied before `clipNorm`. Default: no limit. */
  clipValue?: number;
  /** Largest Euclidean norm of all gradients together. Default: no limit. */
  clipNorm?: number;
  /**
   * Average the weights over the steps. A number is the decay (0.999 remembers about 1,000 steps), and the model ends with
   * the averaged weights; an `AveragedWeights` is updated and left to you, and the model ends with the raw weights.
   * Validation, early stopping and `onEpochEnd` see the averaged weights. Default: no average.
   */
  average?: number | AveragedWeights;
  /** Last part of the examples, in (0, 1), held out before any shuffle. Default: none. */
  validationSplit?: number;
  /** Data to validate on; same kinds as the training data. Default: none. */
  validationData?: FitData;
  /** At most so many batches per validation, each time the first of a new pass: the same ones, where the data are. Default: all. */
  validationSteps?: number;
  /** Epochs between two validations. Default: 1. */
  validationFrequency?: number;
  /** Stop when nothing improves any more, and restore the best. Default: never. */
  earlyStopping?: EarlyStoppingOptions;
  /** Hooks as in tfjs-layers, one object or several. Default: none. */
  callbacks?: FitCallbacks | FitCallbacks[];
  /** What to show on standard error. Default: 'auto', a bar on a terminal and lines elsewhere. */
  progress?: ProgressStyle;
  /** Called after every step and at the end of every epoch: for pages and notebooks. Default: nothing. */
  onProgress?: (progress: Progress) => void;
  /** How often the event loop runs. Default: 'auto', every 125 ms. */
  yieldEvery?: YieldEvery;
  /** Ends training after the present step; `fit` then resolves with `stopped: 'aborted'`. Default: none. */
  signal?: AbortSignal;
  /** Seed of order and noise. Default: another one each time. */
  seed?: Seed;
  /** Take examples in memory in a new random order each epoch. Default: true. */
  shuffle?: boolean;
  /** Write checkpoints. Default: none. */
  checkpoint?: CheckpointOptions;
  /**
   * A checkpoint to continue from, with the options and data of the run that wrote it; the numbers are those of a run that never stopped.
   * (On webgl and webgpu the last bits may differ, because tfjs computes small tensors where they happen to be;
   * `tf.env().set('WEBGL_CPU_FORWARD', false)` removes that.) Default: start anew.
   */
  resume?: Location;
}

const names: OptionNames<FitOptions> = {
  epochs: ['epoch', 'nEpochs', 'maxEpochs'],
  steps: ['iterations', 'maxSteps', 'nSteps'],
  batchSize: ['batch', 'batch_size'],
  stepsPerEpoch: ['batchesPerEpoch', 'steps_per_epoch'],
  optimizer: ['optim'],
  learningRate: ['lr', 'rate'],
  schedule: ['scheduler', 'lrSchedule'],
  gradients: ['gradientMethod'],
  anchorEvery: true,
  clipValue: ['gradClipValue'],
  clipNorm: ['gradClip', 'gradientClipping', 'maxGradNorm'],
  average: ['ema', 'averagedWeights'],
  validationSplit: ['validation_split', 'valSplit'],
  validationData: ['validation_data', 'valData'],
  validationSteps: ['validation_steps', 'validationBatches'],
  validationFrequency: ['validation_freq', 'validateEvery'],
  earlyStopping: ['early_stopping'],
  callbacks: ['callback'],
  progress: ['verbose'],
  onProgress: true,
  yieldEvery: true,
  signal: ['abortSignal'],
  seed: ['randomSeed', 'random_state'],
  shuffle: 'boolean',
  checkpoint: ['checkpoints', 'ckpt'],
  resume: ['resumeFrom'],
};

/** Throws a ConfigError for the first option that is unknown or out of its range. */
export function checkFitOptions(options: FitOptions, surplus: readonly unknown[] = []): void {
  checkNoData('fit', options, surplus);
  checkOptions('fit', options, names);
  const given = <Name extends keyof FitOptions>(
    name: Name,
    check: (value: NonNullable<FitOptions[Name]>) => void,
  ) => {
    const value = options[name];
    if (value !== undefined) check(value as NonNullable<FitOptions[Name]>);
  };
  for (const name of INTEGERS) given(name, (value) => checkInteger('fit', name, value));
  for (const name of ['learningRate', 'clipValue', 'clipNorm'] as const) {
    given(name, (value) => checkPositive('fit', name, value));
  }
  given('optimizer', checkOptimizer);
  given('average', checkAverage);
  given('gradients', (value) => checkChoice('fit', 'gradients', value, gradientMethods));
  given('schedule', checkSchedule);
  given('validationSplit', checkSplit);
  given('earlyStopping', checkEarlyStopping);
  given('callbacks', checkCallbacks);
  given('progress', (value) => checkChoice('fit', 'progress', value, progressStyles));
  given('onProgress', (value) => checkFunction('fit', 'onProgress', value));
  given('yieldEvery', checkYieldEvery);
  given('signal', (value) => {
    if (typeof value.aborted === 'boolean') return;
    const hint = 'Write controller.signal.';
    throw new ConfigError(complaint('fit', 'the signal of an AbortController', shown(value), hint));
  });
  given('seed', (value) => checkSeed('fit', value));
  given('shuffle', (value) => checkFlag('fit', 'shuffle', value));
  given('checkpoint', checkCheckpoint);
  given('resume', (value) => loaderOf('fit', value));
  if (options.validationSplit !== undefined && options.validationData !== undefined) {
    throw new ConfigError(complaint('fit', 'validationSplit or validationData', 'both'));
  }
}

const INTEGERS = [
  'epochs',
  'steps',
  'batchSize',
  'stepsPerEpoch',
  'validationSteps',
  'validationFrequency',
  'anchorEvery',
] as const;

function checkOptimizer(value: OptimizerName | tf.Optimizer): void {
  if (typeof value === 'string' || typeof value?.applyGradients === 'function') return;
  throw new ConfigError(complaint('fit', 'a tf.train optimizer or the name of one', shown(value)));
}

function checkAverage(value: number | AveragedWeights): void {
  if (typeof value === 'number' || value instanceof AveragedWeights) return;
  throw new ConfigError(complaint('fit', 'a decay or AveragedWeights as average', shown(value)));
}

function checkSplit(value: number): void {
  if (value > 0 && value < 1) return;
  throw new ConfigError(complaint('fit', 'a validationSplit between 0 and 1', shown(value)));
}
