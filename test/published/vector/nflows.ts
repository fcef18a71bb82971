import {
  type Activation,
  ActNorm,
  type Bijector,
  Linear,
  MaskedAutoregressive,
  Permutation,
  TransformerCoupling,
} from 'tfjs-flows';
import type { Arrays, LayerConfig } from './arrays';
import { type Dense, joined, readDense, setWeights } from './dense';
import { maskedPerceptron, maskedResidualNetwork, type ResidualLayers, residualNetwork } from './networks';
import { halves, nflowsSpline, passedParameters, scaleFirst, type Univariate } from './univariates';

/** What a layer of a flow is built from. */
export interface LayerSource {
  layer: LayerConfig;
  arrays: Arrays;
  features: number;
  context: number;
  name: string;
}

/** A layer of nflows, from data to latents. */
export function nflowsLayer(source: LayerSource): Bijector {
  const { layer, arrays, features, name } = source;
  const inputShape = [features];
  switch (layer.type) {
    case 'ReversePermutation':
    case 'RandomPermutation':
      return new Permutation({ inputShape, order: arrays.values('_permutation'), name });
    case 'LULinear':
      return luLayer(arrays, features, name);
    case 'PointwiseAffineTransform':
      return pointwise(arrays, features, name);
    case 'AffineCouplingTransform':
      return couplingLayer(source, halves());
    case 'PiecewiseRationalQuadraticCouplingTransform':
      return couplingLayer(source, nflowsSpline(layer));
    case 'MaskedAffineAutoregressiveTransform':
      return nflowsAutoregressive(source, scaleFirst(layer));
    case 'MaskedPiecewiseRationalQuadraticAutoregressiveTransform':
      return nflowsAutoregressive(source, nflowsSpline(layer));
    default:
      throw new Error(`no layer ${layer.type}`);
  }
}

/** y = L U x + bias, with softplus(.) + 1e-3 on the diagonal of U. */
export function luLayer(arrays: Arrays, d: number, name: string): Linear {
  const linear = new Linear({ inputShape: [d], name });
  const [lower, upper] = ['lower_entries', 'upper_entries'].map((part) => arrays.values(part).values());
  const next = (entries: Iterator<number>) => entries.next().value as number;
  const triangles = Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return i === j ? 0 : next(i > j ? lower : upper);
  });
  const logScale = arrays
    .values('unconstrained_upper_diag')
    .map((raw) => Math.log(Math.log1p(Math.exp(raw)) + 1e-3));
  setWeights(linear, { triangles, logScale, bias: arrays.values('bias') });
  return linear;
}

/** y = x * scale + shift. */
function pointwise(arrays: Arrays, d: number, name: string): ActNorm {
  const norm = new ActNorm({ inputShape: [d], name });
  const [scale, shift] = [arrays.values('_scale'), arrays.values('_shift')];
  setWeights(norm, { bias: shift.map((value, i) => value / scale[i]), logScale: scale.map(Math.log) });
  return norm;
}

/** A coupling whose network is a residual one; what passes has a spline of its own where the file has one. */
export function couplingLayer(
  { layer, arrays, features, context, name }: LayerSource,
  { transformer, adapt }: Univariate,
): Bijector {
  const net = arrays.below('transform_net');
  const layers = residualLayers(net, (part) => part.below('linear_layers'));
  const passing = new Set(arrays.values('identity_features'));
  const ofPassed = arrays.below('unconditional_transform');
  const hasPassed = ofPassed.has('unnormalized_widths');
  const angles = net.has('preprocessing.weights') ? net.below('preprocessing') : undefined;
  const coupling = new TransformerCoupling({
    inputShape: [features],
    name,
    passthrough: Array.from({ length: features }, (_, i) => passing.has(i)),
    transformer,
    ...(hasPassed && { passed: transformer }),
    network: residualNetwork(
      {
        ...layers,
        initial: angles === undefined ? layers.initial : withAngles(layers.initial, angles),
        final: adapt(layers.final),
      },
      {
        activation: layer.activation as Activation,
        context,
        periodic: angles && 2 * layer.univariate.bound,
      },
    ),
  });
  if (hasPassed) {
    const passed = coupling.children.find((child) => child.name === 'passed') as Bijector;
    setWeights(passed, { parameters: passedParameters(ofPassed, layer) });
  }
  return coupling;
}

