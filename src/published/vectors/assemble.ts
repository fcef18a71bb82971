import { complaint, FormatError } from '../../core/errors';
import { building } from '../../core/module';
import type { Distribution } from '../../distributions';
import { type Bijector, Chain, type Conditioner, MultilayerPerceptron } from '../../layers';
import { map, type Values, zeros } from '../arrays';
import type { Rule } from '../rule';
import type { VectorConfig } from './config';
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
  const embed = standardizesContext ? standardization(context) : undefined;
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

/** (context - mean) / deviation, as sbi has it, by a linear network. */
function standardization(size: number): Piece<Conditioner> {
  const rule: Rule = {
    theirs: { '0._mean': [size], '0._std': [size] },
    ours: ['kernel0', 'bias0'],
    read: ([mean, deviation]) => {
      checkDeviations(deviation);
      const kernel = zeros([size, size]);
      for (let i = 0; i < size; i++) kernel.data[i * size + i] = 1 / deviation.data[i];
      return [kernel, map(mean, (value, i) => -value / deviation.data[i])];
    },
    write: ([kernel, bias]) => {
      const deviation = map(bias, (_, i) => 1 / kernel.data[i * size + i]);
      return [map(bias, (value, i) => -value * deviation.data[i]), deviation];
    },
  };
  return {
    rules: [rule],
    build: () => new MultilayerPerceptron({ inputShape: [size], units: size, hiddenUnits: [] }),
  };
}

function checkDeviations({ data }: Values): void {
  const bad = data.find((value) => !(value > 0 && Number.isFinite(value)));
  if (bad === undefined) return;
  throw new FormatError(complaint('importCheckpoint', 'deviations of the context above 0', bad));
}
