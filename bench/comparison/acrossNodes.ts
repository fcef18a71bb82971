import { type CaseName, cases } from './cases';
import { NEWER_NODE, nodeBinary, ours } from './contenders';
import { race } from './race';
import { type Findings, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

const MEASURED: CaseName[] = ['G1', 'G2', 'G4'];

/** A training step on this Node and on a newer one, with what they keep behind flags and without. */
export async function acrossNodes(settings: Settings): Promise<Findings | undefined> {
  const newer = nodeBinary(NEWER_NODE);
  if (newer === undefined) return undefined;
  const running = Number.parseInt(process.versions.node, 10);
  const usual = { hiddenInstructions: false };
  const contenders = [
    ours(`Node ${running}, no flags`, usual),
    ours(`Node ${running}`),
    ours(`Node ${NEWER_NODE}, no flags`, usual, newer),
    ours(`Node ${NEWER_NODE}`, {}, newer),
  ];
  const names = contenders.map(({ name }) => `${name}, ms`);
  const gains = [
    `gain by flags, ${running}`,
    `by flags, ${NEWER_NODE}`,
    `Node ${NEWER_NODE} over ${running}`,
  ];
  const table = new Table(['case', 'threads', ...names, ...gains]);
  const results: object[] = [];
  let arithmetic = '';
  for (const name of MEASURED.filter((measured) => settings.cases.includes(measured))) {
    for (const threads of settings.threads) {
      const laps = await race(contenders, cases[name], threads, [], settings.rounds);
      const times = laps.map((lap) => lap.times.train);
      const gain = (slower: number, faster: number) => ratio(times[slower]?.median, times[faster]?.median);
      table.add(name, String(threads), ...times.map(milliseconds), gain(0, 1), gain(2, 3), gain(1, 3));
      results.push({ case: name, threads, laps });
      arithmetic = laps.map((lap) => `${lap.name}: ${lap.ready}`).join('; ');
    }
  }
  return { table, note: `Training step, medians (minima), in turns. ${arithmetic}.`, results };
}
