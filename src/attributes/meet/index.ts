export {
  type KnownAttribute,
  type LearnAttributeOptions,
  type LearnedAttribute,
  learnAttribute,
} from './learnAttribute';
export { type MeetSubclassOptions, type MetSubclass, meetSubclass } from './meetSubclass';
