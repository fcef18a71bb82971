/**
 * Statistics of latents, or of any samples: normality, priors from few samples, attribute directions, how far they may be taken.
 * In float64 on the host; needs no flow.
 *
 * @module tfjs-flows/attributes
 */
export * from '../statistics';
export type { AttributeName, AttributesInput } from './attributeColumns';
export * from './augment';
export * from './bias';
export * from './calibrate';
export type { DeltaMode } from './contrast';
export { directionSignal } from './directionSignal';
export type { Labeled, SubclassLabels, SubclassName } from './labeled';
export type { LatentLevel } from './layout';
export {
  type DirectionInput,
  type Manipulated,
  type ManipulateOptions,
  manipulate,
  type StrengthsInput,
} from './manipulate';
export * from './meet';
export * from './mixing';
export { type OrderAlong, type OrderAlongOptions, orderAlong } from './orderAlong';
export { positionsAlong } from './positionsAlong';
export * from './prior';
export * from './range';
export * from './transfer';
export { type AttributeDirection, type SubclassDelta, type ZDeltaOptions, zDelta } from './zDelta';
