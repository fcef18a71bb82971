import { type Case, cases } from './cases';
import { ours, pytorch } from './contenders';
import type { Contender } from './peer';
import { type Lap, race } from './race';
import { type Findings, megabytes, Table } from './report';

const DEPTHS = [8, 16, 32];
const STEPS = 3;
/** Bytes that a parameter takes: value, gradient, two moments of Adam; ours also keeps the last good value. */
const PYTORCH_BYTES = 16;
const OUR_BYTES = 20;

/** Peak memory of training G1 on one thread as its levels get deeper. */
export async function growth(): Promise<Findings> {
  const other = pytorch();
  const contenders: { contender: Contender; bytes: number }[] = [
    { contender: ours('stored', { gradients: 'stored' }), bytes: OUR_BYTES },
    { contender: ours('reversible', { gradients: 'reversible' }), bytes: OUR_BYTES },
  ];
  if (other !== undefined) contenders.push({ contender: other, bytes: PYTORCH_BYTES });
  const table = new Table(['steps per level K', ...contenders.map(({ contender }) => contender.name)]);
  const depths: { stepsPerLevel: number; laps: Lap[] }[] = [];
  for (const stepsPerLevel of DEPTHS) {
    const deeper: Case = { ...cases.G1, stepsPerLevel };
    const laps: Lap[] = [];
    // One after the other: three of the deepest at a time need not fit.
    for (const { contender } of contenders) laps.push(...(await race([contender], deeper, 1, [], STEPS)));
    depths.push({ stepsPerLevel, laps });
    table.add(String(stepsPerLevel), ...laps.map(({ peakRss }) => megabytes(peakRss)));
  }
  const [first, last] = [depths[0], depths[depths.length - 1]];
  const perStep = (value: (lap: Lap) => number) =>
    contenders.map(
      (_, i) => (value(last.laps[i]) - value(first.laps[i])) / (last.stepsPerLevel - first.stepsPerLevel),
    );
  const grown = perStep(({ peakRss }) => peakRss);
  const weights = perStep(({ parameters }) => parameters).map((count, i) => count * contenders[i].bytes);
  const show = (values: number[]) => values.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  table.add('growth per K', ...show(grown));
  table.add('of it weights and their training', ...show(weights));
  table.add('of it the rest', ...show(grown.map((bytes, i) => bytes - weights[i])));
  const note =
    `G1, one thread: peak memory of the whole process after ${STEPS} counted steps. A weight in training takes ` +
    `${OUR_BYTES} bytes on our side (value, gradient, two moments, last good value) and ${PYTORCH_BYTES} in PyTorch.`;
  return { table, note, results: depths };
}
