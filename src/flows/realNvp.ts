import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import {
  ActNorm,
  AffineCoupling,
  AffineTransformer,
  type BijectorBuilder,
  type ScaleMap,
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

/** Options of {@link realNvp}. */
export interface RealNvpOptions extends VectorRecipeOptions, RecipeNetworkOptions {
  /** Number of affine couplings. Default 8. */
  layers?: number;
  /** Share of hidden units left out in a training step, 0 to below 1: it helps where rows are few. Default 0. */
  dropout?: number;
  /** Scale map of the couplings: 'exp' with a smooth clamp, 'sigmoid', or 'softclip', that of zuko. Default 'exp'. */
  scale?: ScaleMap | 'softclip';
  /** An actnorm before every coupling. Default true. */
  actnorm?: boolean;
  /** What swaps the parts between couplings. Default 'reverse'. */
  permutation?: 'reverse' | 'shuffle';
  /** A linear map L U from the identity after every permutation. Default false. */
  linear?: boolean;
}

/**
 * Real NVP for vectors: affine couplings with a permutation between them.
 *
 *     x -> [actnorm, affine coupling, permutation] x layers -> z,   z ~ N(0, I)
 *
 * Columns with supports are brought to the line and standardized first. A single value is scaled and shifted by what the networks read in
 * the context. Shapes: x [n, d], context [n, ...] as declared. logProb in nats.
 *
 * @throws ConfigError for a bad configuration, unknown options or columns
 * @see Dinh et al., "Density estimation using Real NVP" (2016), section 3, arXiv:1605.08803
 * @example
 * const flow = realNvp({ dimensions: 2, layers: 6, seed: 1 });
 * flow.sample(10).shape; // [10, 2]
 * const embed = new MultilayerPerceptron({ inputShape: [3], units: 8, seed: 2 });
 * const conditional = realNvp({ dimensions: 2, context: 3, embed, seed: 1 });
 * conditional.sample(10, { context: [0.5, 1, 2] }).shape; // [10, 2]
 */
export function realNvp(options: RealNvpOptions): VectorFlow {
  checkOptions('realNvp', options, names);
  const { layers = 8, actnorm = true, permutation = 'reverse', linear = false, dropout = 0 } = options;
  const { scale = 'exp' } = options;
  checkInteger('realNvp', 'layers', layers);
  checkChoice('realNvp', 'permutation', permutation, ['reverse', 'shuffle']);
  checkChoice('realNvp', 'scale', scale, ['exp', 'sigmoid', 'softclip']);
  const layersOf = (parts: RecipeParts): BijectorBuilder[] =>
    Array.from({ length: layers }, (_, i): BijectorBuilder[] => [
      ...(actnorm ? [actnormOf(i)] : []),
      parts.dimensions > 1
        ? affineCoupling(scale, i, parts)
        : autoregressive(new AffineTransformer({ scale }), i, parts),
      permutationOf(permutation, i, parts.random),
      ...(linear ? [linearMap(i)] : []),
    ]).flat();
  return vectorFlow('realNvp', { ...options, dropout }, layersOf, false);
}

function actnormOf(i: number): BijectorBuilder {
  return (inputShape) => new ActNorm({ inputShape, name: `actnorm${i}` });
}

function affineCoupling(scale: ScaleMap | 'softclip', i: number, { networks }: RecipeParts): BijectorBuilder {
  return (inputShape) => {
    const options = {
      inputShape,
      passthrough: Math.floor(inputShape[0] / 2),
      network: networks.conditioner,
      name: `coupling${i}`,
    };
    return scale === 'softclip'
      ? new TransformerCoupling({ ...options, transformer: new AffineTransformer() })
      : new AffineCoupling({ ...options, scale });
  };
}

const names: OptionNames<RealNvpOptions> = {
  ...vectorRecipeNames,
  ...recipeNetworkNames,
  layers: ['transforms', 'numLayers', 'num_layers'],
  scale: true,
  actnorm: 'boolean',
  permutation: ['order'],
  linear: ['boolean', 'lu'],
};
