import { type Case, cases } from './cases';
import { ours, pytorch } from './contenders';
import type { Contender } from './peer';
import { type Lap, race } from './race';
import { type Findings, megabytes, Table } from './report';

const DEPTHS = [8, 16, 32];
const STEPS = 3;
/** Bytes that a parameter takes in training: value, gradient, two moments of Adam. */
const PARAMETER_BYTES = 16;

/** Peak memory of training G1 on one thread as its levels get deeper. */
export async function growth(): Promise<Findings> {
  const other = pytorch();
  const contenders: Contender[] = [
    ours('stored', { gradients: 'stored' }),
    ours('reversible', { gradients: 'reversible' }),
  ];
  if (other !== undefined) contenders.push(other);
  const table = new Table(['steps per level K', ...contenders.map(({ name }) => name)]);
  const depths: { stepsPerLevel: number; laps: Lap[] }[] = [];
  for (const stepsPerLevel of DEPTHS) {
    const deeper: Case = { ...cases.G1, stepsPerLevel };
    const laps: Lap[] = [];
    // One after the other: three of the deepest at a time need not fit.
    for (const contender of contenders) laps.push(...(await race([contender], deeper, 1, [], STEPS)));
    depths.push({ stepsPerLevel, laps });
    table.add(String(stepsPerLevel), ...laps.map(({ peakRss }) => megabytes(peakRss)));
  }
  const [first, last] = [depths[0], depths[depths.length - 1]];
  const perStep = (value: (lap: Lap) => number) =>
    contenders.map(
      (_, i) => (value(last.laps[i]) - value(first.laps[i])) / (last.stepsPerLevel - first.stepsPerLevel),
    );
  const grown = perStep(({ peakRss }) => peakRss);
  const weights = perStep(({ parameters }) => parameters * PARAMETER_BYTES);
  const show = (values: number[]) => values.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  table.add('growth per K', ...show(grown));
  table.add('of it weights and their training', ...show(weights));
  table.add('of it the rest', ...show(grown.map((bytes, i) => bytes - weights[i])));
  const note =
    `G1, one thread: peak memory of the whole process after ${STEPS} counted steps. A weight in training takes ` +
    `${PARAMETER_BYTES} bytes: value, gradient, two moments.`;
  return { table, note, results: depths };
}
