import {
  CONTEXT_GATE,
  CONTEXT_NONE,
  CONTEXT_SHIFT,
  GELU,
  NO_ACTIVATION,
  SIGMOID,
  SILU,
  SOFTPLUS,
} from '../core/kernelConstants';
import { largest } from '../core/lists';
import type { ContextUse } from '../layers/networks/denseLayers';
import type { PerceptronPlan } from '../layers/networks/fusedPerceptron';
import { valuesOf } from '../layers/networks/perceptronTensors';
import { activationNumbers } from './activationNumbers';
import type { Fields } from './blocks';

/** Activations whose slope is told by what they read, not by what they give. */
const slopeByRead = [SOFTPLUS, SILU, GELU];

/** The fields of a layer of assembly/perceptronRecords.ts that are no addresses; places in records are in floats, or -1 for none. */
type LayerFields = {
  -readonly [Name in Exclude<
    keyof Fields<'PerceptronLayer'>,
    | 'kernel'
    | 'bias'
    | 'mask'
    | 'dropout'
    | 'sourceDropout'
    | 'packed'
    | 'ranges'
    | 'turned'
    | 'turnedRanges'
    | 'dKernel'
    | 'dBias'
  >]: number;
};

/** Where parts of scratch lie, in bytes. */
interface ScratchSizes {
  packed: number;
  ranges: number;
  turned: number;
  turnedRanges: number;
}

/** Where everything of a perceptron lies: see assembly/perceptronRecords.ts. */
export interface PerceptronLayout {
  /** How many values of x are read. */
  values: number;
  layers: readonly { fields: LayerFields; places: ScratchSizes }[];
  /** Of all layers. */
  sizes: ScratchSizes;
  /** Bytes from record to record, and from one of gradients to the next. */
  recordBytes: number;
  gradientBytes: number;
  lastResult: number;
  inputGradient: number;
  inputColumns: number;
  clearInputs: boolean;
  added: number;
  /** Floats of a chunk's sums. */
  part: number;
}

const layouts = new WeakMap<PerceptronPlan, PerceptronLayout>();

/** The layout of a perceptron, worked out once. */
export function layoutOf(plan: PerceptronPlan): PerceptronLayout {
  let layout = layouts.get(plan);
  if (layout === undefined) {
    layout = placed(plan, valuesOf(plan));
    layouts.set(plan, layout);
  }
  return layout;
}

/** Floats of the records of so many rows, which go by fours. */
export function recordFloats(plan: PerceptronPlan, rows: number): number {
  return Math.ceil(rows / 4) * layoutOf(plan).recordBytes;
}

/** Hands out places in a record. */
class Places {
  floats = 0;

  take(count: number): number {
    const at = this.floats;
    this.floats += upTo16(count);
    return at;
  }

  /** Bytes from record to record: an odd number of cache lines, or the same place of all of them would share few sets. */
  get bytes(): number {
    return (Math.ceil(this.floats / 16) | 1) * 64;
  }
}

