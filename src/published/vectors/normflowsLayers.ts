import { ConfigError, complaint } from '../../core/errors';
import { ActNorm, AffineTransformer, Chain, Permutation } from '../../layers';
import { map, type Values } from '../arrays';
import { inverseOf, type Rule } from '../rule';
import type { VectorLayer } from './config';
import { autoregressive, coupling, turnedAsWritten } from './couplings';
import { contextNames, dense, joinedDense, layerNames } from './dense';
import { luLinear, permutation } from './linearLayers';
import { maskedResidualNetwork, perceptron } from './networks';
import { madeLayers, madeRules } from './nflowsAutoregressive';
import { couplingPiece } from './nflowsCoupling';
import { type LayerPiece, rulesBelow, type Scene, sceneBelow } from './piece';
import { additive, minimumSpline, plainHead, range, scaleFirst, type Univariate } from './transformers';

/** A layer of normflows, from data to latents. */
export function normflowsLayer(layer: VectorLayer, scene: Scene): LayerPiece {
  return turnedAsWritten(layer, scene, layerPiece);
}

function layerPiece(layer: VectorLayer, scene: Scene): LayerPiece {
  const { order = [] } = layer;
  switch (layer.type) {
    case 'gap':
      return gap(layer, scene);
    case 'permutation':
      return permutation(layer, scene, { perm: inverseOf(order), inv_perm: order });
    case 'linear':
      return luPermute(layer, scene);
    case 'standardize':
      return constantAffine(scene);
    case 'autoregressive':
      return masked(layer, scene);
    case 'coupling':
      return layer.network === 'perceptron' ? affineCoupling(layer, scene) : couplingPiece(layer, scene);
    default:
      throw new ConfigError(complaint('importCheckpoint', 'a layer that normflows has', `'${layer.type}'`));
  }
}

/** The second part of the values, then the first, or all as they are: neither has parameters. */
function gap({ gaps }: VectorLayer, { features, name }: Scene): LayerPiece {
  const shift = gaps === 'swap' ? Math.ceil(features / 2) : 0;
  const order = range(features).map((i) => (i + shift) % features);
  return { rules: [], build: () => new Permutation({ inputShape: [features], order, name }) };
}

/** A permutation, then L U x + bias. */
function luPermute(layer: VectorLayer, scene: Scene): LayerPiece {
  const names = ['permutation', 'linear'];
  const { order = [] } = layer;
  const first = permutation(layer, { ...scene, name: names[0] }, { _permutation: order });
  const second = luLinear({ ...scene, name: names[1] });
  return {
    rules: [first, second].flatMap(({ rules }, i) => rulesBelow(rules, { theirs: names[i], ours: names[i] })),
    build: () => new Chain({ bijectors: [first.build(), second.build()], name: scene.name }),
  };
}

/** From latents to data z exp(s) + t, as the layer is written there: (x - t) exp(-s). */
function constantAffine({ features, name }: Scene): LayerPiece {
  const negative = (array: Values): Values => ({ ...map(array, (value) => -value), shape: [features] });
  const rule: Rule = {
    theirs: { s: [1, features], t: [1, features] },
    ours: ['logScale', 'bias'],
    read: (arrays) => arrays.map(negative),
    write: (arrays) => arrays.map(negative),
  };
  return { rules: [rule], build: () => new ActNorm({ inputShape: [features], name }) };
}

/** The masked network has the names of nflows, but its context enters without an activation, and gates the blocks. */
function masked(layer: VectorLayer, scene: Scene): LayerPiece {
  const { features } = scene;
  const { activation = 'relu', blocks = 0 } = layer;
  const context = layer.context ? scene.context : 0;
  const univariate = layer.transformer === 'affine' ? scaleFirst(layer) : minimumSpline(layer);
  const net = sceneBelow(scene, 'autoregressive_net');
  const layers = madeLayers(layer, features, univariate.head(features));
  const [[hidden]] = layers.map(({ sizes }) => sizes);
  const mask = () => net.mask('initial_layer.mask');
  const rules: Rule[] =
    context === 0
      ? madeRules(layers, net)
      : [
          joinedDense(['initial_layer', 'context_layer'], hidden, [features, context], layerNames(0), mask),
          ...madeRules(layers, net).filter(({ theirs }) => !Object.hasOwn(theirs, 'initial_layer.weight')),
          ...range(blocks).map((b) =>
            dense(`blocks.${b}.context_layer`, [hidden, context], contextNames(2 * b + 2)),
          ),
        ];
  const form = {
    features,
    activation,
    context,
    masks: () => layers.map(({ theirs }) => net.mask(`${theirs}.mask`)),
  };
  return autoregressive(scene, {
    univariate,
    rules,
    networkAt: 'autoregressive_net',
    network: (outputsPerValue) =>
      maskedResidualNetwork({ ...form, outputsPerValue }, { contextAs: 'gates', preactivated: true }),
  });
}

/** Of the log of a scale that is not clipped: far above what exp does not overflow of. */
const UNLIMITED = 1e12;

/** The coupling of a block, from latents to data: [shift, raw] for each value. */
function affineCoupling(layer: VectorLayer, scene: Scene): LayerPiece {
  const { hiddenUnits = [], passes = [], activation = 'relu', scale } = layer;
  const passing = passes.filter(Boolean).length;
  if (scale !== undefined && scale !== 'exp') {
    throw new ConfigError(
      complaint('importCheckpoint', "affine coupling blocks with scale_map 'exp'", `'${scale}'`),
    );
  }
  const univariate: Univariate =
    layer.transformer === 'additive'
      ? additive()
      : { transformer: new AffineTransformer({ limit: UNLIMITED }), head: plainHead(2) };
  const head = univariate.head(scene.features - passing);
  const layers = range(hiddenUnits.length + 1).map((i) => `net.${2 * i}`);
  const network = perceptron(layers, [passing, ...hiddenUnits], { activation, context: 0, head });
  return coupling(layer, scene, { univariate, network, networkAt: '' });
}
