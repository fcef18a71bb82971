/*
 * How fully connected layers stand together in perceptrons of every kind, as plain data: one description, by which networks are built,
 * computed, swept and fused.
 */

/**
 * What the context does to a layer's result r, by a linear map C of its own: 'shift' r + C, 'activatedShift' r + a(C),
 * 'gate' r * sigmoid(C).
 */
export type ContextUse = 'shift' | 'activatedShift' | 'gate';

/** How one layer stands in a network: r = W a(v) + b of the result v before it, changed by the context, added to an earlier one. */
export interface LayerForm {
  inputs: number;
  outputs: number;
  /** Whether it reads through the activation. */
  activated: boolean;
  /** Whether what it reads is dropped in part in training. */
  dropped: boolean;
  /** Absent where the context does nothing here. */
  context?: ContextUse;
  /** The earlier layer whose result is added to that of this one. */
  skip?: number;
  /** Weights start uniform within this; 0 for zeros. */
  start: number;
  /** Biases start uniform within this; absent for zeros. */
  biasStart?: number;
}

/**
 * How a context enters: 'inputs', beside the values in the first layer; 'gates', there and by a gate in every block; 'shifts', activated and added to
 * the first layer's result, and added to the first layer of every block.
 */
export type ContextAs = 'inputs' | 'gates' | 'shifts';

/** Sizes of a network's ends. */
export interface Ends {
  /** Values that the first layer reads, without the context. */
  features: number;
  outputs: number;
  /** Values of the context; 0 for none. */
  context: number;
  contextAs: ContextAs;
}

/** Where weights of relu layers start, uniform within +-sqrt(6 / inputs) (He et al., 2015). */
export function startOf(inputs: number): number {
  return Math.sqrt(6 / inputs);
}

/**
 * Where biases of a first layer start that would otherwise have nothing to pass on at times: a network of zeros alone, made of a context
 * that an embedding starts at zero, has no gradient but that of its last bias.
 */
function biasStartOf(inputs: number): number {
  return 1 / Math.sqrt(Math.max(1, inputs));
}

/** Layers one after another, the activation between them. */
export function perceptronForms(
  ends: Ends,
  hiddenUnits: readonly number[],
  firstBias: 'zero' | 'spread' = 'zero',
): LayerForm[] {
  const widths = [firstInputs(ends), ...hiddenUnits, ends.outputs];
  return widths.slice(1).map((outputs, i) => ({
    inputs: widths[i],
    outputs,
    activated: i > 0,
    dropped: i > 0,
    ...(i === 0 ? firstContext(ends) : {}),
    start: i === hiddenUnits.length ? 0 : startOf(widths[i]),
    ...(i === 0 && hiddenUnits.length > 0 && firstBias === 'spread'
      ? { biasStart: biasStartOf(widths[0]) }
      : {}),
  }));
}

/** Second layers of blocks start so small that blocks add almost nothing. */
const BLOCK_START = 1e-3;

/** A layer, blocks of two which are added to what they read, and a last layer without an activation before it. */
export function residualForms(
  ends: Ends,
  { units, blocks, preactivated }: { units: number; blocks: number; preactivated: boolean },
): LayerForm[] {
  const { context, contextAs } = ends;
  const square = { inputs: units, outputs: units };
  const first: LayerForm = {
    inputs: firstInputs(ends),
    outputs: units,
    activated: false,
    dropped: false,
    ...firstContext(ends),
    start: startOf(firstInputs(ends)),
    biasStart: biasStartOf(firstInputs(ends)),
  };
  const within = Array.from({ length: blocks }, (_, block): LayerForm[] => [
    {
      ...square,
      activated: preactivated,
      dropped: false,
      ...(context > 0 && contextAs === 'shifts' ? { context: 'shift' } : {}),
      start: startOf(units),
    },
    {
      ...square,
      activated: true,
      dropped: true,
      ...(context > 0 && contextAs === 'gates' ? { context: 'gate' } : {}),
      skip: 2 * block,
      start: BLOCK_START,
    },
  ]);
  const last = { inputs: units, outputs: ends.outputs, activated: false, dropped: false, start: 0 };
  return [first, ...within.flat(), last];
}

function firstInputs({ features, context, contextAs }: Ends): number {
  return contextAs === 'shifts' ? features : features + context;
}

function firstContext({ context, contextAs }: Ends): { context?: ContextUse } {
  return context > 0 && contextAs === 'shifts' ? { context: 'activatedShift' } : {};
}
