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
export type { LatentsInput, ShapedArray, VectorInput } from './inputs';
export { type LedoitWolfOptions, type LedoitWolfResult, ledoitWolf } from './ledoitWolf';
export * from './multivariate';
export * from './normality';
export { buresDistanceSquared, otMap } from './optimalTransport';
