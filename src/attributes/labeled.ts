import { complaint, DataError, ShapeError } from '../core/errors';
import type { Matrix } from '../linalg';
import { type LatentsInput, toLatents } from '../statistics/inputs';

/** Name of a subclass. */
export type SubclassName = number | string;

/** Subclass of every sample: numbers or strings, one per row. */
export type SubclassLabels = ArrayLike<number> | readonly string[];

/** Samples that know their subclass, and what else is known of them. */
export interface Labeled {
  /** [n, d], latents or features. */
  z: LatentsInput;
  /** Subclass of every row: numbers or strings, length n. */
  subclass: SubclassLabels;
  /** [n, a], one column per attribute; real-valued, or > 0 and <= 0 for present and absent. */
  attributes?: LatentsInput;
}

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
  /** [n, a] */
  attributes?: Matrix;
}

/**
 * Labelled samples, checked, in float64 and grouped by subclass.
 *
 * @throws ShapeError where lengths differ; DataError for values that are not finite or labels that are missing
 */
export function toLabeled(where: string, labeled: Labeled, minimumClasses = 1): LabeledLatents {
  const z = toLatents(where, labeled.z);
  const labels = Array.from(labeled.subclass as ArrayLike<SubclassName>);
  if (labels.length !== z.rows) {
    throw new ShapeError(complaint(where, `${z.rows} subclass labels, one per sample`, `${labels.length}`));
  }
  labels.forEach((label, i) => {
    if (typeof label !== 'string' && !Number.isFinite(label)) {
      throw new DataError(complaint(where, 'a number or a string as subclass', `${label} in row ${i}`));
    }
  });
  const { names, index, groups } = groupBy(labels);
  if (names.length < minimumClasses) {
    throw new DataError(complaint(where, `samples of at least ${minimumClasses} subclasses`, names.length));
  }
  const result: LabeledLatents = { z, subclass: index, names, groups };
  if (labeled.attributes !== undefined) {
    result.attributes = toLatents(`${where} (attributes)`, labeled.attributes);
    if (result.attributes.rows !== z.rows) {
      throw new ShapeError(
        complaint(where, `attributes for ${z.rows} samples`, `${result.attributes.rows} rows`),
      );
    }
  }
  return result;
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
