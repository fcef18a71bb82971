import type { Activation } from '../../../layers';
import { levelsOf } from '../../../layers/networks/masks';
import type { VectorBase } from '../config';
import { structureOf } from '../sets';
import { call, float, torchModules, tuple } from './python';
import type { Expression, WrittenFlow } from './writer';

/** Lines of Python that build a flow with zuko, as `flow`. */
export function zukoPython({ features, context, layers, base }: WrittenFlow): string {
  return [
    'import torch',
    'from functools import partial',
    'from torch import nn',
    'from torch.distributions import AffineTransform',
    'from zuko.distributions import BoxUniform, DiagNormal',
    'from zuko.flows.autoregressive import MaskedAutoregressiveTransform',
    'from zuko.flows.coupling import GeneralCouplingTransform',
    'from zuko.flows.gaussianization import ElementWiseTransform',
    'from zuko.flows.mixture import GMM',
    'from zuko.flows.spline import CircularRQSTransform',
    'from zuko.lazy import Flow, UnconditionalDistribution, UnconditionalTransform',
    'from zuko.transforms import AdditiveTransform, LULinearTransform, MonotonicRQSTransform, PermutationTransform',
    '',
    'flow = Flow(',
    '    [',
    ...layers.map((each) => `        ${turned(each, features, context)},`),
    '    ],',
    `    ${baseOf(base, features)},`,
    ')',
  ].join('\n');
}

function turned(each: Expression, features: number, context: number): string {
  return `${layerOf(each, features, context)}${each.layer.inverted ? '.inv' : ''}`;
}

function layerOf({ layer, masks }: Expression, features: number, context: number): string {
  const { type, order, passes, hiddenUnits = [], blocks, network } = layer;
  const vector = (of: string) => `torch.${of}(${features})`;
  const unconditional = (name: string, parameters: Record<string, string>) =>
    call('UnconditionalTransform', name, parameters, { buffer: 'True' });
  const read = layer.context ? context : 0;
  const net = network && {
    hidden_features: tuple(network === 'residual' ? new Array(blocks).fill(hiddenUnits[0]) : hiddenUnits),
    activation: torchModules[layer.activation as Activation],
    residual: network === 'residual' ? 'True' : undefined,
  };
  const how = { ...univariateOf(layer), ...net };
  switch (type) {
    case 'standardize':
      return unconditional('AffineTransform', { loc: vector('zeros'), scale: vector('ones') });
    case 'permutation':
      return unconditional('PermutationTransform', { order: `torch.tensor([${order?.join(', ')}])` });
    case 'linear':
      return unconditional('LULinearTransform', { LU: vector('eye') });
    case 'coupling': {
      const mask = `torch.tensor([${passes?.map((each) => (each ? 'True' : 'False')).join(', ')}])`;
      return call('GeneralCouplingTransform', `${features}`, `${read}`, { mask, ...how });
    }
    case 'elementwise':
      return call('ElementWiseTransform', `${features}`, `${read}`, how);
    default: {
      const steps = stepsOf(masks ?? [], features);
      return call('MaskedAutoregressiveTransform', `${features}`, `${read}`, { ...steps, ...how });
    }
  }
}

/** Groups of values that are found one after another, in the numbers that zuko cuts such groups from. */
function stepsOf(masks: readonly boolean[][][], features: number): { passes: number; order: string } {
  const levels = levelsOf('exportStateDict', structureOf(masks, features).adjacency);
  const passes = levels.reduce((most, level) => Math.max(most, level + 1), 1);
  const size = Math.ceil(features / passes);
  return { passes, order: `[${levels.map((level) => level * size).join(', ')}]` };
}

function univariateOf({ transformer, bins = 0, bound }: Expression['layer']): Record<string, string> {
  const shapes = `[${tuple([bins])}, ${tuple([bins])}, ${tuple([bins - 1])}]`;
  switch (transformer) {
    case 'additive':
      return { univariate: 'AdditiveTransform', shapes: '[()]' };
    case 'spline':
      return { univariate: `partial(MonotonicRQSTransform, bound=${float(bound as number)})`, shapes };
    case 'circularSpline':
      return { univariate: 'CircularRQSTransform', shapes };
    default:
      return {};
  }
}

function baseOf({ type, components, covariance, bound = 0 }: VectorBase, features: number): string {
  if (type === 'mixture') {
    return call('GMM', `${features}`, { components, covariance_type: `'${covariance}'` });
  }
  const filled = (value: number) => `torch.full((${features},), ${float(value)})`;
  const parameters =
    type === 'box'
      ? { lower: filled(-bound), upper: filled(bound) }
      : { loc: `torch.zeros(${features})`, scale: `torch.ones(${features})` };
  const name = type === 'box' ? 'BoxUniform' : 'DiagNormal';
  return call('UnconditionalDistribution', name, parameters, { buffer: 'True' });
}
