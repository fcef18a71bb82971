import { type CaseName, cases, roundsOf } from './cases';
import { ours, pytorch } from './contenders';
import { type Command, race } from './race';
import { type Findings, megabytes, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

const labels: Record<Command, string> = { train: 'training step', encode: 'encode', sample: 'sample' };

/** Every case on our side and in PyTorch, in turns: time, peak memory, and whether tensors stay. */
export async function againstPyTorch(settings: Settings): Promise<Findings> {
  const other = pytorch();
  const contenders = other === undefined ? [ours()] : [ours(), other];
  const table = new Table(['case', 'threads', 'what', 'ours', 'PyTorch', 'PyTorch / ours']);
  const results: object[] = [];
  let versions = '';
  for (const name of settings.cases) {
    for (const threads of settings.threads) {
      const laps = await measure(name, threads);
      results.push({ case: name, threads, laps });
      versions = laps.map(({ ready }) => ready).join(' and ');
    }
  }

  async function measure(name: CaseName, threads: number) {
    const commands = Object.keys(labels) as Command[];
    const laps = await race(contenders, cases[name], threads, commands, roundsOf(name, settings.rounds));
    const [mine, theirs] = laps;
    const add = (...cells: string[]) => table.add(name, String(threads), ...cells);
    for (const command of commands) {
      const [own, its] = [mine.times[command], theirs?.times[command]];
      add(`${labels[command]}, ms`, milliseconds(own), milliseconds(its), ratio(its?.median, own?.median));
    }
    const peaks = [mine.peakRss, theirs?.peakRss];
    add('peak memory', megabytes(peaks[0]), megabytes(peaks[1]), ratio(peaks[1], peaks[0]));
    add('tensors, start / end', `${mine.tensors?.start} / ${mine.tensors?.end}`, '-', '-');
    return laps;
  }

  const note =
    `Medians (minima). ${versions}, in turns, one step each, pinned to the same cores. G3 takes at most 3 rounds, and reversible gradients on our side. ` +
    'Peak memory is that of the whole process.';
  return { table, note, results };
}
