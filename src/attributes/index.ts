/**
 * Statistics of latents, or of any samples: normality, priors from few samples, attribute directions, how far they may be taken.
 * In float64 on the host; needs no flow.
 *
 * @module tfjs-flows/attributes
 */
export * from './augment';
export * from './bias';
export type { DeltaMode } from './contrast';
export {
  BlockCovariance,
  Covariance,
  type CovarianceKind,
  covarianceFromJSON,
  DiagonalCovariance,
  FullCovariance,
  LowRankCovariance,
  type SerializedCovariance,
} from './covariance';
export type {
  Labeled,
  LatentsInput,
  ShapedArray,
  SubclassLabels,
  SubclassName,
  VectorInput,
} from './latents';
export type { LatentLevel } from './layout';
export { type LedoitWolfOptions, type LedoitWolfResult, ledoitWolf } from './ledoitWolf';
export { type DirectionInput, type Manipulated, type ManipulateOptions, manipulate } from './manipulate';
export * from './mixing';
export * from './multivariate';
export * from './normality';
export { buresDistanceSquared, otMap } from './optimalTransport';
export * from './prior';
export * from './range';
export * from './transfer';
export { type AttributeDirection, type ClassDelta, type ZDeltaOptions, zDelta } from './zDelta';
