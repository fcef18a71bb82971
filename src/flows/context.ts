import * as tf from '@tensorflow/tfjs-core';
import { type ContextShape, type ContextTensors, isNamed, showContext } from '../core/context';
import { ConfigError, complaint, ShapeError } from '../core/errors';
import { largest } from '../core/lists';
import type { BigArray, NestedNumbers, NumericArray } from '../core/numbers';
import { type PartRows, readPart } from './contextPart';

/** One part of a context: values as tensor, nested or typed array, or one number. */
export type ContextValue = tf.Tensor | number | NumericArray | BigArray | NestedNumbers;

/**
 * What a pass is conditioned on: `contextShape` of the flow says of which shape, or which parts by name. One row per event,
 * [n, ...shape], or one for all, with or without its batch axis. Where the shape is that of class labels, class numbers do: one per
 * event, or one for all.
 */
export type Context = ContextValue | Readonly<Record<string, ContextValue>>;

/** A context that was read: each part has one row for all events, or one for each. */
export class ContextRows {
  private constructor(
    private readonly parts: Readonly<Record<string, PartRows>>,
    private readonly declared: ContextShape,
  ) {}

  /**
   * Reads a context by what a flow declares.
   *
   * @param isLabels whether a part, '' without names, is class labels
   * @throws ConfigError for a missing, unwanted or misnamed context; ShapeError, DataError for one that does not fit
   */
  static read(
    where: string,
    declared: ContextShape | undefined,
    isLabels: (part: string) => boolean,
    given: Context | ContextRows | undefined,
  ): ContextRows | undefined {
    if (given instanceof ContextRows) return given;
    if (declared === undefined) {
      if (given === undefined) return undefined;
      const hint = 'Declare it where the flow is built: `context`, or the `classes` of a Glow.';
      throw new ConfigError(complaint(where, 'no context', 'one', hint));
    }
    const expected = `a context ${showContext(declared)}`;
    if (given === undefined || given === null) throw new ConfigError(complaint(where, expected, 'none'));
    const shapes = isNamed(declared) ? declared : { '': declared };
    const values = byName(where, shapes, given, expected);
    const parts = Object.entries(shapes).map(([name, shape]) => {
      const what = name === '' ? 'the context' : `the context's part '${name}'`;
      return [name, readPart(where, what, shape, isLabels(name), values[name])] as const;
    });
    return new ContextRows(Object.fromEntries(parts), declared);
  }

  /** Number of rows: 1 where every part has one for all events. */
  get rows(): number {
    return largest(Object.values(this.parts).map((part) => part.rows));
  }

  /** Throws a ShapeError unless every part has one of these numbers of rows. */
  check(where: string, counts: readonly number[]): void {
    for (const [name, { rows }] of Object.entries(this.parts)) {
      if (counts.includes(rows)) continue;
      const of = name === '' ? 'a context' : `a context's part '${name}'`;
      const numbers = [...new Set(counts)].join(' or ');
      throw new ShapeError(
        complaint(where, `${of} of ${numbers} rows, one per event or one for all`, `${rows}`),
      );
    }
  }

  /** Rows start .. end - 1; those that are for all events stay. */
  slice(start: number, end: number): ContextRows {
    return this.mapParts((part) =>
      part.rows === 1
        ? part
        : { rows: end - start, slice: (from, to) => part.slice(start + from, start + to) },
    );
  }

  /** The first row of every part, or the last. */
  end(side: 'first' | 'last'): ContextRows {
    return this.mapParts((part) => {
      const start = side === 'first' ? 0 : part.rows - 1;
      return { rows: 1, slice: () => part.slice(start, start + 1) };
    });
  }

  /** Parts of two rows as so many that lead from one to the other in equal steps; the others stay. Runs inside `tf.tidy`. */
  along(steps: number): ContextRows {
    return this.mapParts((part) => {
      if (part.rows !== 2) return part;
      const [from, to] = [part.slice(0, 1), part.slice(1, 2)];
      const share = tf.reshape(tf.linspace(0, 1, steps), [steps, ...from.shape.slice(1).map(() => 1)]);
      const mixed = tf.add(tf.mul(tf.sub(1, share), from), tf.mul(share, to));
      return { rows: steps, slice: (start, end) => tf.slice(mixed, [start], [end - start]) };
    });
  }

  /** The parts on the device, each [its rows, ...shape]. */
  tensors(): ContextTensors {
    const parts = Object.entries(this.parts).map(([name, part]) => [name, part.slice(0, part.rows)] as const);
    return isNamed(this.declared) ? Object.fromEntries(parts) : parts[0][1];
  }

  private mapParts(change: (part: PartRows) => PartRows): ContextRows {
    const parts = Object.entries(this.parts).map(([name, part]) => [name, change(part)] as const);
    return new ContextRows(Object.fromEntries(parts), this.declared);
  }
}

/** One row as n, and n rows as they are; differentiable. */
export function repeatRows(part: tf.Tensor, n: number): tf.Tensor {
  if (part.shape[0] === n) return part;
  // The gradient of Tile slices once per copy; that of a sum adds them up.
  return tf.add(part, tf.zeros([n, ...part.shape.slice(1).map(() => 1)]));
}

function byName(
  where: string,
  shapes: Readonly<Record<string, unknown>>,
  given: Context,
  expected: string,
): Readonly<Record<string, ContextValue>> {
  const names = Object.keys(shapes);
  if (!isParts(given)) {
    if (names.length === 1) return { [names[0]]: given as ContextValue };
    throw new ConfigError(complaint(where, expected, 'one without names'));
  }
  const missing = names.find((name) => given[name] === undefined || given[name] === null);
  if (missing === '')
    throw new ConfigError(complaint(where, expected, `parts ${Object.keys(given).join(', ')}`));
  if (missing !== undefined) throw new ConfigError(complaint(where, expected, `no part '${missing}'`));
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ConfigError(complaint(where, expected, `a part '${unknown}'`));
  return given;
}

function isParts(given: Context): given is Readonly<Record<string, ContextValue>> {
  return (
    typeof given === 'object' &&
    !(given instanceof tf.Tensor) &&
    !(given instanceof Promise) &&
    !Array.isArray(given) &&
    !ArrayBuffer.isView(given)
  );
}
