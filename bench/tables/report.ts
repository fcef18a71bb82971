import { readResults, writeBlock, writeResults } from '../page';
import { type Verdict, verdictOf } from './compare';
import { KINDS } from './kinds';
import { meanOf } from './peers';
import type { Trained } from './protocol';
import { TABLES } from './splits';

/** What a kind of flow reaches on a table, and the runs that it took. */
export interface Result extends Verdict {
  runs: ({ seed: number } & Omit<Trained, 'points'>)[];
}

export const TITLES = [
  '| table | flow | nats, by seed | best library | less the library that is kept by rows | weights | steps | seconds |',
  '|---|---|---|---|---|---|---|---|',
].join('\n');

/** A result as a line of Markdown. */
export function row(result: Result): string {
  const { table, kind, means, standardError, paired, best, runs } = result;
  const nats = (value: number) => value.toFixed(2);
  const middle = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const { notWorse, better } = verdictOf(result);
  const cells = [
    table,
    kind,
    `${means.map(nats).join(' / ')} ± ${nats(standardError)}${better ? ', the best' : ''}`,
    best === undefined ? '' : `${best.library} ${nats(best.mean)}`,
    paired === undefined
      ? ''
      : `${nats(paired.mean)} ± ${nats(paired.standardError)} (${paired.library})${notWorse ? '' : ', MISSED'}`,
    `${Math.round(runs[0].parameters / 1000)}k`,
    String(middle(runs.map(({ bestStep }) => bestStep))),
    meanOf(runs.map(({ seconds }) => seconds)).toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** How many results lie further below a library than chance explains. */
export function missed(results: Result[]): number {
  return results.filter((result) => verdictOf(result).notWorse === false).length;
}

/** Puts a result into bench/results/tables.json and the table of docs/vectors.md, in place of an earlier one of its kind. */
export function keep(result: Result): void {
  const kept = readResults<Result[]>('tables') ?? [];
  const others = kept.filter(({ table, kind }) => table !== result.table || kind !== result.kind);
  const place = ({ table, kind }: Result) => TABLES.indexOf(table) * KINDS.length + KINDS.indexOf(kind);
  const all = [...others, result].sort((a, b) => place(a) - place(b));
  writeResults('tables', all);
  writeBlock('vectors.md', 'tables', [TITLES, ...all.map(row)].join('\n'));
}
