import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, DataError, ShapeError } from '../core/errors';
import { named, toNumber } from '../core/numbers';
import { nearestName } from '../core/options';
import { readAtOnce } from '../core/reads';
import type { Matrix } from '../linalg';
import { type LatentsInput, toColumns, type VectorInput } from '../statistics/inputs';
import { type AttributeColumns, type AttributesInput, toAttributes } from './attributeColumns';

/** Name of a subclass. */
export type SubclassName = number | string;

/** Subclass of every sample, one per row: numbers (a tensor [n] too) or strings. */
export type SubclassLabels = tf.Tensor1D | ArrayLike<number> | readonly string[];

/** Samples that know their subclass, and what else is known of them. */
export interface Labeled {
  /** [n, d], latents or features; a flat list is one value per sample. */
  z: LatentsInput | VectorInput;
  /** Subclass of every row: numbers or strings, length n. */
  subclass: SubclassLabels;
  /** [n, a], one column per attribute, a flat list [n] of one, or lists by name; real-valued, or > 0 and <= 0 for present and absent. */
  attributes?: AttributesInput;
}

/** Every field, with other words for it. */
const FIELDS = { z: ['latents', 'x'], subclass: ['labels', 'classes'], attributes: true } as const;

/** `Labeled`, checked and in float64. */
export interface LabeledLatents {
  /** [n, d] */
  z: Matrix;
  /** Position in `names` of every row's subclass. */
  subclass: Int32Array;
  /** Distinct subclasses, sorted (numbers by value, strings by code unit). */
  names: SubclassName[];
  /** Rows of every subclass, in the order of `names`. */
  groups: Int32Array[];
  /** [n, a] with names, undefined where none were given. */
  attributes: AttributeColumns | undefined;
}

/**
 * Labelled samples, checked, in float64 and grouped by subclass.
 *
 * @throws ShapeError where lengths differ; DataError for values that are not finite or labels that are missing; ConfigError for a misspelt
 * field
 */
export function toLabeled(where: string, labeled: Labeled, minimumClasses = 1): LabeledLatents {
  checkFields(where, labeled);
  const z = toColumns(where, labeled.z);
  const labels = toLabels(where, labeled.subclass);
  if (labels.length !== z.rows) {
    throw new ShapeError(complaint(where, `${z.rows} subclass labels, one per sample`, `${labels.length}`));
  }
  const { names, index, groups } = groupBy(labels);
  if (names.length < minimumClasses) {
    throw new DataError(complaint(where, `samples of at least ${minimumClasses} subclasses`, names.length));
  }
  const attributes =
    labeled.attributes === undefined
      ? undefined
      : toAttributes(`${where} (attributes)`, labeled.attributes, z.rows);
  return { z, subclass: index, names, groups, attributes };
}

/** Data may carry more than is asked for, but a field under a name much like one that is missing was meant to be that one. */
function checkFields(where: string, labeled: Labeled): void {
  const fields = Array.isArray(labeled) ? [] : Object.keys(labeled ?? {});
  for (const name of fields) {
    const near = name in FIELDS ? undefined : (nearestName(name, FIELDS) as keyof Labeled | undefined);
    if (near === undefined || labeled[near] !== undefined) continue;
    const expected = 'labelled samples { z, subclass, attributes }';
    throw new ConfigError(complaint(where, expected, `a field '${name}'`, `Did you mean '${near}'?`));
  }
  if (labeled?.z === undefined) {
    throw new DataError(complaint(where, 'labelled samples { z, subclass }', named(labeled)[0]));
  }
}

/** Labels as plain numbers or strings, none missing; one kind throughout, as 1 and '1' would be two subclasses. */
function toLabels(where: string, input: SubclassLabels): SubclassName[] {
  if (input instanceof tf.Tensor && (input as tf.Tensor).rank !== 1) {
    throw new ShapeError(complaint(where, 'subclass labels as a tensor [n]', input.shape, 'Reshape it.'));
  }
  const given: unknown = input instanceof tf.Tensor ? readAtOnce(where, input) : input;
  if (!Array.isArray(given) && (!ArrayBuffer.isView(given) || given instanceof DataView)) {
    throw new DataError(complaint(where, 'a list of subclass labels, one per sample', named(given)[0]));
  }
  const labels = Array.from(given as ArrayLike<unknown>, (label, i) => toLabel(where, label, i));
  const other = labels.findIndex((label) => typeof label !== typeof labels[0]);
  if (other > 0) {
    const shown = [labels[0], labels[other]].map((label) => JSON.stringify(label));
    const received = `${shown[0]} in row 0 and ${shown[1]} in row ${other}`;
    throw new DataError(complaint(where, 'subclasses that are all numbers or all strings', received));
  }
  return labels;
}

function toLabel(where: string, label: unknown, row: number): SubclassName {
  if (typeof label === 'string' && label !== '') return label;
  if (typeof label === 'bigint' || typeof label === 'boolean')
    return toNumber(where, 'subclass', label, [row]);
  if (typeof label === 'number' && Number.isFinite(label)) return label;
  const [received, hint] = named(label);
  throw new DataError(
    complaint(where, 'a number or a string as subclass', `${received} in row ${row}`, hint),
  );
}

/** Distinct labels in order, the position of every row's label, and the rows of every label. */
export function groupBy(labels: readonly SubclassName[]): {
  names: SubclassName[];
  index: Int32Array;
  groups: Int32Array[];
} {
  const names = [...new Set(labels)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const position = new Map(names.map((name, c) => [name, c]));
  const rows: number[][] = names.map(() => []);
  const index = Int32Array.from(labels, (label, i) => {
    const c = position.get(label) as number;
    rows[c].push(i);
    return c;
  });
  return { names, index, groups: rows.map((group) => Int32Array.from(group)) };
}
