import type { ContextOption } from '../core/context';
import type { OptionNames } from '../core/options';
import type { RandomStream } from '../core/random';
import {
  type Activation,
  type Adjacency,
  type ConditionerBuilder,
  type MaskedNetwork,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  ResidualPerceptron,
} from '../layers';

/** Options of the networks in a recipe. */
export interface RecipeNetworkOptions {
  /**
   * Widths of the hidden layers of plain perceptrons; one number: residual networks of that width with `blocks` blocks. Default [64, 64],
   * with which dropout reaches every unit.
   */
  hiddenUnits?: number | readonly number[];
  /** Blocks of two layers each in residual networks. Default 2. */
  blocks?: number;
  /** What hidden units do to what they read. Default 'relu'. */
  activation?: Activation;
  /** Share of hidden units left out in a training step, 0 to below 1. Default 0.1, which gains on tables of up to thousands of rows. */
  dropout?: number;
}

export const recipeNetworkNames: OptionNames<RecipeNetworkOptions> = {
  hiddenUnits: ['hidden', 'hiddenFeatures', 'hidden_features', 'width'],
  blocks: ['numBlocks', 'num_blocks'],
  activation: ['nonlinearity'],
  dropout: ['dropoutProbability', 'dropout_probability'],
};

/** Makes the networks of a recipe, each with a seed of its own. */
export interface RecipeNetworks {
  conditioner: ConditionerBuilder;
  masked(adjacency: Adjacency, outputsPerValue: number): MaskedNetwork;
}

export function recipeNetworks(
  { hiddenUnits = [64, 64], blocks, activation, dropout = 0.1 }: RecipeNetworkOptions,
  context: ContextOption | undefined,
  random: RandomStream,
): RecipeNetworks {
  const common = () => ({ activation, dropout, context, seed: random.childSeed() });
  if (typeof hiddenUnits === 'number') {
    return {
      conditioner: (inputShape, [units]) =>
        new ResidualPerceptron({ inputShape, units, hiddenUnits, blocks, ...common() }),
      masked: (adjacency, outputsPerValue) =>
        new MaskedResidualPerceptron({ adjacency, outputsPerValue, hiddenUnits, blocks, ...common() }),
    };
  }
  return {
    conditioner: (inputShape, [units]) =>
      new MultilayerPerceptron({ inputShape, units, hiddenUnits, ...common() }),
    masked: (adjacency, outputsPerValue) =>
      new MaskedPerceptron({ adjacency, outputsPerValue, hiddenUnits, ...common() }),
  };
}
