import { type ContextOption, contextShapeOf } from '../core/context';
import { building } from '../core/module';
import { checkOptions, type OptionNames } from '../core/options';
import { RandomStream } from '../core/random';
import { checkInteger, type Shape } from '../core/shapes';
import {
  ActNorm,
  AffineCoupling,
  type BijectorBuilder,
  Chain,
  MultilayerPerceptron,
  type MultilayerPerceptronOptions,
  Permutation,
  type ScaleMap,
} from '../layers';
import { type Embed, throughEmbed } from './embedding';
import { Flow } from './flow';

/** Options of {@link realNvp}. */
export interface RealNvpOptions {
  /** Length d of the data vectors, at least 2. */
  dimensions: number;
  /** Number of affine couplings. Default 8. */
  layers?: number;
  /** Widths of the hidden layers of each coupling's network. Default [64, 64]. */
  hiddenUnits?: readonly number[];
  /** Activation of the networks. Default 'relu'. */
  activation?: MultilayerPerceptronOptions['activation'];
  /** Scale map of the couplings: 'exp' with a smooth clamp, or 'sigmoid'. Default 'exp'. */
  scale?: ScaleMap;
  /** An actnorm before every coupling. Default true. */
  actnorm?: boolean;
  /** What swaps the parts between couplings. Default 'reverse'. */
  permutation?: 'reverse' | 'shuffle';
  /** What the networks read too: a number of values, an event shape, or either by name. Default: nothing. */
  context?: ContextOption;
  /** Networks of the flow's own that the context goes through first, one or one per part by name. Default: none. */
  embed?: Embed;
  /** Name in messages. Default 'realNvp'. */
  name?: string;
  /** Seed of initial weights and sampling. Default: another one each time. */
  seed?: number;
}

/**
 * Real NVP for vectors: affine couplings with a permutation between them, and a standard normal base.
 *
 *     x -> [actnorm, affine coupling, permutation] x layers -> z,   z ~ N(0, I)
 *
 * Shapes: x and z [n, d]; context [n, ...] as declared. logProb in nats.
 *
 * @throws ConfigError for a bad configuration or unknown options
 * @see Dinh et al., "Density estimation using Real NVP" (2016), section 3, arXiv:1605.08803
 * @example
 * const flow = realNvp({ dimensions: 2, layers: 6, seed: 1 });
 * flow.sample(10).shape; // [10, 2]
 * const embed = new MultilayerPerceptron({ inputShape: [3], units: 8, seed: 2 });
 * const conditional = realNvp({ dimensions: 2, context: 3, embed, seed: 1 });
 * conditional.sample(10, { context: [0.5, 1, 2] }).shape; // [10, 2]
 */
export function realNvp(options: RealNvpOptions): Flow {
  checkOptions('realNvp', options, names);
  return building(() => build(options));
}

function build(options: RealNvpOptions): Flow {
  const { dimensions, layers = 8, actnorm = true, permutation = 'reverse', scale = 'exp' } = options;
  const { hiddenUnits, activation, embed, name = 'realNvp' } = options;
  checkInteger('realNvp', 'dimensions', dimensions, 2);
  checkInteger('realNvp', 'layers', layers);
  const context = throughEmbed('realNvp', embed, contextShapeOf('realNvp', options.context), 'inputShape');
  const random = new RandomStream(options.seed);
  const builders = Array.from({ length: layers }, (_, i): BijectorBuilder[] => [
    ...(actnorm
      ? [(inputShape: Shape) => new ActNorm({ inputShape, name: `actnorm${i}` })]
      : ([] as BijectorBuilder[])),
    (inputShape) =>
      new AffineCoupling({
        inputShape,
        scale,
        passthrough: Math.floor(dimensions / 2),
        name: `coupling${i}`,
        network: (input, [units]) =>
          new MultilayerPerceptron({
            inputShape: input,
            units,
            hiddenUnits,
            activation,
            context,
            seed: random.childSeed(),
          }),
      }),
    (inputShape) =>
      new Permutation({ inputShape, order: permutation, seed: random.childSeed(), name: `permutation${i}` }),
  ]);
  const bijector = Chain.from([dimensions], builders.flat(), 'bijector');
  return new Flow({ bijector, embed, name, seed: random.childSeed() });
}

const names: OptionNames<RealNvpOptions> = {
  dimensions: ['dim', 'd', 'features'],
  layers: true,
  hiddenUnits: ['hidden'],
  activation: true,
  scale: true,
  actnorm: 'boolean',
  permutation: true,
  context: ['contextSize'],
  embed: true,
  name: true,
  seed: true,
};
