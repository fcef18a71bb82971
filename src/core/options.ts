import { ConfigError, complaint } from './errors';

/** An option that is true or false, and other words that people know it by. */
type YesOrNo = 'boolean' | readonly ['boolean', ...string[]];
/** That another option is read, or other words that people know it by, as in `['L']`. */
type Other = true | readonly string[];

/** Every name of an options type; the compiler holds it complete, and those that are true or false told from the others. */
export type OptionNames<T> = {
  readonly [Name in keyof Required<T>]: NonNullable<T[Name]> extends boolean ? YesOrNo : Other;
};

/**
 * Throws a ConfigError for options that are no object, or hold a name that nothing reads; it says the nearest name that is read. Texts
 * in place of true and false are refused: 'false' would count as true.
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
  const kinds = names as Readonly<Record<string, YesOrNo | Other>>;
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name)) {
      checkYesOrNo(where, name, value, kinds[name]);
      continue;
    }
    const near = nearestName(name, kinds);
    const hint = near === undefined ? '' : `Did you mean '${near}'?`;
    throw new ConfigError(complaint(where, `options among ${known.join(', ')}`, `'${name}'`, hint));
  }
}

function checkYesOrNo(where: string, name: string, value: unknown, kind: YesOrNo | Other): void {
  const yesOrNo = kind === 'boolean' || (typeof kind === 'object' && kind[0] === 'boolean');
  if (!yesOrNo || value === undefined || typeof value === 'boolean') return;
  const received = typeof value === 'string' ? `the text '${value}'` : value;
  throw new ConfigError(complaint(where, `${name} to be true or false`, received));
}

/** The known name that was most likely meant. */
export function nearestName(
  given: string,
  names: Readonly<Record<string, YesOrNo | Other>>,
): string | undefined {
  const plain = (name: string) => name.replace(/[^a-zA-Z0-9]/g, '').toLowerCase();
  const wanted = plain(given);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [name, others] of Object.entries(names)) {
    const words = typeof others === 'object' ? others.filter((word) => word !== 'boolean') : [];
    for (const word of [name, ...words]) {
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
