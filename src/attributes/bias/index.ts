export { type BiasReportOptions, biasReport } from './biasReport';
export type { Complementarity } from './complementarity';
export type { SubclassDifferences } from './differences';
export type { PermutationTest } from './permutation';
export type { AttributeConsistency, BiasReport, SubclassBias } from './report';
export type { SubclassShape } from './shapes';
export type { SubclassTransfer, Transferability, TransferGain, TransferScores } from './transferability';
