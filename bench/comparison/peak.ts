import { cases } from './cases';
import { NEWER_NODE, nodeBinary, ours, pytorch } from './contenders';
import type { Contender } from './peer';
import { race } from './race';
import { type Findings, megabytes, Table } from './report';

const STEPS = 2;

/** Peak memory of training G3, the largest case. */
export async function peak(): Promise<Findings> {
  const newer = nodeBinary(NEWER_NODE);
  const running = Number.parseInt(process.versions.node, 10);
  const contenders: Contender[] = ['adam', 'compactAdam'].flatMap((optimizer) => [
    ours(`${optimizer}, Node ${running}`, { optimizer }),
    ...(newer === undefined ? [] : [ours(`${optimizer}, Node ${NEWER_NODE}`, { optimizer }, newer)]),
  ]);
  const other = pytorch();
  if (other !== undefined) contenders.push(other);
  const table = new Table(['threads', ...contenders.map(({ name }) => name)]);
  const results: object[] = [];
  for (const threads of [1, 2]) {
    const row: string[] = [];
    // One after the other: all at a time need not fit.
    for (const contender of contenders) {
      const [lap] = await race([contender], cases['G3-reversible'], threads, [], STEPS);
      results.push({ threads, ...lap });
      row.push(megabytes(lap.peakRss));
    }
    table.add(String(threads), ...row);
  }
  const note = `G3, reversible gradients on our side: peak memory of the whole process after ${STEPS + 1} steps.`;
  return { table, note, results };
}
