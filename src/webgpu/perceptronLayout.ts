import type { PerceptronPlan } from '../layers/networks/fusedPerceptron';
import { valuesOf } from '../layers/networks/perceptronTensors';
import { NOWHERE } from './layerTable';
import {
  ACTIVATED,
  alone,
  FIELDS,
  GATES,
  type LayerPlaces,
  PLAIN,
  SHIFTS,
  SIGMOID,
} from './perceptronPlaces';

/** Where everything of a perceptron lies: a record for each row, the packed weights of all layers, and the constants. */
export interface PerceptronLayout {
  /** How many values of x are read; they stand first in a record. */
  values: number;
  /** How many values of the context stand right behind them. */
  joined: number;
  /** Where the context stands once more, for layers of its own. */
  context: number;
  /** Those of contexts first. */
  layers: readonly LayerPlaces[];
  /** Places of the masks of all layers that have one. */
  masks: readonly number[];
  /** Quads of a record as far as the way forward needs it, and with the gradients. */
  forwardQuads: number;
  recordQuads: number;
  /** The gradient by the inputs that stand first, and by the context that its layers read, right behind it. */
  inputGradient: number;
  contextGradient: number;
  /** Quads of the packed weights, without turned ones, which stand behind, and with them. */
  plainQuads: number;
  packedQuads: number;
  /** Words of the constants: these places and the masks. */
  constantWords: number;
}

const layouts = new WeakMap<PerceptronPlan, PerceptronLayout>();

/** The layout of a perceptron, worked out once. */
export function layoutOf(plan: PerceptronPlan): PerceptronLayout {
  let layout = layouts.get(plan);
  if (layout === undefined) {
    layout = placed(plan);
    layouts.set(plan, layout);
  }
  return layout;
}

/** Quads of a row of so many floats. */
export function quadsOf(floats: number): number {
  return Math.ceil(floats / 4);
}

/** Hands out places one after another. */
class Places {
  constructor(public end = 0) {}

  take(count: number): number {
    const at = this.end;
    this.end += count;
    return at;
  }
}

function placed(plan: PerceptronPlan): PerceptronLayout {
  const { forms } = plan;
  const values = valuesOf(plan);
  const joined = forms[0].inputs - values;
  const records = new Places();
  const inputs = quadsOf(values + joined);
  records.take(inputs);
  const ofContext = forms.some(({ context }) => context !== undefined) ? quadsOf(plan.context) : 0;
  const context = records.take(ofContext);
  const { layers, ofForms } = layersOf(plan, context, records);
  const forwardQuads = records.end;
  const inputGradient = records.take(inputs);
  const contextGradient = records.take(ofContext);
  const packed = new Places();
  for (const layer of layers) {
    layer.gradient = records.take(quadsOf(layer.outputs));
    layer.kernel = packed.take(layer.inputs * quadsOf(layer.outputs));
    layer.bias = packed.take(quadsOf(layer.outputs));
  }
  const plainQuads = packed.end;
  for (const layer of layers) layer.turned = packed.take(layer.outputs * quadsOf(layer.inputs));
  markGradients(layers, inputGradient);
  const constants = new Places(layers.length * FIELDS.length);
  if (plan.masked) for (const layer of ofForms) layer.mask = constants.take(layer.inputs * layer.outputs);
  return {
    values,
    joined,
    context: ofContext === 0 ? NOWHERE : context,
    layers,
    masks: ofForms.map(({ mask }) => mask).filter((mask) => mask !== NOWHERE),
    forwardQuads,
    recordQuads: records.end,
    inputGradient,
    contextGradient,
    plainQuads,
    packedQuads: packed.end,
    constantWords: constants.end,
  };
}

/** The layers as far as the way forward knows them; those of the forms apart, too. */
function layersOf({ forms, context }: PerceptronPlan, ofContext: number, records: Places) {
  const layers: LayerPlaces[] = [];
  const ofForms: LayerPlaces[] = [];
  let dropoutColumns = 0;
  const add = (layer: Pick<LayerPlaces, 'inputs' | 'outputs' | 'source'> & Partial<LayerPlaces>) => {
    const places = { ...alone, ...layer };
    layers.push(places);
    return places;
  };
  forms.forEach(({ inputs, outputs, context: use }, i) => {
    const own: Partial<LayerPlaces> = {};
    if (use !== undefined) {
      const activation = use === 'gate' ? SIGMOID : use === 'activatedShift' ? ACTIVATED : PLAIN;
      const result = records.take(quadsOf(outputs));
      const read = activation === PLAIN ? NOWHERE : records.take(quadsOf(outputs));
      add({ inputs: context, outputs, source: ofContext, result, activation, read });
      own.contextUse = use === 'gate' ? GATES : SHIFTS;
      own.context = activation === PLAIN ? result : read;
      if (use === 'gate') own.product = records.take(quadsOf(outputs));
    }
    const next = forms[i + 1];
    if (next !== undefined) {
      own.result = records.take(quadsOf(outputs));
      own.activation = next.activated ? ACTIVATED : PLAIN;
      if (next.activated || next.dropped) own.read = records.take(quadsOf(outputs));
      if (next.dropped) {
        own.share = records.take(quadsOf(outputs));
        own.drops = 1;
        own.dropoutsBefore = dropoutColumns;
        dropoutColumns += outputs;
      }
    }
    const before = ofForms[i - 1];
    const source = before === undefined ? 0 : readAs(before);
    ofForms.push(add({ inputs, outputs, source, ...own }));
    const { skip } = forms[i];
    if (skip !== undefined) ofForms[i].skip = ofForms[skip].result;
  });
  return { layers, ofForms };
}

function readAs({ read, result }: LayerPlaces): number {
  return read === NOWHERE ? result : read;
}

/** Says where gradients go, and, in the order of the way back, which are added to one that is there already. */
function markGradients(layers: readonly LayerPlaces[], inputGradient: number): void {
  const there = new Set<LayerPlaces>();
  const adds = (layer: LayerPlaces) => {
    const before = there.has(layer);
    there.add(layer);
    return Number(before);
  };
  for (const layer of [...layers].reverse()) {
    const skipped = layers.find(({ result }) => result === layer.skip);
    if (layer.skip !== NOWHERE && skipped !== undefined) {
      layer.skipGradient = skipped.gradient;
      layer.skipAdds = adds(skipped);
    }
    const ofContext = layers.find((other) => readAs(other) === layer.context);
    if (layer.contextUse > 0 && ofContext !== undefined) {
      layer.contextResult = ofContext.result;
      layer.contextActivation = ofContext.activation;
      layer.contextGradient = ofContext.gradient;
    }
    const source = layers.find((other) => other.result !== NOWHERE && readAs(other) === layer.source);
    if (source === undefined) {
      // Several layers may read the context, whose gradient starts from zeros.
      layer.sourceGradient = inputGradient + layer.source;
      layer.sourceAdds = 1;
    } else {
      layer.sourceGradient = source.gradient;
      layer.sourceAdds = adds(source);
      layer.sourceResult = source.result;
      layer.sourceActivation = source.activation;
      layer.sourceShare = source.share;
    }
  }
}
