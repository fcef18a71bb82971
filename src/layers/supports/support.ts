import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, nearestName } from '../../core/options';
import { checkChoice, checkInteger } from '../../core/shapes';

/** How a column with far values is brought nearer to normal. */
export type TailMap = 'asinh' | 'yeoJohnson' | 'quantiles';

/**
 * Where the values of one column lie, as one writes it.
 *
 * - 'real': anywhere; 'positive': above 0; [low, high]: strictly between, with -Infinity or Infinity for a side without end
 * - { within: [low, high], epsilon }: the ends may occur; the interval is widened by epsilon of its width (of 1, where it has no end)
 * - { positive: 'log' }: above 0 by the logarithm, for values over decades; 'positive' is linear where they are large
 * - 'heavyTailed', 'yeoJohnson', 'quantiles': anywhere, with far values drawn in by asinh, by a power that is learned, or by the
 *   column's own quantiles
 * - 'circular': an angle in [-pi, pi); { circular: [0, 360], wrap: true }: a circle of another length, other turns brought into it
 * - 'integer': whole numbers; { integer: [0, 20] }: from 0 to 20, with Infinity for no end
 * - 'categorical', { categories: 3 } or { categories: ['red', 'white'] }: the numbers of categories, 0, 1, ...
 * - 'ordered': each column above the one before it; 'simplex': shares that sum to 1; { ordered: 'times' } names one group of several
 */
export type ColumnSupport =
  | SupportName
  | readonly [low: number, high: number]
  | { within: readonly [low: number, high: number]; epsilon?: number }
  | { positive: 'softplus' | 'log' }
  | { circular: readonly [low: number, high: number]; wrap?: boolean }
  | { integer: readonly [low: number, high: number] }
  | { categories: number | readonly (string | number)[] }
  | { ordered: string }
  | { simplex: string };

/** Supports that a word says. */
export type SupportName =
  | 'real'
  | 'positive'
  | 'heavyTailed'
  | 'yeoJohnson'
  | 'quantiles'
  | 'circular'
  | 'integer'
  | 'categorical'
  | 'ordered'
  | 'simplex';

/** Where the values of one column lie; plain JSON, in which a side without end is left out. */
export type Support =
  | { kind: 'real' }
  | { kind: 'bounded'; low?: number; high?: number; map?: 'softplus' | 'log'; epsilon?: number }
  | { kind: 'heavyTailed'; map: TailMap }
  | { kind: 'integer'; low?: number; high?: number }
  | { kind: 'categorical'; categories: number }
  | { kind: 'circular'; low: number; high: number; wrap: boolean }
  | { kind: 'ordered'; group: string }
  | { kind: 'simplex'; group: string };

const words: Record<SupportName, readonly string[]> = {
  real: ['unbounded', 'normal'],
  positive: ['log', 'greater than 0'],
  heavyTailed: ['asinh', 'heavy'],
  yeoJohnson: ['power'],
  quantiles: ['quantile', 'empirical'],
  circular: ['angle', 'periodic', 'cyclic'],
  integer: ['int', 'count', 'discrete'],
  categorical: ['category', 'class', 'enum'],
  ordered: ['increasing', 'sorted'],
  simplex: ['shares', 'proportions', 'compositional'],
};

const records = { within: true, positive: true, circular: true, integer: true, categories: true } as const;

/** Whether a word says a support. */
export function isSupportName(word: unknown): word is SupportName {
  return typeof word === 'string' && Object.hasOwn(words, word);
}

/**
 * The support that one wrote, of one column.
 *
 * @param of the column, for messages
 * @param categories number of its categories where that is known
 * @throws ConfigError for an unknown kind, or bounds that cannot be
 */
