export type { NearNormality } from './gate';
export type { Strengths } from './intervals';
export {
  LearnableRange,
  type LearnableRangeOptions,
  learnableRange,
  type StrengthStatus,
  type SubclassSummary,
  type VarianceRatio,
} from './learnableRange';
export type { NormalSummary, RangeKind } from './priorRange';
