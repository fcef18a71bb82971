import { complaint, DataError } from '../../core/errors';
import type { Matrix } from '../../linalg';

/**
 * Throws a DataError where few and reference hold the same samples, as far as that can be told: the reference stands for the truth, and
 * samples that are in both deviate from it by nothing.
 *
 * Rows that are equal in float32 are the same sample, unless samples of the reference are as often equal to each other, as counts and
 * rounded values are: then only more of them than that, or two equal lists, give it away.
 */
export function checkIndependent(where: string, few: Matrix, reference: Matrix): void {
  const known = indexRows(reference);
  const shared = countRows(few, (row) => known.count(row) > 0);
  if (shared === 0) return;
  const twins = countRows(reference, (row) => known.count(row) > 1) / reference.rows;
  const usual = few.rows * twins + 3 * Math.sqrt(few.rows * twins * (1 - twins));
  const listed = few.rows === reference.rows && few.data.every((value, i) => value === reference.data[i]);
  if (!listed && shared <= usual) return;
  const hint = 'The reference stands for the truth; leave the few out of it.';
  const received = `${shared} of ${few.rows} few samples in the reference too`;
  throw new DataError(complaint(where, 'few samples that are not in the reference', received, hint));
}

function countRows(rows: Matrix, test: (row: Float32Array) => boolean): number {
  let count = 0;
  for (let i = 0; i < rows.rows; i++) if (test(rounded(rows.row(i)))) count++;
  return count;
}

/** How often a row occurs, whatever its label. */
function indexRows(rows: Matrix): { count(row: Float32Array): number } {
  const buckets = new Map<number, Float32Array[]>();
  for (let i = 0; i < rows.rows; i++) {
    const row = rounded(rows.row(i));
    const bucket = buckets.get(hash(row));
    if (bucket === undefined) buckets.set(hash(row), [row]);
    else bucket.push(row);
  }
  const equal = (a: Float32Array, b: Float32Array) => a.every((value, j) => value === b[j]);
  return { count: (row) => buckets.get(hash(row))?.filter((other) => equal(row, other)).length ?? 0 };
}

/** In float32, in which latents come from a device; 0 for -0. */
function rounded(row: Float64Array): Float32Array {
  return Float32Array.from(row, (value) => value + 0);
}

/** 32 bits of FNV-1a over the values' bits. */
function hash(row: Float32Array): number {
  let result = 0x811c9dc5;
  for (const bits of new Uint32Array(row.buffer)) result = Math.imul(result ^ bits, 0x01000193);
  return result;
}
