import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import {
  type BijectorBuilder,
  RationalQuadraticSpline,
  type SplineLimits,
  TransformerCoupling,
} from '../layers';
import { autoregressive } from './maskedAutoregressiveFlow';
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

/** Options of {@link neuralSplineFlow}. */
export interface NeuralSplineFlowOptions extends VectorRecipeOptions, RecipeNetworkOptions {
  /**
   * Who steers whom: 'coupling', half of the values the others, in one pass either way; 'autoregressive', every value those after it,
   * with more weights and slower samples. Default 'coupling'.
   */
  form?: 'coupling' | 'autoregressive';
  /** Number of layers with splines. Default 5. */
  layers?: number;
  /** Pieces of each spline. Default 8. */
  bins?: number;
  /** Splines bend [-bound, bound], in standard deviations of the data, and are the identity outside. Default 5. */
  bound?: number;
  /** What keeps pieces and derivatives of the splines from 0; by 'softclip' they are those of zuko. Default 'minimum', as in nflows. */
  limits?: SplineLimits;
}

/**
 * Neural spline flow: couplings or masked autoregressive layers with rational-quadratic splines, a permutation and a linear map before each.
 *
 *     x -> supports, standardize -> [permutation, L U, splines] x layers -> L U -> z,   z ~ N(0, I)
 *
 * In a coupling the values that pass are bent too, by splines with weights of their own. It starts as the identity of standardized data.
 * A single value is bent by splines that read the context alone.
 * Shapes: x [n, d], context [n, ...] as declared. logProb in nats; that of a density has no upper bound.
 *
 * @throws ConfigError for a bad configuration, unknown options or columns
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3 and 5.1, arXiv:1906.04032
 * @example
 * const flow = neuralSplineFlow({ dimensions: 2, layers: 2, hiddenUnits: 16, seed: 1 });
 * await flow.fit([[1.7, 0.2], [1.6, 0.4], [1.9, 0.1], [1.8, 0.3]], { steps: 3, learningRate: 1e-3, progress: 'none' });
 * flow.sample(10).shape; // [10, 2]
 */
export function neuralSplineFlow(options: NeuralSplineFlowOptions): VectorFlow {
  const where = 'neuralSplineFlow';
  checkOptions(where, options, names);
  const { form = 'coupling', layers = 5, bins = 8, bound = 5, limits } = options;
  checkChoice(where, 'form', form, ['coupling', 'autoregressive']);
  checkInteger(where, 'layers', layers);
  const spline = new RationalQuadraticSpline({ bins, bound, limits });
  return vectorFlow(where, options, (parts) => {
    const couples = form === 'coupling' && parts.dimensions > 1;
    const transform = (i: number) =>
      couples ? splineCoupling(spline, i, parts) : autoregressive(spline, i, parts);
    // Of two values a shuffle leaves the first one first every other time, which then is bent without reading the other.
    const order = !couples && parts.dimensions === 2 ? 'reverse' : 'shuffle';
    const layer = (i: number) => [permutationOf(order, i, parts.random), linearMap(i), transform(i)];
    return [...Array.from({ length: layers }, (_, i) => layer(i)).flat(), linearMap(layers)];
  });
}

function splineCoupling(
  spline: RationalQuadraticSpline,
  i: number,
  { networks }: RecipeParts,
): BijectorBuilder {
  return (inputShape) =>
    new TransformerCoupling({
      inputShape,
      transformer: spline,
      passed: spline,
      passthrough: Math.floor(inputShape[0] / 2),
      network: networks.conditioner,
      name: `coupling${i}`,
    });
}

const names: OptionNames<NeuralSplineFlowOptions> = {
  ...vectorRecipeNames,
  ...recipeNetworkNames,
  form: ['kind', 'type'],
  layers: ['transforms', 'numLayers', 'num_layers'],
  bins: ['numBins', 'num_bins', 'knots'],
  bound: ['tailBound', 'tail_bound', 'interval'],
  limits: true,
};
