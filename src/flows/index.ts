export type { Account, AccountRow } from './account';
export { Classifier, type ClassifierOptions } from './classifier';
export {
  type Context,
  Flow,
  type FlowOptions,
  type InterpolateOptions,
  loadFlow,
  type PassOptions,
  type SampleOptions,
} from './flow';
export { Glow, type GlowOptions } from './glow';
export { ImageFlow, type ImageFlowOptions } from './imageFlow';
export {
  decodeLatents,
  type EncodedEvents,
  type EventSet,
  encodeLabeled,
  encodeLatents,
  type LabeledEvents,
  type LatentPassOptions,
} from './latentMatrices';
export { type RealNvpOptions, realNvp } from './realNvp';
