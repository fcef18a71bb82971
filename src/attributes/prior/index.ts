export type { BetweenRatios } from './between';
export type { PriorBlock } from './blocks';
export type { NoveltyCalibration } from './calibrate';
export type { SamplesInput } from './checks';
export { type FitPriorOptions, fitPrior } from './fitPrior';
export type { Novelty, NoveltyInflation, SubclassStatistics } from './novelty';
export { Posterior, type PosteriorOptions, Prior } from './prior';
export type { SerializedPrior } from './serialize';
export type { PriorCovarianceKind } from './within';
