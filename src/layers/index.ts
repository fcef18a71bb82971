export { ActNorm, type ActNormOptions } from './actnorm';
export {
  Bijector,
  type BijectorOptions,
  type BothWays,
  type Conditioning,
  type Cost,
  type LatentSlice,
  type Reversed,
  type TraceEntry,
  type Transformed,
} from './bijector';
export { type BijectorBuilder, Chain, type ChainOptions } from './chain';
export {
  AdditiveCoupling,
  AffineCoupling,
  type AffineCouplingOptions,
  Coupling,
  type CouplingOptions,
} from './coupling';
export { Dequantize, type DequantizeOptions, type Preprocessing } from './dequantize';
export { Elementwise, type ElementwiseOptions } from './elementwise';
export { Flatten, type FlattenOptions } from './flatten';
export { InvConv1x1, type InvConv1x1Options } from './invConv1x1';
export { Invert, type InvertOptions } from './invert';
export type { ClassOption } from './labels';
export { LearnedPrior, type LearnedPriorOptions, type PriorKind } from './learnedPrior';
export { Linear, type LinearOptions } from './linear';
export { MaskedAutoregressive, type MaskedAutoregressiveOptions } from './maskedAutoregressive';
export type { HostMeasure, Measure } from './measures';
export { MultiScale, type MultiScaleOptions } from './multiScale';
export * from './networks';
export { Permutation, type PermutationOptions } from './permutation';
export { ReversePass, type ReversePassOptions } from './reversePass';
export type { ScaleMap } from './scaleMaps';
export { Split, type SplitOptions } from './split';
export { Squeeze, type SqueezeOptions } from './squeeze';
export * from './supports';
export { TransformerCoupling, type TransformerCouplingOptions } from './transformerCoupling';
export * from './transformers';
