import { type CaseName, cases, roundsOf } from './cases';
import { ourSides, pytorch } from './contenders';
import { race } from './race';
import { type Findings, megabytes, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

const labels = { train: 'training step', encode: 'encode', sample: 'sample' };

/** Every case on our side and in PyTorch, in turns: time, peak memory, and whether tensors stay. */
export async function againstPyTorch(settings: Settings): Promise<Findings> {
  const sides = ourSides();
  const other = pytorch();
  const contenders = other === undefined ? sides : [...sides, other];
  const names = sides.map(({ name }) => name);
  const ratios = names.map((name) => `PyTorch / ${name}`);
  const table = new Table(['case', 'threads', 'what', ...names, 'PyTorch', ...ratios]);
  const results: object[] = [];
  let versions = '';
  for (const name of settings.cases) {
    for (const threads of settings.threads) {
      const laps = await measure(name, threads);
      results.push({ case: name, threads, laps });
      versions = laps.map((lap) => `${lap.name}: ${lap.ready}`).join('; ');
    }
  }

  async function measure(name: CaseName, threads: number) {
    const commands = Object.keys(labels) as (keyof typeof labels)[];
    const laps = await race(contenders, cases[name], threads, commands, roundsOf(name, settings.rounds));
    const mine = laps.slice(0, sides.length);
    const theirs = laps[sides.length];
    const add = (...cells: string[]) => table.add(name, String(threads), ...cells);
    for (const command of commands) {
      const times = mine.map((lap) => lap.times[command]);
      const its = theirs?.times[command];
      const quotients = times.map((own) => ratio(its?.median, own?.median));
      add(`${labels[command]}, ms`, ...times.map(milliseconds), milliseconds(its), ...quotients);
    }
    const peaks = mine.map(({ peakRss }) => peakRss);
    const quotients = peaks.map((own) => ratio(theirs?.peakRss, own));
    add('peak memory', ...peaks.map(megabytes), megabytes(theirs?.peakRss), ...quotients);
    const counts = mine.map(({ tensors }) => `${tensors?.start} / ${tensors?.end}`);
    add('tensors, start / end', ...counts, ...ratios.map(() => '-'), '-');
    return laps;
  }

  const note =
    `Medians (minima), in turns, one step each, pinned to the same cores. ${versions}. G3 takes at most 3 rounds, and stands twice: our side with stored gradients, and with reversible ones; G4 and tabular take five times as many. ` +
    'Peak memory is that of the whole process.';
  return { table, note, results };
}
