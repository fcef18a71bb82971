import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { printable } from '../core/printable';
import { Matrix } from '../linalg';
import { dot } from '../statistics/covariance';
import {
  isList,
  type LatentsInput,
  toColumns,
  toLatents,
  toVector,
  type VectorInput,
} from '../statistics/inputs';
import { checkLayout, type LatentLevel } from './layout';

/** A direction: plain numbers [d], or what `zDelta` and `transferDelta` return. */
export type DirectionInput =
  | VectorInput
  | {
      delta: VectorInput;
      consistency?: number | null;
      consistencyError?: number | null;
      consistencyReason?: string | null;
    };

/** Options of `manipulate`. */
export interface ManipulateOptions {
  /** Whether each direction loses its part along the earlier ones first. Default: false. */
  orthogonalize?: boolean;
  /** Levels of a multi-scale flow, needed for `levelStrengths`. */
  layout?: readonly LatentLevel[];
  /** Factor on all strengths per level number, as in { 0: 0, 2: 1 }; levels not named keep 1. */
  levelStrengths?: Readonly<Record<number, number>>;
}

const OPTIONS: OptionNames<ManipulateOptions> = {
  orthogonalize: 'boolean',
  layout: true,
  levelStrengths: true,
};

/**
 * How far to go: one strength, several, or for several directions one strength per direction in every step.
 */
export type StrengthsInput = number | ArrayLike<number> | readonly ArrayLike<number>[];

/** Samples moved along directions. */
export interface Manipulated {
  /** [n * steps, d], all steps of the first sample, then of the second. */
  z: Matrix;
  /** Row of the input that every result came from. */
  source: Int32Array;
  /** Position in `strengths` of every result. */
  step: Int32Array;
}

/**
 * Latents moved along one or several attribute directions, for sweeps.
 *
 *     z' = z + sum_k strength_k f_level * delta_k
 *
 * Shapes: z [n, d], deltas [d] each, strengths [steps] for one direction or [steps][k] for k of them -> [n * steps, d]. A single number
 * is one step. A flat list of numbers is one latent [d], or n latents of one value each where the direction is one value.
 *
 * @throws ShapeError, ConfigError, DataError (values that are not finite, directions that depend on each other under `orthogonalize`)
 * @example
 * const sweep = manipulate(latents, zDelta(labeled), [-2, -1, 0, 1, 2]);
 */
export function manipulate(
  z: LatentsInput | VectorInput,
  deltas: DirectionInput | readonly DirectionInput[],
  strengths: StrengthsInput,
  options: ManipulateOptions = {},
): Manipulated {
  const where = 'manipulate';
  checkOptions(where, options, OPTIONS);
  const rows = toRows(where, z, deltas);
  let directions = directionsOf(where, deltas, rows.cols);
  if (options.orthogonalize === true) directions = orthogonalized(where, directions);
  const factors = levelFactors(where, options, rows.cols);
  const steps = stepsOf(where, strengths, directions.length);
  const moves = Array.from({ length: steps.rows }, (_, s) => {
    const move = new Float64Array(rows.cols);
    directions.forEach((direction, k) => {
      for (let j = 0; j < move.length; j++) move[j] += steps.at(s, k) * factors[j] * direction[j];
    });
    return move;
  });
  const count = rows.rows * steps.rows;
  const result = Matrix.zeros(count, rows.cols);
  for (let i = 0; i < count; i++) {
    const row = rows.row(Math.floor(i / steps.rows));
    const move = moves[i % steps.rows];
    result.row(i).set(row.map((value, j) => value + move[j]));
  }
  const source = Int32Array.from({ length: count }, (_, i) => Math.floor(i / steps.rows));
  const step = Int32Array.from({ length: count }, (_, i) => i % steps.rows);
  return printable({ z: result, source, step }, (moved) => [
    `${moved.z.rows} latents of ${moved.z.cols} values: ${rows.rows} of them by ${steps.rows} ${steps.rows === 1 ? 'step' : 'steps'}`,
  ]);
}

