export {
  type CarriedDirection,
  type KnownAttribute,
  type LearnAttributeOptions,
  type LearnedAttribute,
  learnAttribute,
} from './learnAttribute';
export { type Meeting, type MeetSubclassOptions, type MetSubclass, meetSubclass } from './meetSubclass';
