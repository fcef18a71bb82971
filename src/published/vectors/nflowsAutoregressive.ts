import type { Activation } from '../../layers';
import type { Rule } from '../rule';
import type { Below } from './below';
import type { VectorLayer } from './config';
import { autoregressive } from './couplings';
import { contextNames, type DenseNames, dense, type Head, layerNames } from './dense';
import { ACTIVATIONS, BOUNDS, except, type InferHow, type SizedLayer } from './library';
import { maskedPerceptron, maskedResidualNetwork } from './networks';
import { defaultBound, splineBins } from './nflowsCoupling';
import { refuseBatchNorm } from './nflowsNetworks';
import { besideWeights, integers, type LayerPiece, type Scene, sceneBelow } from './piece';
import { structureOf } from './sets';
import { minimumSpline, range, scaleFirst, type Univariate } from './transformers';

/*
 * Masked autoregressive layers of nflows: a network of masked layers, each with its mask and the degrees of its units; the context is added
 * to the first layer's result through the activation, and in residual blocks once more.
 */

/** What the shapes of an autoregressive layer tell. */
export function inferAutoregressive(file: Below, how: InferHow): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const { perValue, features, context, ...network } = inferMade(file.below('autoregressive_net'));
  // sbi builds these without residual blocks, and with tanh.
  const activation = how.sbi ? 'tanh' : 'relu';
  const bound = defaultBound(how);
  const map: Pick<SizedLayer, 'others'> & Partial<VectorLayer> =
    perValue === 2
      ? { transformer: 'affine', scale: 'softplus', others: { scale: ['sigmoid'] } }
      : {
          transformer: 'spline',
          bins: splineBins(at, perValue),
          bound,
          divided: false,
          others: { bound: except(BOUNDS, bound), divided: [true] },
        };
  const { others, ...rest } = map;
  return {
    layer: { at, type: 'autoregressive', activation, ...network, context: context > 0, ...rest },
    others: { activation: except(ACTIVATIONS, activation), ...others },
    features,
    context,
  };
}

/** What the shapes of a masked network of nflows or normflows tell. */
export function inferMade(net: Below): Pick<VectorLayer, 'network' | 'hiddenUnits' | 'blocks'> & {
  features: number;
  context: number;
  perValue: number;
} {
  refuseBatchNorm(net);
  const [hidden, features] = net.shape('initial_layer.weight', 2);
  const [outputs] = net.shape('final_layer.weight', 2);
  const blocks = net.count('blocks');
  const isResidual = net.names.some((name) => name.startsWith('blocks.0.linear_layers.'));
  return {
    ...(isResidual
      ? { network: 'residual', hiddenUnits: [hidden], blocks }
      : { network: 'perceptron', hiddenUnits: new Array<number>(blocks + 1).fill(hidden) }),
    features,
    context: net.has('context_layer.weight') ? net.shape('context_layer.weight', 2)[1] : 0,
    perValue: outputs / features,
  };
}

/** An autoregressive layer by its description. */
export function autoregressivePiece(layer: VectorLayer, scene: Scene): LayerPiece {
  const univariate: Univariate = layer.transformer === 'affine' ? scaleFirst(layer) : minimumSpline(layer);
  const context = layer.context ? scene.context : 0;
  const net = sceneBelow(scene, 'autoregressive_net');
  const layers = madeLayers(layer, scene.features, univariate.head(scene.features));
  const form = {
    features: scene.features,
    context,
    activation: layer.activation as Activation,
    masks: () => layers.map(({ theirs }) => net.mask(`${theirs}.mask`)),
  };
  const isResidual = layer.network === 'residual';
  const [hidden] = layer.hiddenUnits as number[];
  const contextRules = (): Rule[] => [
    dense('context_layer', [hidden, context], contextNames(0)),
    ...range(isResidual ? (layer.blocks ?? 0) : 0).map((b) =>
      dense(`blocks.${b}.context_layer`, [hidden, context], contextNames(2 * b + 1)),
    ),
  ];
  return autoregressive(scene, {
    univariate,
    networkAt: 'autoregressive_net',
    rules: [...madeRules(layers, net), ...(context > 0 ? contextRules() : [])],
    network: (outputsPerValue) =>
      isResidual
        ? maskedResidualNetwork({ ...form, outputsPerValue }, { contextAs: 'shifts', preactivated: true })
        : maskedPerceptron({ ...form, outputsPerValue }, 'shifts'),
  });
}

/** A masked layer of theirs, and which of ours it is. */
export interface MadeLayer {
  theirs: string;
  ours: DenseNames;
  sizes: readonly [outputs: number, inputs: number];
  head?: Head;
}

/** The masked layers of a network of nflows or normflows, first to last. */
export function madeLayers(layer: VectorLayer, features: number, head: Head): MadeLayer[] {
  const { network, blocks = 0, hiddenUnits = [] } = layer;
  const [hidden] = hiddenUnits;
  const names =
    network === 'residual'
      ? range(blocks).flatMap((b) => [`blocks.${b}.linear_layers.0`, `blocks.${b}.linear_layers.1`])
      : range(hiddenUnits.length - 1).map((b) => `blocks.${b}.linear`);
  const all = ['initial_layer', ...names, 'final_layer'];
  return all.map((theirs, i) => ({
    theirs,
    ours: layerNames(i),
    sizes: [i === all.length - 1 ? head.outputs : hidden, i === 0 ? features : hidden],
    ...(i === all.length - 1 && { head }),
  }));
}

/** Their weights and masks, and the degrees of their units. */
export function madeRules(layers: readonly MadeLayer[], net: Scene): Rule[] {
  return layers.flatMap(({ theirs, ours, sizes, head }, i) => [
    dense(theirs, sizes, ours, { head, mask: () => net.mask(`${theirs}.mask`) }),
    besideWeights(`${theirs}.degrees`, [sizes[0]], () => integers(degreesOf(layers, net, i))),
  ]);
}

/** How many values the units of a layer depend on; those of the last layer give a value, which counts itself. */
function degreesOf(layers: readonly MadeLayer[], net: Scene, i: number): number[] {
  const masks = layers.map(({ theirs }) => net.mask(`${theirs}.mask`));
  const { adjacency, hidden } = structureOf(masks, net.features);
  const count = (set: readonly boolean[]) => set.filter(Boolean).length;
  if (i < hidden.length) return hidden[i].map(count);
  const perValue = layers[i].sizes[0] / net.features;
  return adjacency.flatMap((set) => new Array<number>(perValue).fill(count(set) + 1));
}
