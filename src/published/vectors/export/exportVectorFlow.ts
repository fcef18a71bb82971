import { contextSize, isNamed } from '../../../core/context';
import { ConfigError, complaint } from '../../../core/errors';
import { serializeModule } from '../../../core/module';
import type { NdArray } from '../../../data';
import type { Flow } from '../../../flows';
import { type Values, zeros } from '../../arrays';
import { applyRulesBackwards, type Rule, readByRules, type Weights } from '../../rule';
import type { WholeType } from '../../safetensors';
import type { StateDict } from '../../stateDict';
import type { StoredTensors } from '../../storedTensor';
import { Below } from '../below';
import type { VectorConfig, VectorSettings } from '../config';
import { contextStandardization } from '../contextStandardization';
import { roundedWeights } from '../exactWeights';
import { rulesBelow } from '../piece';
import { openSettings } from '../stated';
import { nflowsWriter } from './nflowsWriter';
import { type OwnBase, ownLayers, type Serialized } from './ownLayers';
import { Reasons } from './reasons';
import type { VectorWriter, WrittenFlow } from './writer';
import { zukoWriter } from './zukoWriter';

/** Libraries whose names flows over vectors can be written in. */
export type WrittenLibrary = 'zuko' | 'nflows';

const writers: Record<WrittenLibrary, VectorWriter> = { zuko: zukoWriter, nflows: nflowsWriter };

/**
 * A flow over vectors in the names of another library, with lines of Python that build it there.
 *
 * @param weights by name, from the flow on
 * @throws ConfigError that lists all that the library cannot express
 */
export function exportVectorFlow(flow: Flow, weights: Weights, library: WrittenLibrary): StateDict {
  const writer = writers[library];
  const written = expressed(flow, weights, writer);
  const parts = [...layerParts(written, writer), ...otherParts(flow, written, weights, writer)];
  const arrays: Arrays = Object.assign(
    {},
    ...parts.map((part) => applyRulesBackwards(part.rules, part.weights)),
  );
  const rounded = Object.assign(
    {},
    ...parts.map((part) => {
      const read = readByRules(part.rules, (name) => arrays[name]);
      return behind(part.ours, roundedWeights(part.weights, read));
    }),
  );
  const types: Record<string, WholeType> = {};
  for (const name of Object.keys(arrays)) {
    const type = writer.typeOf(name);
    if (type !== undefined) types[name] = type;
  }
  const config = JSON.stringify(leftOpen(arrays, written, writer));
  const kept: Record<string, string> =
    Object.keys(rounded).length > 0 ? { weights: JSON.stringify(rounded) } : {};
  const metadata = { format: 'pt', code: library, config, python: writer.python(written), ...kept };
  return { arrays, types, metadata };
}

/** The same by names behind a prefix. */
function behind<T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}

/** What the names and shapes do not say, read as an import reads them. */
function leftOpen(arrays: Arrays, { layers }: WrittenFlow, { code }: VectorWriter): VectorSettings {
  const tensors: StoredTensors = new Map(
    Object.entries(arrays).map(([name, array]) => [
      name,
      { dtype: 'F32', shape: array.shape, read: () => array },
    ]),
  );
  const inferred = code.infer(new Below(tensors), { sbi: false });
  return openSettings(
    inferred.layers,
    layers.map(({ layer }) => layer),
  );
}

/** The flow as the library has it. */
function expressed(flow: Flow, weights: Weights, writer: VectorWriter): WrittenFlow {
  const reasons = new Reasons();
  const need = reasons.about(flow.name);
  const { bijector } = flow;
  need(bijector.inputShape.length === 1, 'its events are no vectors');
  const shape = bijector.contextShape;
  need(shape === undefined || !isNamed(shape), 'it reads parts of a context by name');
  const { embed } = serializeModule(flow).config as { embed?: Serialized };
  const standardizesContext = embed !== undefined && isStandardization(embed, weights);
  const embeds = standardizesContext && writer.standardizesContext;
  need(embed === undefined || embeds, 'its context goes through a network of its own');
  const written = {
    features: bijector.inputShape[0],
    context: contextSize(shape),
    layers: ownLayers(bijector, weights, bijector.name).flatMap((layer) =>
      writer.express(layer, reasons.about(layer.name)),
    ),
    base: writer.base(ownBase(flow, weights), reasons.about('base')),
    standardizesContext,
  };
  if (reasons.list.length === 0) return written;
  const hint = 'Build a flow for that library with those options, and train it here or there.';
  throw new ConfigError(
    complaint('exportStateDict', `a flow that ${writer.title} can express`, reasons.list.join('; '), hint),
  );
}

function ownBase({ base }: Flow, weights: Weights): OwnBase {
  return { ...(serializeModule(base) as Serialized), weights: weightsBelow(weights, base.name) };
}

function weightsBelow(weights: Weights, prefix: string): Weights {
  const below = [...weights].filter(([name]) => name.startsWith(`${prefix}/`));
  return new Map(below.map(([name, values]) => [name.slice(prefix.length + 1), values]));
}

/** Whether a network gives each value of the context times a factor above 0, plus an offset. */
function isStandardization({ className, config }: Serialized, weights: Weights): boolean {
  const kernel = weights.get(KERNEL);
  const linear = className === 'FlowMultilayerPerceptron' && (config.hiddenUnits as number[]).length === 0;
  if (!linear || config.periodic !== undefined || kernel === undefined) return false;
  const [size, units] = kernel.shape;
  const onDiagonal = (at: number) => at % (size + 1) === 0;
  return size === units && kernel.data.every((value, at) => (onDiagonal(at) ? value > 0 : value === 0));
}

const KERNEL = 'embed/network/kernel0';

/** Some of a flow's weights, and what they are in the file. */
interface WrittenPart {
  rules: Rule[];
  weights: Weights;
  /** What the names of these weights begin with in the flow that an import makes. */
  ours: string;
}

function layerParts({ features, context, layers }: WrittenFlow, writer: VectorWriter): WrittenPart[] {
  return layers.map(({ layer, weights, masks = [] }, place) => {
    const at = writer.at(place) + (layer.inverted ? '.transform' : '');
    const mask = (name: string) => masks[writer.maskPlace(name, layer)];
    const name = `layer${place}`;
    const piece = writer.code.layer({ at, ...layer }, { features, context, name, mask });
    return { rules: rulesBelow(piece.rules, { theirs: at }), weights, ours: `bijector/${name}/` };
  });
}

/** Those of the base, and of what the context goes through. */
function otherParts(flow: Flow, written: WrittenFlow, all: Weights, writer: VectorWriter): WrittenPart[] {
  const { features, context, base, standardizesContext } = written;
  const zero: Values = zeros([features]);
  const weights = new Map([['mean', zero], ['logScale', zero], ...ownBase(flow, all).weights]);
  const config: VectorConfig = { library: 'zuko', features, context, layers: [], base };
  const ofBase = { rules: writer.code.base(config).rules, weights, ours: 'base/' };
  if (!standardizesContext) return [ofBase];
  const rules = rulesBelow(contextStandardization(context, 'each').rules, { theirs: '_embedding_net' });
  return [ofBase, { rules, weights: weightsBelow(all, 'embed/network'), ours: 'embed/network/' }];
}

type Arrays = Record<string, NdArray>;
