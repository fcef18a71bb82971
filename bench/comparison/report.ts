import { writeBlock, writeResults } from '../page';
import type { Timing } from './race';

/** Characters of a column on the screen, at least. */
const WIDTH = 20;

/** Rows that appear on the screen as they come, and as Markdown at the end. */
export class Table {
  private readonly rows: string[][] = [];

  constructor(private readonly columns: string[]) {
    this.print(columns);
  }

  add(...cells: string[]): void {
    this.rows.push(cells);
    this.print(cells);
  }

  markdown(): string {
    const lines = [this.columns, this.columns.map(() => '---'), ...this.rows];
    return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }

  private print(cells: string[]): void {
    console.log(cells.map((cell, i) => cell.padEnd(Math.max(WIDTH, this.columns[i].length))).join('  '));
  }
}

/** What one part of the benchmark found. */
export interface Findings {
  table: Table;
  /** A sentence or two under the table. */
  note: string;
  /** Figures for the JSON file. */
  results: object[];
}

export function milliseconds(timing: Timing | undefined): string {
  return timing === undefined ? '-' : `${timing.median.toFixed(1)} (${timing.min.toFixed(1)})`;
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${(bytes / 1e6).toFixed(0)} MB`;
}

/** How many times as long, or as much, the other takes. */
export function ratio(other: number | undefined, own: number | undefined): string {
  return other === undefined || own === undefined ? '-' : (other / own).toFixed(2);
}

/** Writes bench/results/PART.json and the block of that name in docs/performance.md. */
export function save(part: string, circumstances: string, findings: Findings): void {
  const { table, note, results } = findings;
  writeResults(part, { circumstances, note, results });
  writeBlock('performance.md', part, [circumstances, '', table.markdown(), '', note].join('\n'));
}
