import { checkOptions } from '../core/options';
import type { Account } from '../flows';
import { escapeMarkup, Figure } from './figure';

/** Options of `table`. */
export interface TableOptions {
  /** Names of the columns to show, in order. Default: all of the first row. */
  columns?: readonly string[];
  /** Line above the table. Default: none. */
  caption?: string;
  /** Significant digits of fractions. Default: 4. */
  digits?: number;
}

/**
 * Rows of named values as an HTML table; numbers stand to the right.
 *
 * @param rows objects with the same names
 * @throws ConfigError for an unknown option
 * @example
 * await show(table(glow.latentLayout, { caption: 'Latents by level' }));
 */
export function table(rows: readonly object[], options: TableOptions = {}): Figure {
  checkOptions('table', options, { columns: true, caption: true, digits: true });
  const { columns = Object.keys(rows[0] ?? {}), caption, digits = 4 } = options;
  const row = (cells: string[]) => `<tr>${cells.join('')}</tr>`;
  const head = columns.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`);
  const body = rows.map((values) =>
    row(columns.map((name) => cell((values as Record<string, unknown>)[name], digits))),
  );
  const title = caption === undefined ? '' : `<caption>${escapeMarkup(caption)}</caption>`;
  const html = `<table>${title}<thead>${row(head)}</thead><tbody>${body.join('')}</tbody></table>`;
  return new Figure('text/html', html, caption ?? `Table of ${rows.length} rows`);
}

/**
 * The account of a flow as a table: every layer, the base distribution and their sum; columns that no layer fills are left out.
 *
 * @param account what `await flow.account(x)` gave
 * @example
 * await show(accountTable(await glow.account(images)));
 */
export function accountTable({ rows, base, total, firstNonFinite }: Account): Figure {
  const layers = rows.map((layer) => ({
    layer: layer.name,
    kind: layer.kind,
    'log-det (nats)': layer.logDet,
    'bits per dimension': layer.bitsPerDim,
    'round-trip error': layer.roundTripError,
    'smallest scale': layer.smallestScale,
    'condition number': layer.conditionNumber,
  }));
  const sums = [
    { layer: 'base', 'log-det (nats)': base.logProb, 'bits per dimension': base.bitsPerDim },
    { layer: 'total', 'log-det (nats)': total.logProb, 'bits per dimension': total.bitsPerDim },
  ];
  const warning = firstNonFinite === undefined ? '' : `; first non-finite value in ${firstNonFinite}`;
  const rowsShown = [...layers, ...sums] as Record<string, unknown>[];
  const columns = Object.keys(layers[0] ?? sums[0]).filter((name) =>
    rowsShown.some((row) => row[name] !== undefined),
  );
  return table(rowsShown, { columns, caption: `Log-likelihood by layer${warning}` });
}

function cell(value: unknown, digits: number): string {
  if (typeof value === 'number') {
    return `<td style="text-align: right">${show(value, digits)}</td>`;
  }
  const text = value === undefined || value === null ? '' : String(value);
  return `<td style="text-align: left">${escapeMarkup(text)}</td>`;
}

function show(value: number, digits: number): string {
  // Not "-0".
  if (Number.isInteger(value)) return (value + 0).toLocaleString('en-US');
  return Math.abs(value) < 1e-3 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}
