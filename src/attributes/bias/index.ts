export { type BiasReport, type BiasReportOptions, biasReport, type SubclassBias } from './biasReport';
export type { Complementarity } from './complementarity';
export type { PermutationTest, SubclassDifferences } from './differences';
export type { SubclassShape } from './shapes';
export type { Transferability, TransferScores } from './transferability';
