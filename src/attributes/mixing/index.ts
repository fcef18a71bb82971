export type { MixingPoint, MixingReport } from './assess';
export type { CumulantDecomposition, KurtosisParts, SkewnessParts } from './cumulants';
export type { JointNormality } from './jointNormality';
export {
  type MixedNormalityReport,
  mixedNormality,
  type ViewReport,
} from './mixedNormality';
export type { MixedNormalityOptions } from './protocol';
export type {
  DistanceFromNormal,
  EstimatedBand,
  MixingStatement,
  MixingStatements,
  MixingTrend,
  Verdict,
} from './verdict';
