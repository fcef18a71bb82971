export { AveragedWeights, withAveragedWeights } from './averaging';
export type { BatchLike, BatchSource, DatasetLike } from './batchStream';
export type { FitCallbacks } from './callbacks';
export type { CheckpointOptions } from './checkpoint';
export { clipByGlobalNorm, clipByValue, globalNorm } from './clipping';
export { CompactAdam, type CompactAdamOptions } from './compactAdam';
export type { FitData } from './data';
export type { EarlyStoppingOptions } from './earlyStopping';
export { type EvaluateOptions, evaluate } from './evaluate';
export type { ExampleArray, ExampleSet, NestedNumbers, NumericArray } from './examples';
export { fit } from './fit';
export type { FitOptions } from './fitOptions';
export type { GradientMethod } from './gradientMethod';
export { type Gradients, storedGradients } from './gradients';
export type { EpochLogs, History, StopReason } from './history';
export type { Logs } from './logs';
export type { OptimizerName } from './optimizers';
export { type Progress, ProgressBar, type ProgressStream, type ProgressStyle } from './progress';
export { type ReversibleOptions, reversibleGradients } from './reversible';
export {
  type ConstantSchedule,
  type CosineSchedule,
  learningRateAt,
  type NoamSchedule,
  type Schedule,
  type StepSchedule,
} from './schedules';
export type { Batch, BijectiveLoss, Loss, Trainable } from './trainable';
export type { YieldEvery } from './yielding';