/** Latents as rows; of a flat list the direction says whether it is one latent, or one value each of several. */
function toRows(
  where: string,
  z: LatentsInput | VectorInput,
  deltas: DirectionInput | readonly DirectionInput[],
): Matrix {
  if (!isList(z)) return toLatents(where, z);
  const [first] = listOfDirections(deltas);
  const values = toVector(where, z);
  if (first !== undefined && vectorOf(where, first).length === 1) return new Matrix(values, values.length, 1);
  return new Matrix(values, 1, values.length);
}

function vectorOf(where: string, input: DirectionInput, d?: number): Float64Array {
  return toVector(
    where,
    typeof input === 'object' && input !== null && 'delta' in input ? input.delta : input,
    d,
  );
}

/** One direction as plain numbers of length d. */
export function toDirection(where: string, input: DirectionInput, d: number): Float64Array {
  const direction = vectorOf(where, input, d);
  if (direction.every((value) => value === 0)) {
    throw new DataError(complaint(where, 'a direction', 'zeros only'));
  }
  return direction;
}

/** One or several directions as plain numbers of length d. */
export function directionsOf(
  where: string,
  deltas: DirectionInput | readonly DirectionInput[],
  d: number,
): Float64Array[] {
  const list = listOfDirections(deltas);
  if (list.length === 0) throw new ConfigError(complaint(where, 'at least one direction', 'none'));
  return list.map((delta) => toDirection(where, delta, d));
}

/** One direction or several as a list of them; a list of numbers is one. */
export function listOfDirections(
  deltas: DirectionInput | readonly DirectionInput[],
): readonly DirectionInput[] {
  const several =
    Array.isArray(deltas) && (deltas.length === 0 || (typeof deltas[0] === 'object' && deltas[0] !== null));
  return (several ? deltas : [deltas]) as readonly DirectionInput[];
}

/** Modified Gram-Schmidt without normalization: lengths keep their meaning. */
function orthogonalized(where: string, directions: readonly Float64Array[]): Float64Array[] {
  const result: Float64Array[] = [];
  directions.forEach((direction, k) => {
    const rest = direction.slice();
    for (const earlier of result) {
      const weight = dot(rest, earlier) / dot(earlier, earlier);
      for (let j = 0; j < rest.length; j++) rest[j] -= weight * earlier[j];
    }
    if (dot(rest, rest) <= 1e-20 * dot(direction, direction)) {
      throw new DataError(
        complaint(where, 'independent directions', `direction ${k} made of the earlier ones`),
      );
    }
    result.push(rest);
  });
  return result;
}

function levelFactors(where: string, options: ManipulateOptions, d: number): Float64Array {
  const factors = new Float64Array(d).fill(1);
  const { layout, levelStrengths } = options;
  if (levelStrengths === undefined) return factors;
  if (layout === undefined) {
    throw new ConfigError(complaint(where, 'a layout with levelStrengths', 'none', 'The flow knows it.'));
  }
  const levels = checkLayout(where, layout, d);
  for (const [name, factor] of Object.entries(levelStrengths)) {
    const level = levels.find((entry) => entry.level === Number(name));
    if (level === undefined) {
      const known = levels.map((entry) => entry.level).join(', ');
      throw new ConfigError(complaint(where, `levels ${known}`, name));
    }
    if (!Number.isFinite(factor)) throw new ConfigError(complaint(where, 'finite strengths', factor));
    factors.fill(factor, level.offset, level.offset + level.size);
  }
  return factors;
}

/** One row of strengths per step, one column per direction. */
function stepsOf(where: string, strengths: StrengthsInput, directions: number): Matrix {
  if (typeof strengths === 'object' && strengths?.length === 0) {
    throw new ConfigError(complaint(where, 'at least one strength', 'none'));
  }
  const steps = toColumns(`${where} (strengths)`, typeof strengths === 'number' ? [strengths] : strengths);
  if (steps.cols !== directions) {
    throw new ShapeError(complaint(where, `${directions} strengths per step, one per direction`, steps.cols));
  }
  return steps;
}
