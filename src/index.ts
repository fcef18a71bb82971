/**
 * Flows, bijectors, distributions, training, data and files: everything that runs wherever TensorFlow.js does. The names of
 * `tfjs-flows/attributes` are here as well.
 *
 * @module tfjs-flows
 */
import { registerMissingKernels } from './engine/missingKernels';

export * from './attributes';
export type { ContextOption, ContextShape, ContextTensors } from './core/context';
export {
  BackendError,
  ConfigError,
  DataError,
  DisposedError,
  FlowError,
  FormatError,
  GpuFailedError,
  type GpuFailure,
  type MissingForGpu,
  NoGpuError,
  NonFiniteError,
  NotLearnableError,
  ShapeError,
} from './core/errors';
export {
  type DisposeResult,
  deserializeModule,
  Module,
  type NamedWeight,
  registerModule,
  type SerializedModule,
  serializeModule,
} from './core/module';
export { RandomStream, type RandomStreamState, type Seed } from './core/random';
export type { Shape } from './core/shapes';
export { splitChannels, sumPerExample } from './core/tensors';
export * from './data';
export * from './distributions';
export { type Operation, record } from './engine/tape';
export * from './flows';
export * from './io';
export * from './layers';
export { inverseMatrix, logAbsDet, Matrix } from './linalg';
export * from './published';
export * from './training';

registerMissingKernels();
