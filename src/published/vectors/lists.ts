import { complaint, FormatError } from '../../core/errors';
import type { Below } from './below';

/** A layer in a list of layers, which may hold lists themselves. */
export interface Place {
  /** Its number in each list, outermost first. */
  path: number[];
  /** Its names begin with this. */
  at: string;
}

/**
 * The layers of nested lists, in order.
 *
 * @param list what a list's names begin with, as in `_transforms`
 * @returns them, and the places of the lists at which nothing has a name
 */
export function placesIn(file: Below, list: string): { places: Place[]; gaps: string[] } {
  const pattern = new RegExp(`^(?:${list}\\.\\d+\\.)*`);
  const found = new Map<string, Place>();
  for (const name of file.names) {
    const at = (pattern.exec(name) as RegExpExecArray)[0].slice(0, -1);
    if (found.has(at)) continue;
    const path = at === '' ? [] : at.split('.').flatMap((part, i) => (i % 2 === 1 ? [Number(part)] : []));
    found.set(at, { path, at });
  }
  const places = [...found.values()].sort((a, b) => comparePaths(a.path, b.path));
  return { places, gaps: gapsOf(places, list) };
}

function comparePaths(a: number[], b: number[]): number {
  const i = a.findIndex((number, j) => number !== b[j]);
  return i < 0 ? a.length - b.length : a[i] - (b[i] ?? -1);
}

/** Where numbers of a list are passed over; a run of them is named by its ends. */
function gapsOf(places: readonly Place[], list: string): string[] {
  const members = new Map<string, Set<number>>();
  for (const { path } of places) {
    path.forEach((number, depth) => {
      const parent = path.slice(0, depth).join('.');
      members.set(parent, (members.get(parent) ?? new Set()).add(number));
    });
  }
  return [...members].flatMap(([parent, numbers]) => {
    const prefix = [
      ...parent
        .split('.')
        .filter(Boolean)
        .flatMap((number) => [list, number]),
      list,
    ].join('.');
    return [...numbers]
      .sort((a, b) => a - b)
      .flatMap((number, i, sorted) => {
        const expected = i === 0 ? 0 : sorted[i - 1] + 1;
        if (number === expected) return [];
        return [expected === number - 1 ? `${prefix}.${expected}` : `${prefix}.${expected} to ${number - 1}`];
      });
  });
}

/** Throws a FormatError where a list passes over some of its members. */
export function refuseGaps(gaps: readonly string[]): void {
  if (gaps.length === 0) return;
  const hint =
    "A layer without parameters stands there, and what it does is in no file. If it does nothing (or no layer is there), say config: { gaps: 'identity' }.";
  throw new FormatError(
    complaint('importCheckpoint', 'parameters for every layer', `none for ${gaps.join(', ')}`, hint),
  );
}
