import { ConfigError, complaint } from '../../core/errors';
import { nearestName } from '../../core/options';
import { checkInteger } from '../../core/shapes';
import { type ColumnSupport, isSupportName, readSupport, type Support, supportOfKind } from './support';

/** A column of the data, as flows of vectors remember it; plain JSON. */
export interface Column {
  /** Its name; its number as text where it has none. */
  name: string;
  /** Where its values lie. */
  support: Support;
  /** Names of the categories, where they have some. */
  categories?: readonly string[];
}

/** What one says of a column: its name, and what a table knows of it. */
export interface ColumnDescription {
  name: string;
  /** Kind of its values. Default 'real'. */
  kind?: 'real' | 'integer' | 'categorical';
  /** Its categories, or how many there are. */
  categories?: readonly (string | number)[] | number;
}

/** Names of the columns of the data in their order, or columns of a table. */
export type ColumnsOption = readonly (string | ColumnDescription)[];

/**
 * Where the values of columns lie, by column name or index; the others are real numbers, or what the table says.
 *
 * `{ sigma: 'positive', share: [0, 1], angle: 'circular', count: 'integer', kind: { categories: 3 } }`
 */
export type SupportsOption = Readonly<Record<string | number, ColumnSupport>>;

/** Options that say what the columns of the data are. */
export interface ColumnsOptions {
  /** Number of columns; needed without `columns`. */
  dimensions?: number;
  /** The columns in their order. Default: numbered. */
  columns?: ColumnsOption;
  /** Where their values lie. Default: anywhere. */
  supports?: SupportsOption;
}

/**
 * The columns that options describe.
 *
 * @throws ConfigError for a column or a kind of support that is unknown (with the nearest name), two columns of one name, a number of
 * columns that differs from `dimensions`, groups of one column
 */
export function readColumns(where: string, { dimensions, columns, supports = {} }: ColumnsOptions): Column[] {
  const described = describe(where, dimensions, columns);
  const given = new Map<number, ColumnSupport>();
  if (typeof supports !== 'object' || supports === null || Array.isArray(supports)) {
    const hint = "Write { sigma: 'positive', 3: [0, 1] }.";
    throw new ConfigError(complaint(where, 'supports by column', String(supports), hint));
  }
  for (const [key, support] of Object.entries(supports)) {
    const place = placeOf(where, key, described);
    if (given.has(place)) {
      throw new ConfigError(complaint(where, 'one support per column', `two for ${named(described, place)}`));
    }
    given.set(place, support);
  }
  const read = described.map((column, i): Column => {
    const support = given.get(i) ?? column.kind ?? 'real';
    const of = `${where}: ${named(described, i)}`;
    const categories = typeof column.categories === 'object' ? column.categories.map(String) : undefined;
    const names = categoriesOf(support) ?? categories;
    const count = names?.length ?? (column.categories as number | undefined);
    const plain = readSupport(of, support, count);
    const labelled = plain.kind === 'categorical' && names !== undefined;
    return { name: column.name, support: plain, ...(labelled ? { categories: names } : {}) };
  });
  checkGroups(where, read);
  return read;
}

/** `column 'sigma'`, or `column 2` where it has no name. */
export function showColumn(name: string): string {
  return /^\d+$/.test(name) ? `column ${name}` : `column '${name}'`;
}

/** Whether the values of a column are whole numbers or categories: in a bin of width 1 each. */
export function isWhole({ support }: Column): boolean {
  return support.kind === 'integer' || support.kind === 'categorical';
}

/** The columns of each group of one kind, in their order: `ordered` and `simplex` ones go together. */
export function groupsOf(columns: readonly Column[], kind: 'ordered' | 'simplex'): number[][] {
  const groups = new Map<string, number[]>();
  columns.forEach(({ support }, i) => {
    if (support.kind !== kind) return;
    groups.set(support.group, [...(groups.get(support.group) ?? []), i]);
  });
  return [...groups.values()];
}

function describe(
  where: string,
  dimensions: number | undefined,
  columns: ColumnsOption | undefined,
): ColumnDescription[] {
  if (dimensions === undefined && columns === undefined) {
    throw new ConfigError(complaint(where, 'dimensions, or columns', 'neither'));
  }
  if (dimensions !== undefined) checkInteger(where, 'dimensions', dimensions);
  if (columns === undefined) {
    return Array.from({ length: dimensions as number }, (_, i) => ({ name: String(i) }));
  }
  if (!Array.isArray(columns) || columns.length === 0) {
    throw new ConfigError(complaint(where, "columns such as ['height', 'weight']", String(columns)));
  }
  if (dimensions !== undefined && dimensions !== columns.length) {
    throw new ConfigError(complaint(where, `${dimensions} columns, as dimensions says`, columns.length));
  }
  const described = columns.map((column): ColumnDescription => {
    const description = typeof column === 'string' ? { name: column } : column;
    if (typeof description?.name === 'string' && description.name !== '') return description;
    throw new ConfigError(complaint(where, 'columns with names', JSON.stringify(column)));
  });
  for (const [i, { name, kind = 'real' }] of described.entries()) {
    if (described.findIndex((other) => other.name === name) !== i) {
      throw new ConfigError(complaint(where, 'columns with different names', `'${name}' twice`));
    }
    if (!isSupportName(kind)) supportOfKind(`${where}: ${showColumn(name)}`, kind);
  }
  return described;
}

function placeOf(where: string, key: string, columns: readonly ColumnDescription[]): number {
  const byName = columns.findIndex(({ name }) => name === key);
  if (byName >= 0) return byName;
  if (/^\d+$/.test(key) && Number(key) < columns.length) return Number(key);
  const names = columns.map(({ name }) => name);
  const near = nearestName(key, Object.fromEntries(names.map((name) => [name, true] as const)));
  const hint = near === undefined ? '' : `Did you mean '${near}'?`;
  const shown = names.length > 12 ? `${names.slice(0, 12).join(', ')}, ...` : names.join(', ');
  throw new ConfigError(complaint(where, `supports of columns among ${shown}`, `'${key}'`, hint));
}

function named(columns: readonly ColumnDescription[], place: number): string {
  return showColumn(columns[place].name);
}

function categoriesOf(support: ColumnSupport): readonly string[] | undefined {
  if (typeof support !== 'object' || support === null || !('categories' in support)) return undefined;
  return Array.isArray(support.categories) ? support.categories.map(String) : undefined;
}

function checkGroups(where: string, columns: readonly Column[]): void {
  for (const kind of ['ordered', 'simplex'] as const) {
    const alone = groupsOf(columns, kind).find((group) => group.length < 2);
    if (alone === undefined) continue;
    const received = `${showColumn(columns[alone[0]].name)} alone`;
    throw new ConfigError(complaint(where, `two columns or more that are ${kind} together`, received));
  }
}
