import {
  Elementwise,
  Invert,
  MaskedAutoregressive,
  type MaskedNetwork,
  TransformerCoupling,
} from '../../layers';
import type { Rule } from '../rule';
import type { VectorLayer } from './config';
import type { NetworkPiece } from './networks';
import { type LayerPiece, rulesBelow, type Scene } from './piece';
import type { Univariate } from './transformers';

/**
 * A coupling of theirs.
 *
 * @param network its names begin with `networkAt`
 * @param passed the rule of what maps the values that pass, its weight of ours being `parameters`
 */
export function coupling(
  { passes = [] }: VectorLayer,
  { features, name }: Scene,
  parts: { univariate: Univariate; network: NetworkPiece; networkAt: string; passed?: Rule; beside?: Rule[] },
): LayerPiece {
  const { univariate, network, networkAt, passed, beside = [] } = parts;
  return {
    rules: [
      ...beside,
      ...rulesBelow(network.rules, { theirs: networkAt, ours: 'network' }),
      ...(passed ? rulesBelow([passed], { ours: 'passed' }) : []),
    ],
    build: () =>
      new TransformerCoupling({
        inputShape: [features],
        name,
        passthrough: passes,
        transformer: univariate.transformer,
        ...(passed && { passed: univariate.transformer }),
        network: network.build(),
      }),
  };
}

/** A masked autoregressive layer of theirs; `network` has the rules of names behind `networkAt`. */
export function autoregressive(
  { features, name }: Scene,
  parts: {
    univariate: Univariate;
    rules: readonly Rule[];
    networkAt: string;
    network(outputsPerValue: number): MaskedNetwork;
  },
): LayerPiece {
  const { univariate, rules, networkAt, network } = parts;
  const { transformer } = univariate;
  return {
    rules: rulesBelow(rules, { theirs: networkAt, ours: 'network' }),
    build: () => {
      const built = network(transformer.parameters);
      return new MaskedAutoregressive({
        inputShape: [features],
        transformer,
        network: built,
        adjacency: built.adjacency,
        name,
      });
    },
  };
}

/** A map of each value whose parameters a network reads in the context. */
export function elementwise(
  { features, context, name }: Scene,
  parts: { univariate: Univariate; network: NetworkPiece; networkAt: string; beside?: Rule[] },
): LayerPiece {
  const { univariate, network, networkAt, beside = [] } = parts;
  return {
    rules: [...beside, ...rulesBelow(network.rules, { theirs: networkAt, ours: 'network' })],
    build: () =>
      new Elementwise({
        inputShape: [features],
        name,
        transformer: univariate.transformer,
        context,
        network: network.build(),
      }),
  };
}

/** A layer that is written from latents to data is turned round. */
export function turnedAsWritten(
  layer: VectorLayer,
  scene: Scene,
  pieceOf: (layer: VectorLayer, scene: Scene) => LayerPiece,
): LayerPiece {
  if (!layer.inverted) return pieceOf(layer, scene);
  const { rules, build } = pieceOf({ ...layer, inverted: false }, { ...scene, name: 'inverted' });
  return {
    rules: rulesBelow(rules, { ours: 'inverted' }),
    build: () => new Invert({ bijector: build(), name: scene.name }),
  };
}