/** A layer that reads w_0 sin + w_1 cos of each angle, as one that reads sine and cosine. */
function withAngles(initial: Dense, angles: Arrays): Dense {
  const weights = angles.rows('weights');
  const places = angles.values('ind');
  const rows = initial.rows.map((row) =>
    row.flatMap((weight, i) => {
      const [ofSine, ofCosine] = weights[places.indexOf(i)];
      return [weight * ofSine, weight * ofCosine];
    }),
  );
  return { ...initial, rows };
}

function nflowsAutoregressive(
  { layer, arrays, features, context, name }: LayerSource,
  { transformer, adapt }: Univariate,
): Bijector {
  const net = arrays.below('autoregressive_net');
  const form = {
    activation: layer.activation as Activation,
    context,
    features,
    ...(context > 0 && { context0: readDense(net.below('context_layer')) }),
  };
  const isResidual = net.has('blocks.0.linear_layers.0.weight');
  const blocks = blocksOf(net);
  const final = adapt(readDense(net.below('final_layer')));
  const initial = readDense(net.below('initial_layer'));
  const network = isResidual
    ? maskedResidualNetwork(
        { ...residualLayers(net, (part) => part.below('linear_layers')), final },
        { ...form, contextAs: 'shifts', preactivated: true },
      )
    : maskedPerceptron([initial, ...blocks.map((block) => readDense(block.below('linear'))), final], form);
  return autoregressive({ features, transformer, network, name });
}

/** The MADE of normflows: as nflows' in its names, but its context is added without an activation, and gates the blocks. */
export function normflowsAutoregressive(
  { layer, arrays, features, context, name }: LayerSource,
  { transformer, adapt }: Univariate,
): Bijector {
  const net = arrays.below('autoregressive_net');
  const layers = residualLayers(net, (part) => part.below('linear_layers'));
  const initial =
    context > 0 ? joined(layers.initial, readDense(net.below('context_layer'))) : layers.initial;
  const network = maskedResidualNetwork(
    { ...layers, initial, final: adapt(layers.final) },
    {
      activation: layer.activation as Activation,
      context,
      features,
      contextAs: 'gates',
      preactivated: true,
    },
  );
  return autoregressive({ features, transformer, network, name });
}

/** A masked autoregressive layer with the adjacency of its network. */
export function autoregressive({
  features,
  transformer,
  network,
  name,
}: {
  features: number;
  transformer: Univariate['transformer'];
  network: MaskedAutoregressive['network'];
  name: string;
}): MaskedAutoregressive {
  const { adjacency } = network;
  return new MaskedAutoregressive({ inputShape: [features], transformer, network, adjacency, name });
}

function residualLayers(net: Arrays, linearOf: (block: Arrays) => Arrays): ResidualLayers {
  return {
    initial: readDense(net.below('initial_layer')),
    blocks: blocksOf(net).map((block) => ({
      linear: [readDense(linearOf(block).below('0')), readDense(linearOf(block).below('1'))],
      ...(block.has('context_layer.weight') && { context: readDense(block.below('context_layer')) }),
    })),
    final: readDense(net.below('final_layer')),
  };
}

function blocksOf(net: Arrays): Arrays[] {
  const blocks: Arrays[] = [];
  const exists = (block: Arrays) => block.has('linear.weight') || block.has('linear_layers.0.weight');
  for (let b = 0; exists(net.below(`blocks.${b}`)); b++) blocks.push(net.below(`blocks.${b}`));
  return blocks;
}
