export type { BigArray, NestedNumbers, NumericArray } from '../core/numbers';
export { AveragedWeights, withAveragedWeights } from './averaging';
export type { BatchLike, BatchSource, DatasetLike } from './batchSource';
export type { FitCallbacks } from './callbacks';
export type { CheckpointOptions } from './checkpoint';
export { clipByGlobalNorm, clipByValue, globalNorm } from './clipping';
export { CompactAdam, type CompactAdamOptions } from './compactAdam';
export type { FitData } from './data';
export type { EarlyStoppingOptions } from './earlyStopping';
export { type EvaluateOptions, evaluate } from './evaluate';
export type { ContextArrays, ExampleArray, ExamplePair, ExampleSet } from './exampleSet';
export { fit } from './fit';
export type { FitOptions } from './fitOptions';
export type { ChosenGradients, GradientMethod } from './gradientMethod';
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
