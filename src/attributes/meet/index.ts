export type { CarriedDirection, KnownAttribute } from './known';
export { type LearnAttributeOptions, type LearnedAttribute, learnAttribute } from './learnAttribute';
export type { Meeting, MetSubclass } from './meeting';
export { type MeetSubclassOptions, meetSubclass } from './meetSubclass';
