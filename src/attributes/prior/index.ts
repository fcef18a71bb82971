export type { BetweenRatios } from './between';
export { type FitPriorOptions, fitPrior } from './fitPrior';
export { type NoveltyInflation, Posterior } from './posterior';
export {
  type ClassStatistics,
  type PosteriorOptions,
  Prior,
  type PriorBlock,
  type SerializedPrior,
} from './prior';
export type { PriorCovarianceKind } from './within';
