import {
  type Activation,
  type ConditionerBuilder,
  type MaskedNetwork,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  ResidualPerceptron,
} from 'tfjs-flows';
import { asWeights, type Dense, setWeights } from './dense';

/** What networks of all kinds have. */
export interface NetworkForm {
  activation: Activation;
  /** Number of values of the context, 0 for none. */
  context: number;
}

/** A layer, blocks that are added, and a layer; the context's maps where it has some of its own. */
export interface ResidualLayers {
  initial: Dense;
  blocks: { linear: [Dense, Dense]; context?: Dense }[];
  final: Dense;
}

const contextOption = (context: number) => (context > 0 ? { context } : {});

/** A perceptron with these layers. */
export function perceptron(
  layers: readonly Dense[],
  { activation, context }: NetworkForm,
): ConditionerBuilder {
  return (inputShape, [units]) => {
    const network = new MultilayerPerceptron({
      inputShape,
      units,
      hiddenUnits: widthsOf(layers),
      activation,
      ...contextOption(context),
    });
    setWeights(network, inTurn(layers));
    return network;
  };
}

/** A residual network whose context is joined to the input and gates the blocks. */
export function residualNetwork(
  { initial, blocks, final }: ResidualLayers,
  { activation, context, periodic }: NetworkForm & { periodic?: number },
): ConditionerBuilder {
  return (inputShape, [units]) => {
    const network = new ResidualPerceptron({
      inputShape,
      units,
      hiddenUnits: initial.bias.length,
      blocks: blocks.length,
      activation,
      ...(periodic && { periodic }),
      ...contextOption(context),
    });
    const layers = [initial, ...blocks.flatMap(({ linear }) => linear), final];
    const gates = blocks.map(({ context: gate }, b) => contextMap(gate, 2 * b + 2));
    setWeights(network, Object.assign(inTurn(layers), ...gates));
    return network;
  };
}

/** A masked perceptron with these layers, the first of which may have a map of the context beside it. */
export function maskedPerceptron(
  layers: readonly Dense[],
  form: NetworkForm & { features: number; context0?: Dense },
): MaskedNetwork {
  const { features, activation, context, context0 } = form;
  const sets = setsOf(layers, features);
  const network = new MaskedPerceptron({
    ...ends(sets[sets.length - 1], features),
    hiddenUnits: widthsOf(layers),
    unitSets: sets.slice(0, -1),
    activation,
    contextAs: context0 === undefined ? 'inputs' : 'shifts',
    ...contextOption(context),
  });
  setWeights(network, { ...inTurn(layers), ...contextMap(context0, 0) });
  return network;
}

/** A masked residual network with these layers. */
export function maskedResidualNetwork(
  { initial, blocks, final }: ResidualLayers,
  form: NetworkForm & {
    features: number;
    contextAs: 'gates' | 'shifts' | 'inputs';
    preactivated: boolean;
    context0?: Dense;
  },
): MaskedNetwork {
  const { features, activation, context, contextAs, preactivated, context0 } = form;
  const layers = [initial, ...blocks.flatMap(({ linear }) => linear), final];
  const sets = setsOf(layers, features);
  const network = new MaskedResidualPerceptron({
    ...ends(sets[sets.length - 1], features),
    hiddenUnits: initial.bias.length,
    blocks: blocks.length,
    unitSets: sets[0],
    activation,
    contextAs,
    preactivated,
    ...contextOption(context),
  });
  const place = contextAs === 'gates' ? 2 : 1;
  const maps = blocks.map(({ context: map }, b) => contextMap(map, 2 * b + place));
  setWeights(network, Object.assign(inTurn(layers), contextMap(context0, 0), ...maps));
  return network;
}

function widthsOf(layers: readonly Dense[]): number[] {
  return layers.slice(0, -1).map(({ bias }) => bias.length);
}

function inTurn(layers: readonly Dense[]): Record<string, number[]> {
  return Object.assign({}, ...layers.map((layer, i) => asWeights(layer, `kernel${i}`, `bias${i}`)));
}

function contextMap(map: Dense | undefined, layer: number): Record<string, number[]> {
  return map === undefined ? {} : asWeights(map, `contextKernel${layer}`, `contextBias${layer}`);
}

/** Which values the outputs of each layer depend on, by the masks of all layers up to there. */
function setsOf(layers: readonly Dense[], features: number): boolean[][][] {
  let before = Array.from({ length: features }, (_, i) =>
    Array.from({ length: features }, (_, j) => i === j),
  );
  return layers.map(({ mask }) => {
    if (mask === undefined) throw new Error('a masked layer without a mask');
    // What stands behind the values is context, of which nothing is masked.
    before = mask.map((row) => before[0].map((_, j) => before.some((set, i) => row[i] && set[j])));
    return before;
  });
}

/** Adjacency and outputs per value by the sets of all outputs, those of a value side by side. */
function ends(sets: boolean[][], features: number): { adjacency: boolean[][]; outputsPerValue: number } {
  const outputsPerValue = sets.length / features;
  const adjacency = Array.from({ length: features }, (_, i) => sets[i * outputsPerValue]);
  return { adjacency, outputsPerValue };
}
