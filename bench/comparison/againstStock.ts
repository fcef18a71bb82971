import { type CaseName, cases } from './cases';
import { ours } from './contenders';
import { race } from './race';
import { type Findings, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

/** Cases, with the batch where a step on the cpu backend would take minutes. */
const MEASURED: { name: CaseName; batch?: number }[] = [
  { name: 'G1', batch: 2 },
  { name: 'G4' },
  { name: 'tabular' },
];

/** A training step on one thread beside the same model on the ordinary ops of tfjs, which train on the cpu backend. */
export async function againstStock(settings: Settings): Promise<Findings> {
  const table = new Table(['case', 'batch', 'ours, ms', 'stock tfjs on cpu, ms', 'stock / ours']);
  const contenders = [ours(), ours('stock', { backend: 'cpu' })];
  const results: object[] = [];
  for (const { name, batch = cases[name].batch } of MEASURED) {
    if (!settings.cases.includes(name)) continue;
    const what = { ...cases[name], batch, gradients: 'stored' as const };
    const laps = await race(contenders, what, 1, [], 1);
    const [mine, stock] = laps.map(({ times }) => times.train);
    table.add(
      name,
      String(batch),
      milliseconds(mine),
      milliseconds(stock),
      ratio(stock?.median, mine?.median),
    );
    results.push({ case: name, batch, laps });
  }
  return { table, note: 'Training step on one thread; one step after one to warm up.', results };
}
