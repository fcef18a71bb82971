import { largest } from '../core/lists';
import { printable } from '../core/printable';
import { Table, type TableColumn } from '../data';
import type { ColumnDescription, SupportsOption } from '../layers';
import { type LatentsInput, toLatents } from '../statistics/inputs';
import { type ColumnAdvice, columnAdvice } from './columnAdvice';
import { chooseRecipe, type RecipeChoice } from './recipeChoice';

/** Which recipe suits data, as {@link recommend} says. */
export interface Recommendation extends RecipeChoice {
  /** Options of the recipe; what `supports` says is left to you. */
  options: RecipeChoice['options'] & { dimensions?: number; columns?: readonly ColumnDescription[] };
  /** Number of rows that were looked at. */
  rows: number;
  /** Columns in which something stands out. */
  columns: ColumnAdvice[];
  /** What the option `supports` would say of all of them, if you agree. */
  supports: SupportsOption;
}

/**
 * Which recipe, depth, width and dropout suit data, and which columns lie on less than the whole line; nothing is chosen for you.
 *
 * It goes by the numbers of rows and columns, from curves measured at 23, 91, 356 and 5,000 rows per column (the guide "Densities of
 * vectors"; its limits of 100 and 1,000 are rules of thumb between them), and by what the values of each column look like. What a column
 * means it cannot know: read what it proposes, and say in `supports` what is right.
 *
 * @param data rows [n, d], or a table
 * @throws DataError, ShapeError for what is no rows of finite numbers, or fewer than two
 * @example
 * const advice = recommend([[0.1, 3], [0.5, 1], [0.9, 4], [0.2, 1], [0.99, 5], [0.01, 9]]);
 * console.log(String(advice)); // neuralSplineFlow({ dimensions: 2, ... }), and why
 * advice.supports; // { 0: [0, 1], 1: { integer: [0, Infinity] } }
 * neuralSplineFlow({ ...advice.options, supports: { ...advice.supports, 1: 'positive' }, seed: 1 });
 */
export function recommend(data: Table | LatentsInput): Recommendation {
  const { columns, described, rows } = read(data);
  const advice = columns.flatMap(({ name, kind, values }) =>
    // A table says of the others what they are.
    kind === 'real' ? (columnAdvice(name, values) ?? []) : [],
  );
  const proposals = advice.flatMap(({ column, support }) =>
    support === undefined ? [] : [[column, support]],
  );
  const { options, ...choice } = chooseRecipe(rows, columns.length);
  const result: Recommendation = {
    ...choice,
    options: { ...described, ...options },
    rows,
    columns: advice,
    supports: Object.fromEntries(proposals),
  };
  return printable(result, lines);
}

interface Read {
  columns: readonly TableColumn[];
  /** The options of a recipe that say what the columns are. */
  described: Pick<Recommendation['options'], 'dimensions' | 'columns'>;
  rows: number;
}

function read(data: Table | LatentsInput): Read {
  if (data instanceof Table) {
    const { columns, rows } = data;
    return {
      columns,
      rows,
      described: { columns: columns.map(({ values: _, ...description }) => description) },
    };
  }
  const { rows, cols, data: all } = toLatents('recommend', data, 2);
  const columns = Array.from({ length: cols }, (_, i): TableColumn => {
    const values = Float64Array.from({ length: rows }, (_, row) => all[row * cols + i]);
    return { name: String(i), kind: 'real', values };
  });
  return { columns, rows, described: { dimensions: cols } };
}

function lines({ recipe, options, fit, rows, reasons, columns }: Recommendation): string[] {
  const { columns: described, ...plain } = options;
  const call =
    described === undefined ? show(plain) : show(plain).replace('{ ', '{ columns: table.columns, ');
  const d = described?.length ?? options.dimensions;
  const width = largest(
    columns.map(({ column }) => column.length),
    0,
  );
  return [
    `${recipe}(${call}) for ${rows} rows of ${d} ${d === 1 ? 'value' : 'values'}`,
    `fit(data, ${show(fit)})`,
    ...reasons.map((reason) => `  ${reason}.`),
    ...(columns.length === 0 ? [] : ['What stands out; say in supports what you agree with:']),
    ...columns.map(({ column, reason, support }) => {
      const said = support === undefined ? '' : `  ->  ${showValue(support)}`;
      return `  ${column.padEnd(width)}  ${reason}${said}`;
    }),
  ];
}

/** An object as one would write it. */
function show(fields: object): string {
  const shown = Object.entries(fields).map(([name, value]) => `${name}: ${showValue(value)}`);
  return `{ ${shown.join(', ')} }`;
}

function showValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(showValue).join(', ')}]`;
  return typeof value === 'object' && value !== null ? show(value) : String(value);
}
