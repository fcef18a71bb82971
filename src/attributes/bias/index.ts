export { type BiasReport, type BiasReportOptions, biasReport, type ClassBias } from './biasReport';
export type { Complementarity } from './complementarity';
export type { ClassDifferences, PermutationTest } from './differences';
export type { ClassShape } from './shapes';
export type { Transferability, TransferScores } from './transferability';
