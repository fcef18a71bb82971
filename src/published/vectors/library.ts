import { complaint, FormatError } from '../../core/errors';
import { largest } from '../../core/lists';
import type { Distribution } from '../../distributions';
import type { Below } from './below';
import type { GuessedField, VectorBase, VectorConfig, VectorLayer, VectorSettings } from './config';
import type { LayerPiece, Piece, Scene } from './piece';

/*
 * A library is one table (`VectorLibrary`) in a file of its own, listed in libraries.ts. `infer` describes a flow from names and shapes, each layer by
 * plain JSON (`VectorLayer`), with what else its guesses could be. `layer` and `base` make of a description the rules for the library's parameters
 * and the layer of ours; import, check and export read the same rules. What many libraries share stands beside: fully connected layers
 * (dense.ts), networks (networks.ts), maps of single numbers (transformers.ts), layers around them (couplings.ts, linearLayers.ts).
 */

/** What the file does not say about a layer, and what else it could be than what was taken. */
export type Others = Partial<Record<GuessedField, readonly (string | number | boolean)[]>>;

/** A layer as names and shapes tell it, what they leave open being the library's default. */
export interface InferredLayer {
  layer: VectorLayer;
  others: Others;
}

/** A layer with the sizes that all layers of a flow share. */
export interface SizedLayer extends InferredLayer {
  features: number;
  /** Number of values of the context, 0 where it reads none. */
  context: number;
}

/** What a file's names and shapes tell. */
export interface InferredFlow {
  features: number;
  context: number;
  /** In the order of the file. */
  layers: InferredLayer[];
  base: VectorBase;
}

/** A library whose flows are read and written: one table for import, check and export. */
export interface VectorLibrary {
  /** Whether these are its names. */
  recognizes(file: Below): boolean;
  /** @throws FormatError for what is not supported, by name, and where something is missing that sizes are read from */
  infer(file: Below, how: InferHow): InferredFlow;
  /** Whether layers of the file are in the order in which data meet them; else the other way round. */
  fromData: boolean;
  /** A layer of ours; names begin behind the layer's `at`. */
  layer(layer: VectorLayer, scene: Scene): LayerPiece;
  /** The distribution of the latents; names begin where the flow's do. */
  base(config: VectorConfig): Piece<Distribution>;
  /** Names that may be there or not. */
  ignores(name: string): boolean;
}

/** What may be told before anything is inferred. */
export interface InferHow extends Pick<VectorSettings, 'gaps'> {
  /** Whether the builders of sbi made the flow, whose defaults differ. */
  sbi: boolean;
}

/**
 * The sizes that all layers share; a layer that has one number for all values fits any.
 *
 * @throws FormatError where layers differ
 */
export function commonSizes(
  layers: readonly SizedLayer[],
): Pick<InferredFlow, 'features' | 'context' | 'layers'> {
  if (layers.length === 0) throw new FormatError(complaint('importCheckpoint', 'layers of a flow', 'none'));
  const features = largest(layers.map((layer) => layer.features));
  const context = largest(layers.map((layer) => layer.context));
  const problems = layers.flatMap(({ layer, ...sizes }) => [
    ...(sizes.features === features || sizes.features === 1
      ? []
      : [`${layer.at} has ${sizes.features} values`]),
    ...(sizes.context === context || sizes.context === 0
      ? []
      : [`${layer.at} reads ${sizes.context} of a context`]),
  ]);
  if (problems.length > 0) {
    const expected = `layers of ${features} values${context > 0 ? ` and a context of ${context}` : ''}`;
    throw new FormatError(complaint('importCheckpoint', expected, problems.join('; ')));
  }
  return {
    features,
    context,
    layers: layers.map(({ layer, others, ...sizes }) => {
      const isShared = layer.type === 'standardize' && sizes.features < features;
      return { layer: isShared ? { ...layer, shared: true } : layer, others };
    }),
  };
}

/** Activations of networks, the first being what was taken. */
export const ACTIVATIONS = ['relu', 'tanh', 'elu', 'silu', 'gelu', 'leakyRelu', 'softplus'] as const;

/** Bounds that people give splines. */
export const BOUNDS = [1, 2, 3, 4, 5, 6, 8, 10, Math.PI] as const;

/** All of them but one. */
export function except<T>(all: readonly T[], taken: T): T[] {
  return all.filter((each) => each !== taken);
}
