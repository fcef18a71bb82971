import type { Activation } from '../../../layers';
import { call, float, torchFunctions } from './python';
import type { Expression, WrittenFlow } from './writer';

/** Lines of Python that build a flow with nflows, as `flow`. */
export function nflowsPython({ features, context, layers, base, standardizesContext }: WrittenFlow): string {
  const normal = base.type === 'standard' ? 'StandardNormal' : 'DiagonalNormal';
  return [
    'import torch',
    'from torch import nn',
    'from torch.nn import functional as F',
    'from nflows import distributions, flows, transforms',
    'from nflows.nn.nets import MLP, ResidualNet',
    '',
    ...(layers.some(({ layer }) => isPlain(layer)) ? [...perceptron, ''] : []),
    ...(standardizesContext ? [...standardize, ''] : []),
    'flow = flows.Flow(',
    '    transforms.CompositeTransform([',
    ...layers.map(({ layer }) => `        ${layerOf(layer, features, context)},`),
    '    ]),',
    `    distributions.${normal}([${features}]),`,
    ...(standardizesContext ? [`    nn.Sequential(Standardize(${context})),`] : []),
    ')',
  ].join('\n');
}

/** A coupling gives its network a context too, also where there is none. */
const perceptron = [
  'class Perceptron(MLP):',
  '    def forward(self, inputs, context=None):',
  '        return super().forward(inputs)',
  '',
];

const isPlain = ({ type, network }: Expression['layer']) => type === 'coupling' && network === 'perceptron';

/** As sbi has it in front of its flows. */
const standardize = [
  'class Standardize(nn.Module):',
  '    def __init__(self, size):',
  '        super().__init__()',
  '        self.register_buffer("_mean", torch.zeros(size))',
  '        self.register_buffer("_std", torch.ones(size))',
  '',
  '    def forward(self, context):',
  '        return (context - self._mean) / self._std',
  '',
];

function layerOf(layer: Expression['layer'], features: number, context: number): string {
  const { type, order, transformer, bins, bound, bendsPassed, hiddenUnits = [], blocks, network } = layer;
  const read = layer.context ? context : undefined;
  const activation = torchFunctions[layer.activation as Activation];
  const spline = bins !== undefined && {
    num_bins: bins,
    tails: "'linear'",
    tail_bound: float(bound as number),
  };
  switch (type) {
    case 'permutation':
      return `transforms.Permutation(torch.tensor([${order?.join(', ')}]))`;
    case 'linear':
      return `transforms.LULinear(${features})`;
    case 'standardize':
      return `transforms.PointwiseAffineTransform(torch.zeros(${features}), torch.ones(${features}))`;
    case 'autoregressive': {
      const residual = network === 'residual';
      const made = {
        context_features: read,
        num_blocks: residual ? blocks : hiddenUnits.length - 1,
        use_residual_blocks: residual ? undefined : 'False',
        activation,
      };
      const name = spline ? 'MaskedPiecewiseRationalQuadraticAutoregressive' : 'MaskedAffineAutoregressive';
      return call(`transforms.${name}Transform`, `${features}`, `${hiddenUnits[0]}`, made, spline || {});
    }
    default: {
      const mask = layer.passes?.map((passes) => (passes ? -1 : 1)).join(', ');
      const made = { context_features: read, num_blocks: blocks, activation };
      const built = isPlain(layer)
        ? call('Perceptron', '[i]', '[o]', `[${hiddenUnits.join(', ')}]`, { activation })
        : call('ResidualNet', 'i', 'o', `${hiddenUnits[0]}`, made);
      const net = `lambda i, o: ${built}`;
      const names = { affine: 'Affine', additive: 'Additive' } as Record<string, string>;
      const name = names[transformer as string] ?? 'PiecewiseRationalQuadratic';
      const passed = bendsPassed ? { apply_unconditional_transform: 'True' } : {};
      return call(`transforms.${name}CouplingTransform`, `[${mask}]`, net, { ...spline, ...passed });
    }
  }
}
