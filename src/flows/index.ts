export type { Account, AccountRow } from './account';
export { Classifier, type ClassifierOptions } from './classifier';
export type { ColumnAdvice } from './columnAdvice';
export type { Context, ContextValue } from './context';
export type { Embed } from './embedding';
export type { EventArray, EventSet, Events } from './events';
export { Flow, type FlowOptions } from './flow';
export {
  ConditionedFlow,
  ConditionedImageFlow,
  ConditionedVectorFlow,
  type FlowVerbs,
  type ImageFlowVerbs,
  type SampledWithLogProb,
  type VectorFlowVerbs,
} from './given';
export { Glow, type GlowOptions } from './glow';
export { ImageFlow, type ImageFlowOptions } from './imageFlow';
export {
  decodeLatents,
  type EncodedEvents,
  encodeLabeled,
  encodeLatents,
  type LabeledEvents,
  type LatentPassOptions,
} from './latentMatrices';
export { loadFlow } from './loadFlow';
export { type MaskedAutoregressiveFlowOptions, maskedAutoregressiveFlow } from './maskedAutoregressiveFlow';
export { type NeuralSplineFlowOptions, neuralSplineFlow } from './neuralSplineFlow';
export type {
  ContextOptions,
  DecodeOptions,
  InterpolateOptions,
  PassOptions,
  SampleOptions,
  TransformOptions,
} from './options';
export { type RealNvpOptions, realNvp } from './realNvp';
export type { RecipeChoice } from './recipeChoice';
export type { RecipeNetworkOptions } from './recipeNetworks';
export { type Recommendation, recommend } from './recommend';
export { ConditionalDensity } from './someColumns/conditionalDensity';
export {
  type ColumnDensityOptions,
  type DensityEstimate,
  MarginalDensity,
} from './someColumns/marginalDensity';
export { VectorFlow, type VectorFlowOptions } from './vectorFlow';
export type { VectorRecipeOptions } from './vectorRecipe';
