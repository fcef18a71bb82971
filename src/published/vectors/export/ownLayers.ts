import { type Module, serializeModule } from '../../../core/module';
import { type Bijector, Chain, Invert } from '../../../layers';
import { MaskedDenseNetwork } from '../../../layers/networks/maskedDenseNetwork';
import type { Weights } from '../../rule';

/** A configuration as plain JSON. */
export type Config = Readonly<Record<string, unknown>>;

/** A module as plain JSON, whatever is in it. */
export interface Serialized {
  className: string;
  config: Config;
}

/** A layer of a flow of ours. */
export interface OwnLayer extends Serialized {
  name: string;
  /** Whether it stands there turned round. */
  inverted: boolean;
  /** Number of its values. */
  features: number;
  /** Its weights, by names that begin where it does; those of its network begin with `network`. */
  weights: Weights;
  /** Masks of the layers of its network, [outputs, inputs], where it has some. */
  masks: boolean[][][];
}

/** The base of a flow of ours. */
export interface OwnBase extends Serialized {
  weights: Weights;
}

/**
 * The layers of a bijector in the order in which data meet them, chains and turned ones taken apart.
 *
 * @param all weights by their names from the flow on
 * @param path what those of the bijector begin with
 */
export function ownLayers(bijector: Bijector, all: Weights, path: string, inverted = false): OwnLayer[] {
  const kind = bijector.constructor;
  if (kind === Chain || kind === Invert) {
    const turned = kind === Invert ? !inverted : inverted;
    const members = bijector.children as Bijector[];
    const layers = members.map((member) => ownLayers(member, all, `${path}/${member.name}`, turned));
    return (turned ? layers.reverse() : layers).flat();
  }
  return [
    {
      ...(serializeModule(bijector) as Serialized),
      name: bijector.name,
      inverted,
      features: bijector.inputShape[0],
      ...partsOf(bijector, all, path),
    },
  ];
}

function partsOf(layer: Module, all: Weights, path: string): Pick<OwnLayer, 'weights' | 'masks'> {
  // Whatever a network is called, rules call it that.
  const network = layer.children.find(({ name }) => name !== 'passed');
  const networkPath = network && `${path}/${network.name}/`;
  const weights: Weights = new Map();
  for (const [name, values] of all) {
    if (!name.startsWith(`${path}/`)) continue;
    const isNetworks = networkPath !== undefined && name.startsWith(networkPath);
    weights.set(
      isNetworks ? `network/${name.slice(networkPath.length)}` : name.slice(path.length + 1),
      values,
    );
  }
  return { weights, masks: network instanceof MaskedDenseNetwork ? network.masks : [] };
}
