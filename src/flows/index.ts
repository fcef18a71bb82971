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
export { type RealNvpOptions, realNvp } from './realNvp';
