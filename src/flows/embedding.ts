import type * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, isNamed, mapContext, showContext } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { deserializeModule, Module, type SerializedModule, serializeModule } from '../core/module';
import { type Shape, sameShape } from '../core/shapes';
import { Conditioner } from '../layers';

/** Networks between the context as it is given and what the layers read of it: one, or one per part by name. */
export type Embed = Conditioner | Readonly<Record<string, Conditioner>>;

/** The networks that a flow's context goes through; parts without one pass as they are. */
export class Embedding extends Module {
  static className = 'FlowEmbedding';
  private readonly networks: Readonly<Record<string, Conditioner>>;

  /** @param outerShape the context as it is given */
  constructor(
    readonly embed: Embed | undefined,
    readonly outerShape: ContextShape,
  ) {
    super('embed');
    this.networks = networksOf(embed);
    for (const [part, network] of Object.entries(this.networks)) {
      this.addChild(part === '' ? network : new EmbeddedPart(part, network));
    }
  }

  /** Whether a part goes through a network. */
  changes(part: string): boolean {
    return this.networks[part] !== undefined;
  }

  /** [n, ...] as it is given -> [n, ...] as the layers read it; differentiable. */
  apply(context: ContextTensors): ContextTensors {
    return mapContext(context, (part, name = '') => this.networks[name]?.apply(part) ?? part);
  }

  /** Data-dependent initialization of what is not initialized. */
  initialize(context: ContextTensors): void {
    mapContext(context, (part, name = '') => this.networks[name]?.initialize(part) ?? part);
  }

  getConfig(): tf.serialization.ConfigDict {
    return embedConfig(this.embed);
  }
}

/** A part's network under the part's name, as weights are named: `embed/pose/network/kernel0`. */
class EmbeddedPart extends Module {
  static className = 'FlowEmbeddedPart';

  constructor(name: string, network: Conditioner) {
    super(name);
    this.addChild(network);
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name };
  }
}

/**
 * The context on the other side of the networks.
 *
 * @param side what `shape` is to the networks: what they read, or what they return
 * @throws ConfigError where they do not fit
 */
export function throughEmbed(
  where: string,
  embed: Embed | undefined,
  shape: ContextShape | undefined,
  side: 'inputShape' | 'outputShape',
): ContextShape | undefined {
  if (embed === undefined) return shape;
  if (shape === undefined) {
    throw new ConfigError(complaint(where, 'a context for `embed`', 'none', 'Declare it: context: 3.'));
  }
  const networks = networksOf(embed);
  const parts: Readonly<Record<string, Shape>> = isNamed(shape) ? shape : { '': shape };
  const unknown = Object.keys(networks).find((name) => parts[name] === undefined);
  if (unknown !== undefined) {
    const received = unknown === '' ? 'one network without a name' : `a network for '${unknown}'`;
    throw new ConfigError(complaint(where, `networks for the context ${showContext(shape)}`, received));
  }
  const others = Object.entries(parts).map(([name, part]) => {
    const network = networks[name];
    if (network === undefined) return [name, part] as const;
    if (!sameShape(network[side], part) || network.contextShape !== undefined) {
      throw new ConfigError(complaint(where, expectedNetwork(name, part, side), showNetwork(network)));
    }
    return [name, network[side === 'inputShape' ? 'outputShape' : 'inputShape']] as const;
  });
  return isNamed(shape) ? Object.fromEntries(others) : others[0][1];
}

/** The networks as plain JSON, without weights, for the configuration of a flow. */
export function embedConfig(embed: Embed | undefined): tf.serialization.ConfigDict {
  if (embed === undefined) return {};
  if (embed instanceof Conditioner) return { embed: serializeModule(embed) as never };
  const parts = Object.entries(embed).map(([name, network]) => [name, serializeModule(network)]);
  return { embed: Object.fromEntries(parts) };
}

/** The networks of a flow's configuration, with fresh weights, as the option that they were. */
export function embedOption({ embed }: tf.serialization.ConfigDict): { embed?: Embed } {
  if (embed === undefined) return {};
  const json = embed as unknown as SerializedModule | Record<string, SerializedModule>;
  if (typeof json.className === 'string')
    return { embed: deserializeModule<Conditioner>(json as SerializedModule) };
  const parts = Object.entries(json as Record<string, SerializedModule>);
  return {
    embed: Object.fromEntries(
      parts.map(([name, network]) => [name, deserializeModule<Conditioner>(network)]),
    ),
  };
}

function networksOf(embed: Embed | undefined): Readonly<Record<string, Conditioner>> {
  return embed instanceof Conditioner ? { '': embed } : (embed ?? {});
}

function expectedNetwork(name: string, shape: Shape, side: 'inputShape' | 'outputShape'): string {
  const verb = side === 'inputShape' ? 'reads' : 'returns';
  const of = name === '' ? '' : ` of '${name}'`;
  return `an embed${of} that ${verb} [${shape.join(', ')}] and is conditioned on nothing`;
}

function showNetwork({ inputShape, outputShape, contextShape }: Conditioner): string {
  const conditioned = contextShape === undefined ? '' : ` with ${showContext(contextShape)}`;
  return `[${inputShape.join(', ')}] -> [${outputShape.join(', ')}]${conditioned}`;
}
