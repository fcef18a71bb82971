export type { BetweenRatios } from './between';
export { type FitPriorOptions, fitPrior } from './fitPrior';
export { type NoveltyInflation, Posterior } from './posterior';
export { type PosteriorOptions, Prior } from './prior';
export type { ClassStatistics, PriorBlock, SerializedPrior } from './serialize';
export type { PriorCovarianceKind } from './within';
