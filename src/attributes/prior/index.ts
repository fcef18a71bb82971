export type { BetweenRatios } from './between';
export { type FitPriorOptions, fitPrior } from './fitPrior';
export { type NoveltyInflation, Posterior, type PosteriorOptions, Prior } from './prior';
export type { PriorBlock, SerializedPrior, SubclassStatistics } from './serialize';
export type { PriorCovarianceKind } from './within';