function placed({ forms, activation, context }: PerceptronPlan, values: number): PerceptronLayout {
  const records = new Places();
  const gradients = new Places();
  const own = activationNumbers[activation];
  const inputColumns = values + context;
  records.take(inputColumns);
  const inputGradient = gradients.take(inputColumns);
  const layers: LayerFields[] = [];
  const ofForms: LayerFields[] = [];
  let part = 0;
  const add = (layer: Pick<LayerFields, 'inputs' | 'outputs'> & Partial<LayerFields>): LayerFields => {
    const { inputs, outputs } = layer;
    const fields = {
      ...unused,
      gradient: gradients.take(outputs),
      sourceGradient: inputGradient,
      part,
      ...layer,
    };
    part += (Math.ceil(inputs / 4) * 4 + 1) * upTo16(outputs);
    layers.push(fields);
    return fields;
  };
  /** Places of a result and of what an activation makes of it, as far as somebody reads them. */
  const resultOf = (outputs: number, number: number, raw: boolean) => {
    const active = number !== NO_ACTIVATION;
    return {
      activation: number,
      result: raw || !active || slopeByRead.includes(number) ? records.take(outputs) : -1,
      activated: active ? records.take(outputs) : -1,
    };
  };
  for (const [i, { inputs, outputs, activated, context: use, skip }] of forms.entries()) {
    const ofContext =
      use &&
      add({
        inputs: context,
        outputs,
        source: values,
        sourceGradient: inputGradient + values,
        ...resultOf(outputs, activationOf(use, own), false),
      });
    const before = ofForms[i - 1];
    const next = forms[i + 1];
    const isAdded = forms.some((form) => form.skip === i);
    ofForms.push(
      add({
        inputs,
        outputs,
        ...(before && sourceIn(before, activated)),
        ...(next && resultOf(outputs, next.activated ? own : NO_ACTIVATION, isAdded)),
        product: use === 'gate' ? records.take(outputs) : -1,
        ...(skip !== undefined && { skip: ofForms[skip].result, skipGradient: ofForms[skip].gradient }),
        ...(ofContext && readBy(ofContext, use)),
      }),
    );
  }
  const clearInputs = forms.some((form) => form.context !== undefined);
  markSums(layers, clearInputs ? [inputGradient, inputGradient + values] : []);
  const places = placesIn(layers);
  return {
    values,
    layers: layers.map((fields, i) => ({ fields, places: places[i] })),
    sizes: places[layers.length],
    recordBytes: records.bytes,
    lastResult: layers[layers.length - 1].gradient,
    inputGradient,
    inputColumns,
    clearInputs,
    added: gradients.take(largest(forms.map(({ inputs }) => inputs))),
    gradientBytes: gradients.bytes,
    part,
  };
}

/** A layer that does nothing of what a layer may do. */
const unused = {
  source: 0,
  product: -1,
  result: -1,
  activated: -1,
  activation: NO_ACTIVATION,
  skip: -1,
  contextUse: CONTEXT_NONE,
  context: -1,
  contextRead: -1,
  contextActivation: NO_ACTIVATION,
  sourceAdds: 0,
  skipGradient: -1,
  skipAdds: 0,
  contextGradient: -1,
  sourceActivation: NO_ACTIVATION,
  sourceRead: -1,
};

/** What the layer of a context goes through. */
function activationOf(use: ContextUse, own: number): number {
  if (use === 'gate') return SIGMOID;
  return use === 'activatedShift' ? own : NO_ACTIVATION;
}

/** What a layer reads of the one before it. */
function sourceIn({ activated, result, gradient, activation }: LayerFields, throughActivation: boolean) {
  const source = throughActivation ? activated : result;
  const sourceActivation = throughActivation ? activation : NO_ACTIVATION;
  return { source, sourceGradient: gradient, sourceActivation, sourceRead: result };
}

/** What a layer knows of that of its context. */
function readBy({ activated, result, activation, gradient }: LayerFields, use: ContextUse | undefined) {
  return {
    contextUse: use === 'gate' ? CONTEXT_GATE : CONTEXT_SHIFT,
    context: activated < 0 ? result : activated,
    contextRead: result,
    contextActivation: activation,
    contextGradient: gradient,
  };
}

/** Says, in the order of the way back, which gradients are added to one that is there already. */
function markSums(layers: readonly LayerFields[], present: readonly number[]): void {
  const there = new Set(present);
  const adds = (place: number) => {
    const before = there.has(place);
    there.add(place);
    return Number(before);
  };
  for (const layer of [...layers].reverse()) {
    if (layer.skipGradient >= 0) layer.skipAdds = adds(layer.skipGradient);
    layer.sourceAdds = adds(layer.sourceGradient);
  }
}

/** Where the scratch of every layer begins, and how much there is in all. */
function placesIn(layers: readonly LayerFields[]): ScratchSizes[] {
  const places = [{ packed: 0, ranges: 0, turned: 0, turnedRanges: 0 }];
  for (const { inputs, outputs } of layers) {
    const { packed, ranges, turned, turnedRanges } = places[places.length - 1];
    places.push({
      packed: packed + (inputs + 1) * upTo16(outputs) * 4,
      ranges: ranges + Math.ceil(outputs / 8) * 8,
      turned: turned + outputs * upTo16(inputs) * 4,
      turnedRanges: turnedRanges + Math.ceil(inputs / 8) * 8,
    });
  }
  return places;
}

function upTo16(count: number): number {
  return Math.ceil(count / 16) * 16;
}
