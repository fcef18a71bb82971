import { type CaseName, cases } from './cases';
import { ours } from './contenders';
import { race } from './race';
import { type Findings, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

const MEASURED: CaseName[] = ['G1', 'G4', 'tabular'];
/** A step of G1 takes a minute on the cpu backend. */
const MOST_ROUNDS = 2;

/** A training step on one thread beside the same model on the ordinary ops of tfjs, which train on the cpu backend. */
export async function againstStock(settings: Settings): Promise<Findings> {
  const table = new Table(['case', 'ours, ms', 'stock tfjs on cpu, ms', 'stock / ours']);
  const contenders = [ours(), ours('stock', { backend: 'cpu' })];
  const results: object[] = [];
  for (const name of MEASURED.filter((measured) => settings.cases.includes(measured))) {
    const what = { ...cases[name], gradients: 'stored' as const };
    const laps = await race(contenders, what, 1, [], Math.min(settings.rounds, MOST_ROUNDS));
    const [mine, stock] = laps.map(({ times }) => times.train);
    table.add(name, milliseconds(mine), milliseconds(stock), ratio(stock?.median, mine?.median));
    results.push({ case: name, laps });
  }
  return { table, notes: ['Training step on one thread; at most 2 rounds.'], results };
}
