import { vectorCase, vectorSizes } from './cases';
import { ourSides, pytorch } from './contenders';
import { race } from './race';
import { type Findings, milliseconds, Table } from './report';
import type { Settings } from './settings';

const labels = { train: 'training step', logProb: 'log-density', sample: 'sample' };

const clocks = { wall: 'of time', cpu: 'of the processor in all threads of a process' };

/** Steps take milliseconds: so many times as many rounds. */
const MORE_ROUNDS = 5;
/** Rounds that are not counted: until what runs often is compiled. */
const WARM_UPS = 150;

/** Flows for vectors on our side and in libraries of PyTorch, in turns and on one thread, each in the library's own architecture. */
export async function againstLibraries(settings: Settings): Promise<Findings | undefined> {
  const python = pytorch();
  if (python === undefined) return undefined;
  const { clock } = settings;
  const sides = ourSides().map((side) => ({ ...side, options: { ...side.options, clock } }));
  const ratios = sides.map(({ name }) => `library / ${name}`);
  const table = new Table([
    'flow',
    'D, batch',
    'library',
    'weights',
    'what',
    ...sides.map(({ name }) => name),
    'library, ms',
    ...ratios,
  ]);
  const results: object[] = [];
  let versions = '';
  for (const kind of settings.kinds) {
    for (const size of vectorSizes) {
      for (const { name, folder } of settings.libraries) {
        const library = { ...python, name, options: { folder, clock } };
        const what = vectorCase(kind, name, size);
        const commands = Object.keys(labels) as (keyof typeof labels)[];
        const laps = await race(
          [...sides, library],
          what,
          1,
          commands,
          MORE_ROUNDS * settings.rounds,
          WARM_UPS,
        );
        const weights = [...new Set(laps.map(({ parameters }) => parameters))].join(' / ');
        for (const command of commands) {
          table.add(
            kind,
            `${size.dimensions}, ${size.batch}`,
            name,
            weights,
            labels[command],
            ...laps.map(({ times }) => milliseconds(times[command])),
            ...laps.slice(0, -1).map((lap) => (lap.ratios[command] as number).toFixed(2)),
          );
        }
        results.push({ kind, ...size, library: name, laps });
        versions = laps.map((lap) => `${lap.name}: ${lap.ready}`).join('; ');
      }
    }
  }
  const note =
    `Medians (minima) in ms, ${clocks[clock]}, in turns, one step each, on one thread and one core; ratios are medians over ${MORE_ROUNDS} times the rounds. Weights: ours / the library's, where they differ. ` +
    `Architectures are the libraries' own: nflows and normflows have residual networks of two blocks of 64, zuko (and normflows in affine couplings) two layers of 64. ${versions}.`;
  return { table, note, results };
}
