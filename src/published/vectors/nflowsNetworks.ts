import { complaint, FormatError } from '../../core/errors';
import type { Below } from './below';
import type { VectorLayer } from './config';
import { range } from './transformers';

/*
 * Networks in the couplings of nflows, by their names: `ResidualNet`, the plain `MLP`, and sbi's one of the context alone.
 */

/** Where the layers of a network that reads the context alone stand, with so many hidden ones. */
export const contextLayers = (hidden: number) => range(hidden + 1).map((i) => `spline_predictor.${2 * i}`);

/** Where those of a plain one stand. */
export const plainLayers = (hidden: number) => [
  '_input_layer',
  ...range(hidden - 1).map((i) => `_hidden_layers.${i}`),
  '_output_layer',
];

/** What shapes tell of a network that reads so many values beside the context. */
export function inferNetwork(net: Below, inputs: number): InferredNetwork {
  if (inputs === 0) return inferContextNetwork(net);
  return net.has('_input_layer.weight') ? inferPlain(net, inputs) : inferResidual(net, inputs);
}

interface InferredNetwork extends Pick<VectorLayer, 'network' | 'hiddenUnits' | 'blocks'> {
  outputs: number;
  context: number;
}

/** The residual network of nflows and normflows. */
export function inferResidual(net: Below, inputs: number): InferredNetwork {
  if (!net.has('initial_layer.weight')) throw otherNetwork(net);
  refuseBatchNorm(net);
  const [hidden, all] = net.shape('initial_layer.weight', 2);
  return {
    network: 'residual',
    hiddenUnits: [hidden],
    blocks: net.count('blocks'),
    outputs: net.shape('final_layer.weight', 2)[0],
    context: all - inputs,
  };
}

function inferContextNetwork(net: Below): InferredNetwork {
  if (!net.has('spline_predictor.0.weight')) throw otherNetwork(net);
  const { inputs, ...rest } = inferLayers(net, contextLayers(net.places('spline_predictor').length - 1));
  return { network: 'context', ...rest, context: inputs };
}

function inferPlain(net: Below, passing: number): InferredNetwork {
  const { inputs, ...rest } = inferLayers(net, plainLayers(net.count('_hidden_layers') + 1));
  if (inputs === passing) return { network: 'perceptron', ...rest, context: 0 };
  const expected = `an MLP at ${net.prefix.slice(0, -1)} that reads the ${passing} values that pass`;
  const hint = 'Plain networks that read the context too are not of nflows, and not read.';
  throw new FormatError(complaint('importCheckpoint', expected, `${inputs} inputs`, hint));
}

/** Widths of layers, one after another. */
function inferLayers(net: Below, names: readonly string[]) {
  const shapes = names.map((name) => net.shape(`${name}.weight`, 2));
  return {
    inputs: shapes[0][1],
    hiddenUnits: shapes.slice(0, -1).map(([outputs]) => outputs),
    outputs: shapes[shapes.length - 1][0],
  };
}

function otherNetwork(net: Below): FormatError {
  const at = net.prefix.slice(0, -1);
  const expected = `a ResidualNet or an MLP at ${at}`;
  return new FormatError(
    complaint(
      'importCheckpoint',
      expected,
      `names ${net.names.slice(0, 4).join(', ')}`,
      'Networks of your own are not read.',
    ),
  );
}

/** Throws a FormatError for normalization of batches inside a network. */
export function refuseBatchNorm(net: Below): void {
  const name = net.names.find((name) => /(^|\.)batch_norm(_layers)?\./.test(name));
  if (name === undefined) return;
  const hint =
    'Networks with batch normalization are not read; in sbi and nflows it is off unless use_batch_norm is set.';
  throw new FormatError(
    complaint('importCheckpoint', 'networks without batch normalization', net.prefix + name, hint),
  );
}
