import { layerTable, NOWHERE } from './layerTable';

/** What a result goes through: nothing, the network's activation, or the sigmoid of gates. */
export const PLAIN = 0;
export const ACTIVATED = 1;
export const SIGMOID = 2;

/** What a layer of the context does to another: its result is added, or multiplied. */
export const SHIFTS = 1;
export const GATES = 2;

/**
 * What programs know of a layer. Places are in quads, which are four floats, of a row's record where nothing else is said; what nobody
 * needs is NOWHERE.
 */
export interface LayerPlaces {
  inputs: number;
  outputs: number;
  /** Weights, turned weights and bias, among the packed ones, each row in whole quads. */
  kernel: number;
  turned: number;
  bias: number;
  /** Mask [inputs, outputs], among the constants, in words. */
  mask: number;
  /** What it reads. */
  source: number;
  /** Its result; that of the last layer goes to the output. */
  result: number;
  /** What the result goes through, and the result as it is read: activated, and dropped in part. */
  activation: number;
  read: number;
  /** 1 where the result is dropped in part; and how many columns are, in all, of results before it. */
  drops: number;
  dropoutsBefore: number;
  /** A copy of what it is dropped by. */
  share: number;
  /** The result that is added. */
  skip: number;
  /** What a layer of the context does, where its result lies as it is read, and the product that it multiplies. */
  contextUse: number;
  context: number;
  product: number;
  /** The gradient by the result, later by the product. */
  gradient: number;
  /** Gradients by the result that is read, before activation and dropout, and by the one that is added; 1 where there is one already. */
  sourceGradient: number;
  sourceAdds: number;
  skipGradient: number;
  skipAdds: number;
  /** The result that is read, what it went through and its copied dropout. */
  sourceResult: number;
  sourceActivation: number;
  sourceShare: number;
  /** Of the context's layer. */
  contextResult: number;
  contextActivation: number;
  contextGradient: number;
}

export const FIELDS: readonly (keyof LayerPlaces)[] = [
  'inputs',
  'outputs',
  'kernel',
  'turned',
  'bias',
  'mask',
  'source',
  'result',
  'activation',
  'read',
  'drops',
  'dropoutsBefore',
  'share',
  'skip',
  'contextUse',
  'context',
  'product',
  'gradient',
  'sourceGradient',
  'sourceAdds',
  'skipGradient',
  'skipAdds',
  'sourceResult',
  'sourceActivation',
  'sourceShare',
  'contextResult',
  'contextActivation',
  'contextGradient',
];

/** `layerAt(i)`: the places of a layer, which lie at the beginning of `constants`. */
export const LAYER_AT = layerTable(FIELDS, 'constants');

/** The places of all layers as `layerAt` reads them. */
export function placesInWords(layers: readonly LayerPlaces[]): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(layers.flatMap((layer) => FIELDS.map((field) => layer[field])));
}

/** What reads nothing, and is read by nobody. */
export const alone: Omit<LayerPlaces, 'inputs' | 'outputs' | 'source'> = {
  kernel: NOWHERE,
  turned: NOWHERE,
  bias: NOWHERE,
  mask: NOWHERE,
  result: NOWHERE,
  activation: PLAIN,
  read: NOWHERE,
  drops: 0,
  dropoutsBefore: 0,
  share: NOWHERE,
  skip: NOWHERE,
  contextUse: 0,
  context: NOWHERE,
  product: NOWHERE,
  gradient: NOWHERE,
  sourceGradient: NOWHERE,
  sourceAdds: 0,
  skipGradient: NOWHERE,
  skipAdds: 0,
  sourceResult: NOWHERE,
  sourceActivation: PLAIN,
  sourceShare: NOWHERE,
  contextResult: NOWHERE,
  contextActivation: PLAIN,
  contextGradient: NOWHERE,
};
