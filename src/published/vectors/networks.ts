import {
  type Activation,
  type ConditionerBuilder,
  type MaskedNetwork,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  ResidualPerceptron,
} from '../../layers';
import type { Rule } from '../rule';
import { denseOfAngles } from './angles';
import { contextNames, dense, type Head, layerNames } from './dense';
import type { Piece } from './piece';
import { structureOf } from './sets';

/** A network of ours, given what it reads and how many numbers it returns. */
export type NetworkPiece = Piece<ConditionerBuilder>;

/** What networks of all kinds have. */
export interface Form {
  activation: Activation;
  /** Number of values of the context that it reads, 0 for none. */
  context: number;
  head: Head;
}

const contextOption = (context: number) => (context > 0 ? { context } : {});

/**
 * A perceptron, its context beside its inputs.
 *
 * @param layers where its layers are in the file
 * @param widths of its inputs without the context, and of the hidden layers
 */
export function perceptron(
  layers: readonly string[],
  widths: readonly number[],
  { activation, context, head }: Form,
): NetworkPiece {
  const [inputs, ...hiddenUnits] = widths;
  const all = [inputs + context, ...hiddenUnits, head.outputs];
  return {
    rules: layers.map((layer, i) =>
      dense(layer, [all[i + 1], all[i]], layerNames(i), { head: i === layers.length - 1 ? head : undefined }),
    ),
    build:
      () =>
      (inputShape, [units]) =>
        new MultilayerPerceptron({
          inputShape,
          units,
          hiddenUnits,
          activation,
          ...contextOption(context),
        }),
  };
}

/** Sizes of a residual network. */
interface ResidualSizes {
  /** Values that it reads, without the context. */
  inputs: number;
  hidden: number;
  blocks: number;
  /** Period of values that are angles, read by sine and cosine; absent where they are read as they are. */
  periodic?: number;
}

/** The residual networks of nflows and normflows: the context is joined to the input and gates the blocks. */
export function residualNetwork(sizes: ResidualSizes, { activation, context, head }: Form): NetworkPiece {
  const { inputs, hidden, blocks, periodic } = sizes;
  return {
    rules: [
      periodic === undefined
        ? dense('initial_layer', [hidden, inputs + context], layerNames(0))
        : denseOfAngles('initial_layer', hidden, [inputs, context], layerNames(0)),
      ...Array.from({ length: blocks }, (_, b): Rule[] => [
        dense(`blocks.${b}.linear_layers.0`, [hidden, hidden], layerNames(2 * b + 1)),
        dense(`blocks.${b}.linear_layers.1`, [hidden, hidden], layerNames(2 * b + 2)),
        ...(context > 0
          ? [dense(`blocks.${b}.context_layer`, [hidden, context], contextNames(2 * b + 2))]
          : []),
      ]).flat(),
      dense('final_layer', [head.outputs, hidden], layerNames(2 * blocks + 1), { head }),
    ],
    build:
      () =>
      (inputShape, [units]) =>
        new ResidualPerceptron({
          inputShape,
          units,
          hiddenUnits: hidden,
          blocks,
          activation,
          ...(periodic === undefined ? {} : { periodic }),
          ...contextOption(context),
        }),
  };
}

/** What a masked network of ours is built from, once the masks can be read. */
export interface MaskedForm {
  features: number;
  activation: Activation;
  context: number;
  /** Parameters of our transformer. */
  outputsPerValue: number;
  /** Masks of all layers, first to last. */
  masks(): boolean[][][];
}

/** A masked perceptron; its context stands beside the values, or enters by a map of its own. */
export function maskedPerceptron(form: MaskedForm, contextAs: 'inputs' | 'shifts'): MaskedNetwork {
  const { features, masks, context, ...rest } = form;
  const { adjacency, hidden } = structureOf(masks(), features);
  return new MaskedPerceptron({
    ...rest,
    adjacency,
    hiddenUnits: hidden.map((sets) => sets.length),
    unitSets: hidden,
    ...(context > 0 ? { context, contextAs } : {}),
  });
}

/** A masked residual network, all of whose hidden units stand for the same values in every layer. */
export function maskedResidualNetwork(
  form: MaskedForm,
  how: { contextAs: 'gates' | 'shifts' | 'inputs'; preactivated: boolean },
): MaskedNetwork {
  const { features, masks, context, ...rest } = form;
  const { contextAs, preactivated } = how;
  const { adjacency, hidden } = structureOf(masks(), features);
  return new MaskedResidualPerceptron({
    ...rest,
    adjacency,
    hiddenUnits: hidden[0].length,
    blocks: (hidden.length - 1) / 2,
    unitSets: hidden[0],
    preactivated,
    ...(context > 0 ? { context, contextAs } : {}),
  });
}
