import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import { AffineTransformer, type BijectorBuilder, MaskedAutoregressive, type Transformer } from '../layers';
import { type RecipeNetworkOptions, recipeNetworkNames } from './recipeNetworks';
import type { VectorFlow } from './vectorFlow';
import {
  linearMap,
  permutationOf,
  type RecipeParts,
  type VectorRecipeOptions,
  vectorFlow,
  vectorRecipeNames,
} from './vectorRecipe';

/** Options of {@link maskedAutoregressiveFlow}. */
export interface MaskedAutoregressiveFlowOptions extends VectorRecipeOptions, RecipeNetworkOptions {
  /** The map of each value, steered by the values before it. Default: a scale and a shift, `new AffineTransformer()`. */
  transformer?: Transformer;
  /** Number of layers. Default 5. */
  layers?: number;
  /** What orders the values anew before every layer. Default 'reverse'. */
  permutation?: 'reverse' | 'shuffle';
  /** A linear map L U from the identity before every layer and after the last. Default true. */
  linear?: boolean;
}

/**
 * Masked autoregressive flow: in every layer each value is mapped by parameters that a masked network reads in the values before it.
 *
 *     x -> supports, standardize -> [permutation, L U, autoregressive map] x layers -> L U -> z,   z ~ N(0, I)
 *
 * A density takes one pass of each network, samples one incremental sweep over the values. It starts as the identity of standardized data.
 * Shapes: x [n, d], context [n, ...] as declared. logProb in nats; that of a density has no upper bound.
 *
 * @throws ConfigError for a bad configuration, unknown options or columns
 * @see Papamakarios et al., "Masked Autoregressive Flow for Density Estimation" (2017), section 3, arXiv:1705.07057
 * @example
 * const flow = maskedAutoregressiveFlow({ dimensions: 3, context: 2, layers: 2, hiddenUnits: 16, seed: 1 });
 * flow.given([0.5, 1]).sample(10).shape; // [10, 3]
 */
export function maskedAutoregressiveFlow(options: MaskedAutoregressiveFlowOptions): VectorFlow {
  const where = 'maskedAutoregressiveFlow';
  checkOptions(where, options, names);
  const {
    transformer = new AffineTransformer(),
    layers = 5,
    permutation = 'reverse',
    linear = true,
  } = options;
  checkChoice(where, 'permutation', permutation, ['reverse', 'shuffle']);
  checkInteger(where, 'layers', layers);
  return vectorFlow(where, options, (parts) => {
    const layer = (i: number) => [
      permutationOf(permutation, i, parts.random),
      ...(linear ? [linearMap(i)] : []),
      autoregressive(transformer, i, parts),
    ];
    return [
      ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
      ...(linear ? [linearMap(layers)] : []),
    ];
  });
}

/** Layer i: every value by a transformer that reads those before it. */
export function autoregressive(
  transformer: Transformer,
  i: number,
  { networks }: RecipeParts,
): BijectorBuilder {
  return (inputShape) =>
    new MaskedAutoregressive({
      inputShape,
      transformer,
      network: networks.masked,
      name: `autoregressive${i}`,
    });
}

const names: OptionNames<MaskedAutoregressiveFlowOptions> = {
  ...vectorRecipeNames,
  ...recipeNetworkNames,
  transformer: ['univariate'],
  layers: ['transforms', 'numLayers', 'num_layers'],
  permutation: ['order'],
  linear: ['boolean', 'lu'],
};
