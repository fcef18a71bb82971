import { ConfigError, complaint } from './errors';

/**
 * Every name of an options type; the compiler holds it complete. A name may have other words that people know it by, as in
 * `{ levels: ['L'] }`.
 */
export type OptionNames<T> = { readonly [Name in keyof Required<T>]: true | readonly string[] };

/**
 * Throws a ConfigError for options that are no object, or hold a name that nothing reads; it says the nearest name that is read.
 *
 * Classes check where `new.target` is the class itself: a subclass may take more.
 */
export function checkOptions<T extends object>(
  where: string,
  options: T | undefined,
  names: OptionNames<T>,
): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(complaint(where, 'an object of options', describe(options)));
  }
  const known = Object.keys(names);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearestName(name, names as Record<string, true | readonly string[]>);
    const hint = near === undefined ? '' : `Did you mean '${near}'?`;
    throw new ConfigError(complaint(where, `options among ${known.join(', ')}`, `'${name}'`, hint));
  }
}

/** The known name that was most likely meant. */
function nearestName(
  given: string,
  names: Readonly<Record<string, true | readonly string[]>>,
): string | undefined {
  const plain = (name: string) => name.replace(/[^a-zA-Z0-9]/g, '').toLowerCase();
  const wanted = plain(given);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [name, others] of Object.entries(names)) {
    for (const word of others === true ? [name] : [name, ...others]) {
      const candidate = plain(word);
      // Two letters or more at the start say what is meant: `dim` for `dimensions`.
      const begins =
        Math.min(wanted.length, candidate.length) > 1 &&
        (candidate.startsWith(wanted) || wanted.startsWith(candidate));
      const distance = candidate === wanted ? 0 : begins ? 0.5 : editDistance(candidate, wanted);
      if (distance < least) [best, least] = [name, distance];
    }
  }
  return least <= Math.max(1, wanted.length / 3) ? best : undefined;
}

/** Letters to insert, delete or replace from one word to the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])));
    }
    row = next;
  }
  return row[b.length];
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