export function readSupport(of: string, given: ColumnSupport, categories?: number): Support {
  if (typeof given === 'string') return supportOfKind(of, given, categories);
  if (Array.isArray(given)) return bounded(of, given as readonly [number, number]);
  if (typeof given !== 'object' || given === null) throw unknownKind(of, given);
  if ('within' in given) {
    checkOptions(of, given, { within: true, epsilon: true });
    return { ...bounded(of, given.within), epsilon: positive(of, 'epsilon', given.epsilon ?? 1e-6) };
  }
  if ('positive' in given) {
    checkOptions(of, given, { positive: true });
    checkChoice(of, 'positive', given.positive, ['softplus', 'log']);
    return { kind: 'bounded', low: 0, map: given.positive };
  }
  if ('circular' in given) {
    checkOptions(of, given, { circular: true, wrap: 'boolean' });
    const [low, high] = interval(of, given.circular);
    if (!Number.isFinite(high - low)) throw badInterval(of, given.circular);
    return { kind: 'circular', low, high, wrap: given.wrap ?? false };
  }
  if ('integer' in given) {
    checkOptions(of, given, { integer: true });
    const [low, high] = interval(of, given.integer);
    const whole = [low, high].every((end) => Number.isInteger(end) || !Number.isFinite(end));
    if (!whole) throw new ConfigError(complaint(of, 'whole numbers as ends', given.integer));
    return { kind: 'integer', ...ends(low, high) };
  }
  if ('categories' in given) {
    checkOptions(of, given, { categories: true });
    const count = Array.isArray(given.categories) ? given.categories.length : (given.categories as number);
    return supportOfKind(of, 'categorical', count);
  }
  for (const kind of ['ordered', 'simplex'] as const) {
    if (!(kind in given)) continue;
    const group = (given as Readonly<Record<string, unknown>>)[kind];
    if (typeof group === 'string' && group !== '') return { kind, group };
    throw new ConfigError(complaint(of, `the name of a group, { ${kind}: 'times' }`, String(group)));
  }
  throw unknownKind(of, Object.keys(given)[0] ?? '{}');
}

/** The support of a word. */
export function supportOfKind(of: string, word: string, categories?: number): Support {
  if (!isSupportName(word)) throw unknownKind(of, word);
  switch (word) {
    case 'real':
      return { kind: 'real' };
    case 'positive':
      return { kind: 'bounded', low: 0 };
    case 'heavyTailed':
      return { kind: 'heavyTailed', map: 'asinh' };
    case 'yeoJohnson':
    case 'quantiles':
      return { kind: 'heavyTailed', map: word };
    case 'circular':
      return { kind: 'circular', low: -Math.PI, high: Math.PI, wrap: false };
    case 'integer':
      return { kind: 'integer' };
    case 'categorical':
      if (categories === undefined) {
        throw new ConfigError(complaint(of, 'the number of categories, { categories: 3 }', "'categorical'"));
      }
      checkInteger(of, 'categories', categories, 2);
      return { kind: 'categorical', categories };
    case 'ordered':
    case 'simplex':
      return { kind: word, group: '' };
  }
}

function bounded(of: string, given: readonly [number, number]): Support & { kind: 'bounded' } {
  return { kind: 'bounded', ...ends(...interval(of, given)) };
}

function ends(low: number, high: number): { low?: number; high?: number } {
  return { ...(Number.isFinite(low) ? { low } : {}), ...(Number.isFinite(high) ? { high } : {}) };
}

function interval(of: string, given: readonly [number, number]): readonly [number, number] {
  const valid = Array.isArray(given) && given.length === 2 && given.every((end) => typeof end === 'number');
  if (valid && Math.fround(given[0]) < Math.fround(given[1])) return given;
  throw badInterval(of, given);
}

function badInterval(of: string, given: unknown): ConfigError {
  return new ConfigError(complaint(of, 'an interval [low, high] with low below high', given));
}

function positive(of: string, name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new ConfigError(complaint(of, `${name} above 0`, value));
}

function unknownKind(of: string, given: unknown): ConfigError {
  const near = typeof given === 'string' ? nearestName(given, { ...records, ...words }) : undefined;
  const hint = near === undefined ? '' : `Did you mean '${near}'?`;
  const expected = `a support among ${Object.keys(words).join(', ')} or [low, high]`;
  return new ConfigError(complaint(of, expected, typeof given === 'string' ? `'${given}'` : given, hint));
}
