import type { NdArray } from '../../data';
import type { Bijector } from '../../layers';
import type { Values } from '../arrays';
import type { Rule } from '../rule';

/** A part of ours, and how the parameters of theirs are its weights; all names begin where the part does. */
export interface Piece<Part> {
  rules: Rule[];
  /** Built once the parameters were found to fit. */
  build(): Part;
}

/** What a layer is built into. */
export interface Scene {
  /** Number of values of the flow. */
  features: number;
  /** Number of values of the context, 0 for none. */
  context: number;
  /** Name of our layer. */
  name: string;
  /** A mask of theirs, [outputs, inputs], by the end of its name: of the file, or of the flow that is written. */
  mask(name: string): boolean[][];
}

/** A layer of theirs as one of ours. */
export type LayerPiece = Piece<Bijector>;

/** The scene of what has its names behind a prefix. */
export function sceneBelow(scene: Scene, prefix: string): Scene {
  return { ...scene, mask: (name) => scene.mask(`${prefix}.${name}`) };
}

/** The same rules for names behind prefixes. */
export function rulesBelow(rules: readonly Rule[], prefix: { theirs?: string; ours?: string }): Rule[] {
  const theirs = prefix.theirs ? `${prefix.theirs}.` : '';
  const ours = prefix.ours ? `${prefix.ours}/` : '';
  return rules.map((rule) => ({
    ...rule,
    theirs: Object.fromEntries(Object.entries(rule.theirs).map(([name, shape]) => [theirs + name, shape])),
    ours: rule.ours.map((name) => ours + name),
  }));
}

/** What the code keeps that follows from how the flow is built. */
export function constant(theirs: string, shape: readonly number[], value: () => NdArray): Rule {
  return { theirs: { [theirs]: shape }, ours: [], read: () => [], write: () => [value()] };
}

/** As `constant`, for what an older file may not have. */
export function besideWeights(theirs: string, shape: readonly number[], value: () => NdArray): Rule {
  return { ...constant(theirs, shape, value), optional: true };
}

/** Whole numbers as an array of a file. */
export function integers(values: readonly number[]): NdArray {
  return { shape: [values.length], data: Int32Array.from(values) };
}

/** A mask as an array of a file. */
export function maskValues(mask: readonly (readonly boolean[])[]): Values {
  const columns = mask[0]?.length ?? 0;
  return { shape: [mask.length, columns], data: Float32Array.from(mask.flat(), Number) };
}
