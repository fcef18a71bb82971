export type {
  Labeled,
  LatentsInput,
  ShapedArray,
  SubclassLabels,
  SubclassName,
  VectorInput,
} from './latents';
export * from './normality';
