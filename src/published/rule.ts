import { complaint, FormatError } from '../core/errors';
import { sizeOf } from '../core/shapes';
import type { NdArray } from '../data';
import { reorderLast, reshape, toValues, transpose, type Values } from './arrays';
import type { StoredTensors } from './storedTensor';

/** How some parameters of a published code are some weights of ours, in one direction. */
export interface ReadRule {
  /** Names and shapes in the published code. */
  theirs: Record<string, readonly number[]>;
  /** Names of our weights. */
  ours: readonly string[];
  /** Our weights, in the order of `ours`, from theirs, in the order of `theirs`. */
  read(theirs: Values[]): Values[];
  /** Whether a file may leave them out: they follow from the rest. */
  optional?: boolean;
}

/** The same in both directions. */
export interface Rule extends ReadRule {
  /** Their parameters, in the order of `theirs`, from our weights, in the order of `ours`. */
  write(ours: Values[]): NdArray[];
}

/** Weights by name. */
export type Weights = Map<string, Values>;

/** The order of a head's output channels: entry j of ours is entry order[j] of theirs. */
export type HeadOrder = (channels: number) => number[];

export const sameOrder: HeadOrder = (channels) => Array.from({ length: channels }, (_, i) => i);

/** Theirs alternates shift, raw, shift, raw, ...; ours has all shifts first. */
export const crossed: HeadOrder = (channels) =>
  Array.from({ length: channels }, (_, i) => (i < channels / 2 ? 2 * i : 2 * i - channels + 1));

/** Theirs has raw first, then shift. */
export const swappedHalves: HeadOrder = (channels) =>
  Array.from({ length: channels }, (_, i) => (i + channels / 2) % channels);

/** The same values under another name and shape. */
export function copy(theirs: string, shape: readonly number[], ours: string, heads = sameOrder): Rule {
  // Not before there are values: what a damaged file says of its sizes is not to be believed.
  const order = () => heads(sizeOf(shape));
  return {
    theirs: { [theirs]: shape },
    ours: [ours],
    read: ([array]) => [reorderLast(array, order())],
    write: ([array]) => [reshape(reorderLast(array, inverseOf(order())), shape)],
  };
}

/** PyTorch's kernel [out, in, height, width] as ours [height, width, in, out]. */
export function torchKernel(theirs: string, shape: readonly number[], ours: string, heads = sameOrder): Rule {
  const order = () => heads(shape[0]);
  return {
    theirs: { [theirs]: shape },
    ours: [ours],
    read: ([array]) => [reorderLast(transpose(reshape(array, shape), [2, 3, 1, 0]), order())],
    write: ([array]) => [transpose(reorderLast(array, inverseOf(order())), [3, 2, 0, 1])],
  };
}

/** A matrix, transposed. */
export function transposed(theirs: string, shape: readonly [number, number], ours: string): Rule {
  return {
    theirs: { [theirs]: shape },
    ours: [ours],
    read: ([array]) => [transpose(array, [1, 0])],
    write: ([array]) => [transpose(array, [1, 0])],
  };
}

/** Where each entry of the old order stands in the new one. */
export function inverseOf(order: readonly number[]): number[] {
  const result = new Array<number>(order.length);
  order.forEach((from, j) => {
    result[from] = j;
  });
  return result;
}

/** Parameters that do not fit and are named; the others are counted. */
const MOST_TOLD = 200;

/**
 * Takes from a file what rules want, all of it checked before anything is decoded.
 *
 * @param ignored names that may be there or not
 * @throws FormatError that lists every parameter that is missing, unknown or of another shape
 */
export function matchParameters(
  where: string,
  expected: ReadonlyMap<string, readonly number[]>,
  found: StoredTensors,
  ignored: (name: string) => boolean = () => false,
): void {
  const problems: string[] = [];
  for (const [name, shape] of expected) {
    const tensor = found.get(name);
    if (tensor === undefined) problems.push(`${name} is missing`);
    else if (longAxes(tensor.shape) !== longAxes(shape)) {
      problems.push(`${name} is [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    }
  }
  for (const name of found.keys()) {
    if (!expected.has(name) && !ignored(name)) problems.push(`${name} is unknown`);
  }
  if (problems.length > 0) {
    const more = problems.length > MOST_TOLD ? `; and ${problems.length - MOST_TOLD} more` : '';
    const received = `${problems.length} that do not: ${problems.slice(0, MOST_TOLD).join('; ')}${more}`;
    throw new FormatError(complaint(where, `${expected.size} parameters that fit`, received));
  }
}

/** Axes of length 1 change nothing about the order of values, and codes differ in them. */
function longAxes(shape: readonly number[]): string {
  return shape.filter((length) => length !== 1).join();
}

/** Our weights from a file, by rules. */
export function applyRules(
  where: string,
  rules: readonly ReadRule[],
  found: StoredTensors,
  ignored: (name: string) => boolean,
): Weights {
  const wanted = rules.filter(
    ({ theirs, optional }) => !optional || Object.keys(theirs).some((name) => found.has(name)),
  );
  matchParameters(where, new Map(wanted.flatMap(({ theirs }) => Object.entries(theirs))), found, ignored);
  return readByRules(wanted, (name) => found.get(name)!.read());
}

/** Our weights from arrays by their names, of which none is missing. */
export function readByRules(rules: readonly ReadRule[], arrayOf: (name: string) => NdArray): Weights {
  const weights: Weights = new Map();
  for (const { theirs, ours, read } of rules) {
    if (ours.length === 0) continue;
    const arrays = Object.entries(theirs).map(([name, shape]) => reshape(toValues(arrayOf(name)), shape));
    read(arrays).forEach((array, i) => {
      weights.set(ours[i], array);
    });
  }
  return weights;
}

/** Parameters of a published code from our weights, by rules. */
export function applyRulesBackwards(
  rules: readonly Rule[],
  weights: ReadonlyMap<string, Values>,
): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {};
  for (const { theirs, ours, write } of rules) {
    const written = write(ours.map((name) => weights.get(name)!));
    Object.keys(theirs).forEach((name, i) => {
      arrays[name] = written[i];
    });
  }
  return arrays;
}
