import { map, type Values, zeros } from '../../arrays';
import type { Weights } from '../../rule';
import type { WholeType } from '../../safetensors';
import type { VectorBase, VectorLayer } from '../config';
import type { VectorLibrary } from '../library';
import type { OwnBase, OwnLayer } from './ownLayers';
import type { Need } from './reasons';

/** A layer of another library in the place of one of ours, or one of several. */
export interface Expression {
  layer: Omit<VectorLayer, 'at'>;
  /** By the names of ours that the library's rules have. */
  weights: Weights;
  /** Masks of the layers of its network. */
  masks?: readonly boolean[][][];
}

/** A flow as another library has it. */
export interface WrittenFlow {
  features: number;
  context: number;
  layers: readonly Expression[];
  base: VectorBase;
  /** Whether the context is standardized first. */
  standardizesContext: boolean;
}

/** How flows of ours are written for another library. */
export interface VectorWriter {
  code: VectorLibrary;
  /** Whose names these are, for people. */
  title: string;
  /** What its layer `place` is called. */
  at(place: number): string;
  /** What a layer of ours is there; says what it cannot be. */
  express(layer: OwnLayer, need: Need): Expression[];
  /** What a base of ours is there. */
  base(base: OwnBase, need: Need): VectorBase;
  /** Whether the context may be standardized by a network of the library's. */
  standardizesContext: boolean;
  /** Which of a layer's masks has this name. */
  maskPlace(name: string, layer: Expression['layer']): number;
  /** The type of what is not float32. */
  typeOf(name: string): WholeType | undefined;
  /** Lines of Python that build the flow, as `flow`. */
  python(flow: WrittenFlow): string;
}

/** Layers that all libraries have; undefined for others. */
export function expressPlain({ className, config, weights }: OwnLayer): Expression[] | undefined {
  switch (className) {
    case 'FlowPermutation':
      return [{ layer: { type: 'permutation', order: config.order as number[] }, weights }];
    case 'FlowActNorm':
      return [{ layer: { type: 'standardize' }, weights }];
    case 'FlowStandardize': {
      const negative = (name: string): Values => map(weights.get(name) as Values, (value) => -value);
      const same = new Map([
        ['bias', negative('mean')],
        ['logScale', negative('logDeviation')],
      ]);
      return [{ layer: { type: 'standardize' }, weights: same }];
    }
    default:
      return undefined;
  }
}

/** A shift of all values, as the affine map that it is. */
export function shiftOf(bias: Values): Expression {
  const weights = new Map([
    ['bias', bias],
    ['logScale', zeros(bias.shape)],
  ]);
  return { layer: { type: 'standardize' }, weights };
}

/** Says that a layer has no counterpart, and leaves it out. */
export function refuse({ className }: OwnLayer, title: string, need: Need): Expression[] {
  need(false, `${title} has no ${className.replace(/^Flow/, '')}`);
  return [];
}
