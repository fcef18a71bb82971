export { type Augmented, type AugmentOptions, augment } from './augment';
export type { LabelFilter } from './labelKeeping';
export {
  type SynthesisMethod,
  type SynthesizeOptions,
  type SyntheticSamples,
  synthesize,
} from './synthesize';
