import { type CaseName, cases } from './cases';
import { nodeBinary, ours } from './contenders';
import { race } from './race';
import { type Findings, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

const MEASURED: CaseName[] = ['G1', 'G2', 'G4'];
const NEWER = 24;

/** A training step on this Node and on Node 24, there with fused multiply-add and without. */
export async function acrossNodes(settings: Settings): Promise<Findings | undefined> {
  const newer = nodeBinary(NEWER);
  if (newer === undefined) return undefined;
  const contenders = [
    ours(`Node ${process.versions.node}`),
    ours(`Node ${NEWER} without FMA`, { fusedMultiplyAdd: false }, newer),
    ours(`Node ${NEWER}`, {}, newer),
  ];
  const names = contenders.map(({ name }) => `${name}, ms`);
  const table = new Table(['case', 'threads', ...names, 'gain by FMA', 'gain by Node and FMA']);
  const results: object[] = [];
  for (const name of MEASURED.filter((measured) => settings.cases.includes(measured))) {
    for (const threads of settings.threads) {
      const laps = await race(contenders, cases[name], threads, [], settings.rounds);
      const [older, plain, fused] = laps.map(({ times }) => times.train);
      const gains = [ratio(plain?.median, fused?.median), ratio(older?.median, fused?.median)];
      table.add(name, String(threads), ...[older, plain, fused].map(milliseconds), ...gains);
      results.push({ case: name, threads, laps });
    }
  }
  const note = 'Training step, medians (minima), in turns. FMA: the fused multiply-add of relaxed SIMD.';
  return { table, note, results };
}
