import { type ContextOption, contextShapeOf } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { building } from '../core/module';
import type { OptionNames } from '../core/options';
import { RandomStream } from '../core/random';
import { type Shape, sameShape } from '../core/shapes';
import { type Distribution, StackedBase, StandardNormal } from '../distributions';
import { type BijectorBuilder, Chain, Linear, Permutation } from '../layers';
import { type ColumnPlan, columnSupports } from '../layers/supports/columnSupports';
import { type ColumnsOptions, readColumns } from '../layers/supports/columns';
import { type Embed, throughEmbed } from './embedding';
import { type RecipeNetworkOptions, type RecipeNetworks, recipeNetworks } from './recipeNetworks';
import { VectorFlow } from './vectorFlow';

/** Options of every recipe for vectors. */
export interface VectorRecipeOptions extends ColumnsOptions {
  /** What the networks read too: a number of values, an event shape, or either by name. Default: nothing. */
  context?: ContextOption;
  /** Networks of the flow's own that the context goes through first, one or one per part by name. Default: none. */
  embed?: Embed;
  /**
   * Distribution of the latents of the layers, [d] without categories and angles, whose latents stay standard normal; it is owned from
   * here on. Default: standard normal.
   */
  base?: Distribution;
  /** Name in messages. Default: that of the recipe. */
  name?: string;
  /** Seed of initial weights and sampling. Default: another one each time. */
  seed?: number;
}

export const vectorRecipeNames: OptionNames<VectorRecipeOptions> = {
  dimensions: ['dim', 'd', 'features'],
  columns: ['columnNames', 'names'],
  supports: ['bounds', 'constraints'],
  context: ['contextSize', 'contextFeatures', 'context_features', 'condition'],
  embed: ['embedding', 'embeddingNet'],
  base: ['distribution', 'prior'],
  name: true,
  seed: true,
};

/** What a recipe makes its layers of. */
export interface RecipeParts {
  /** Number of values that the layers take. */
  dimensions: number;
  networks: RecipeNetworks;
  random: RandomStream;
}

/**
 * A flow of vectors by a recipe: the columns on their supports and standardized, then the recipe's layers.
 *
 * @param layersOf the recipe's layers, in the order in which data meets them
 * @param standardizes whether real columns need to be standardized for these layers
 */
export function vectorFlow(
  where: string,
  options: VectorRecipeOptions & RecipeNetworkOptions,
  layersOf: (parts: RecipeParts) => BijectorBuilder[],
  standardizes = true,
): VectorFlow {
  return building(() => {
    const { base, embed, name = where, seed } = options;
    const columns = readColumns(where, options);
    const context = throughEmbed(where, embed, contextShapeOf(where, options.context), 'inputShape');
    const random = new RandomStream(seed);
    const chain = (inputShape: Shape, read: ContextOption | undefined, chainName: string) => {
      const networks = recipeNetworks(options, read, random);
      return Chain.from(inputShape, layersOf({ dimensions: inputShape[0], networks, random }), chainName);
    };
    const bare = !standardizes && columns.every(({ support }) => support.kind === 'real');
    const { conditioner: network } = recipeNetworks(options, undefined, random);
    const plan = columnSupports({ columns, context, network });
    const bijector = bare
      ? chain([columns.length], context, 'bijector')
      : plan.assemble((inputShape, read) => chain(inputShape, read, 'layers'));
    const ofAll = base && withHeads(where, base, plan);
    return new VectorFlow({ bijector, columns, base: ofAll, embed, name, seed: random.childSeed() });
  });
}

/** A base of the latents of the layers beside that of categories and angles, whose latents are standard normal. */
function withHeads(where: string, base: Distribution, { heads, dimensions }: ColumnPlan): Distribution {
  if (!sameShape(base.eventShape, [dimensions])) {
    const beside = heads === 0 ? '' : ', without categories and angles,';
    throw new ConfigError(
      complaint(where, `a base over the [${dimensions}] latents${beside}`, base.eventShape),
    );
  }
  if (heads === 0) return base;
  return new StackedBase({ parts: [new StandardNormal({ eventShape: [heads], name: 'heads' }), base] });
}

/** What orders the values anew before or after layer i. */
export function permutationOf(
  order: 'reverse' | 'shuffle',
  i: number,
  random: RandomStream,
): BijectorBuilder {
  return (inputShape) =>
    new Permutation({ inputShape, order, seed: random.childSeed(), name: `permutation${i}` });
}

/** A linear map L U from the identity, before layer i or after the last. */
export function linearMap(i: number): BijectorBuilder {
  return (inputShape) => new Linear({ inputShape, name: `linear${i}` });
}
