import { ConfigError, complaint, DataError } from '../../core/errors';
import { largest, smallest } from '../../core/lists';
import { RandomStream } from '../../core/random';
import { Table } from '../../data';
import { type LatentsInput, toLatents } from '../../statistics/inputs';

/** One column of a corner plot, of all groups. */
export interface CornerColumn {
  name: string;
  kind: 'real' | 'integer' | 'categorical';
  /** Ends of its axis. */
  domain: [number, number];
  /** Its values where they are few: places of categories, whole numbers. */
  values: readonly number[];
  /** Names at 0, 1, ... of a categorical column. */
  categories: readonly string[];
  /** Values by group; places of categories. */
  groups: readonly Float64Array[];
}

/** Shares of the values that an axis leaves out at either end: far ones would press the rest together. */
const LEFT_OUT = 0.002;
/** Whole numbers over more than so many are drawn as any numbers. */
const MOST_WHOLE = 40;
/** Fewer than so many are drawn as categories are. */
const FEW = 12;
/** How far points of one whole number are spread, so that each is seen. */
const JITTER = 0.36;

/**
 * The columns that groups have in common: those of the first, in its order, or the named ones.
 *
 * @throws ConfigError for no groups or unknown columns; DataError for a group that lacks one, or has names where numbers belong
 */
export function cornerColumns(
  where: string,
  groups: Readonly<Record<string, Table | LatentsInput>>,
  names: readonly string[] | undefined,
): CornerColumn[] {
  const tables = Object.entries(groups).map(([name, group]) => ({ name, table: asTable(where, group) }));
  if (tables.length === 0) throw new ConfigError(complaint(where, 'at least one group', 'none'));
  return (names ?? tables[0].table.names).map((name) => {
    for (const { name: group, table } of tables) {
      if (!table.names.includes(name)) {
        throw new DataError(complaint(where, `a column '${name}' in every group`, `none in '${group}'`));
      }
    }
    return cornerColumn(
      where,
      tables.map(({ table }) => table),
      name,
    );
  });
}

/** The values of a column as places of points: those of whole numbers beside each other, the same for every panel. */
export function scattered({ kind, name }: CornerColumn, values: Float64Array): Float64Array {
  if (kind === 'real') return values;
  const random = new RandomStream(name);
  return values.map((value) => value + JITTER * (2 * random.uniformNumber() - 1));
}

function asTable(where: string, group: Table | LatentsInput): Table {
  if (group instanceof Table) return group;
  const rows = toLatents(where, group);
  return new Table(
    Array.from({ length: rows.cols }, (_, j) => ({
      name: `x${j + 1}`,
      kind: 'real',
      values: Float64Array.from({ length: rows.rows }, (_, i) => rows.at(i, j)),
    })),
  );
}

function cornerColumn(where: string, tables: readonly Table[], name: string): CornerColumn {
  const columns = tables.map((table) => table.column(name));
  const [{ kind }] = columns;
  if (columns.some((column) => (column.kind === 'categorical') !== (kind === 'categorical'))) {
    throw new DataError(
      complaint(
        where,
        `'${name}' to be of one kind in every group`,
        columns.map((column) => column.kind).join(' and '),
      ),
    );
  }
  if (kind === 'categorical') {
    const categories = [...new Set(columns.flatMap((column) => column.categories ?? []))];
    const groups = columns.map(({ values, categories: own }) =>
      values.map((value) => categories.indexOf(own![value])),
    );
    const values = categories.map((_, place) => place);
    return { name, kind, values, categories, groups, domain: [-0.6, categories.length - 0.4] };
  }
  const groups = columns.map(({ values }) => values);
  const [low, high] = endsOf(groups);
  const whole = kind === 'integer' && high - low <= MOST_WHOLE;
  const room = whole ? 0.6 : 0.03 * (high - low) || 0.5;
  const few = whole && high - low < FEW;
  return {
    name,
    kind: whole ? 'integer' : 'real',
    values: few ? Array.from({ length: high - low + 1 }, (_, i) => low + i) : [],
    categories: [],
    groups,
    domain: [low - room, high + room],
  };
}

/** Ends between which nearly all values of every group lie. */
function endsOf(groups: readonly Float64Array[]): [number, number] {
  const ends = groups.map((values) => {
    const sorted = Float64Array.from(values).sort();
    const last = sorted.length - 1;
    return [sorted[Math.floor(LEFT_OUT * last)], sorted[Math.ceil((1 - LEFT_OUT) * last)]];
  });
  return [smallest(ends.map(([low]) => low)), largest(ends.map(([, high]) => high))];
}
