import { writeBlock, writeResults } from '../page';
import { type Verdict, verdictOf } from './compare';
import { meanOf } from './peers';
import type { Trained } from './protocol';

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
      : `${nats(paired.mean)} ± ${nats(paired.standardError)} (${paired.peer.library})${notWorse ? '' : ', MISSED'}`,
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

/** Writes bench/results/tables.json and the table in docs/vectors.md. */
export function keep(results: Result[]): void {
  const plain = results.map(({ paired, best, ...rest }) => ({
    ...rest,
    paired: paired && { ...paired, peer: paired.peer.library },
    best: best && { library: best.library, mean: best.mean },
  }));
  writeResults('tables', plain);
  writeBlock('vectors.md', 'tables', [TITLES, ...results.map(row)].join('\n'));
}
