export { type Augmented, type AugmentOptions, augment } from './augment';
export type { SyntheticSamples } from './batches';
export type { LabelFilter } from './labelKeeping';
export {
  type SynthesisMethod,
  type SynthesizeOptions,
  synthesize,
} from './synthesize';
