import { building } from '../../core/module';
import type { Distribution } from '../../distributions';
import { type Bijector, Chain, type Conditioner } from '../../layers';
import type { VectorConfig } from './config';
import { contextStandardization } from './contextStandardization';
import type { VectorLibrary } from './library';
import { type Piece, rulesBelow } from './piece';

/** Where a flow's names are in a file, and what its masks are. */
export interface Places {
  /** What names of the flow begin with: nothing, or `net`. */
  flow: string;
  /** What names of the context's standardization begin with. */
  embedding: string;
  /** A mask by its full name. */
  mask(name: string): boolean[][];
}

/** The parts of a flow of ours. */
export interface FlowParts {
  bijector: Bijector;
  base: Distribution;
  embed?: Conditioner;
}

/** A flow by its description, with the rules for all of its parameters. */
export function assemble(code: VectorLibrary, config: VectorConfig, places: Places): Piece<FlowParts> {
  const { features, context, layers, standardizesContext } = config;
  const pieces = layers.map((layer, i) => {
    const name = `layer${i}`;
    const mask = (end: string) => places.mask(`${layer.at}.${end}`);
    const piece = code.layer(layer, { features, context, name, mask });
    return { ...piece, rules: rulesBelow(piece.rules, { theirs: layer.at, ours: `bijector/${name}` }) };
  });
  const base = code.base(config);
  const embed = standardizesContext && contextStandardization(context, standardizesContext);
  return {
    rules: [
      ...pieces.flatMap(({ rules }) => rules),
      ...rulesBelow(base.rules, { theirs: places.flow, ours: 'base' }),
      ...(embed ? rulesBelow(embed.rules, { theirs: places.embedding, ours: 'embed/network' }) : []),
    ],
    build: () =>
      building(() => {
        const bijectors = pieces.map(({ build }) => build());
        if (!code.fromData) bijectors.reverse();
        return {
          bijector: new Chain({ bijectors, name: 'bijector' }),
          base: base.build(),
          ...(embed && { embed: embed.build() }),
        };
      }),
  };
}
