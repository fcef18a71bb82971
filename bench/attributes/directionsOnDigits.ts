import { Matrix, RandomStream } from 'tfjs-flows';
import { manipulate, zDelta } from 'tfjs-flows/attributes';
import { prepareWasm } from 'tfjs-flows/wasm';
import { atLeast, type BarFigure } from './bar';
import { linearDiscriminant } from './classifiers';
import { ATTRIBUTES, attributesOf, type Digits, loadDigits, rowsOf } from './digits';
import { trainDigitsFlow } from './digitsFlow';
import { mean, randomSplit, rowsWith } from './episodes';

export const name = 'zDelta: directions from five digits move five others in a flow that never saw them';

const STRENGTHS = [-3, -2, -1, 0, 1, 2, 3];

/** What moving along one attribute does, per strength in standard deviations of the attribute within digits. */
export interface MovedDigits {
  /** Share of moved images that keep their label. */
  kept: number[];
  /** Mean measured shift of the attribute, in the same standard deviations. */
  shift: number[];
}

/** Moves `count` novel images along every attribute, in the flow's latents, with the stratified direction or without. */
export async function moveDigits(
  digits: Digits,
  seed: number,
  steps: number,
  count: number,
): Promise<{ stratified: MovedDigits[]; plain: MovedDigits[] }> {
  const { pixels, label, attributes } = digits;
  const random = new RandomStream(seed);
  const { base, novel } = randomSplit(random);
  const baseRows = rowsWith(label, base);
  const novelRows = rowsWith(label, novel);
  const chosen = random
    .permutation(novelRows.length)
    .subarray(0, count)
    .map((k) => novelRows[k]);
  const flow = await trainDigitsFlow(pixels, baseRows, seed, steps);
  const labeled = {
    z: await flow.encode(rowsOf(pixels, baseRows), 1),
    subclass: baseRows.map((i) => label[i]),
    attributes: rowsOf(attributes, baseRows),
  };
  const z = await flow.encode(rowsOf(pixels, chosen), 2);
  const classify = linearDiscriminant(pixels, label);
  const result = { stratified: [] as MovedDigits[], plain: [] as MovedDigits[] };
  for (const [attribute] of ATTRIBUTES.entries()) {
    const deviation = withinDeviation(labeled.attributes.column(attribute), labeled.subclass);
    for (const kind of ['stratified', 'plain'] as const) {
      const { delta } = zDelta(labeled, {
        attribute,
        mode: 'slope',
        stratify: kind === 'stratified',
      });
      const sweep = manipulate(
        z,
        delta,
        STRENGTHS.map((strength) => strength * deviation),
      );
      const moved = await flow.decode(sweep.z);
      const labels = classify(moved);
      const measured = Matrix.fromRows(
        Array.from({ length: moved.rows }, (_, i) => attributesOf(moved.row(i))),
      ).column(attribute);
      const at = (step: number) => Array.from(sweep.step.keys()).filter((i) => sweep.step[i] === step);
      result[kind].push({
        kept: STRENGTHS.map((_, step) =>
          mean(at(step).map((i) => Number(labels[i] === label[chosen[sweep.source[i]]]))),
        ),
        shift: STRENGTHS.map((_, step) =>
          mean(
            at(step)
              .map((i) => (measured[i] - attributes.at(chosen[sweep.source[i]], attribute)) / deviation)
              .filter(Number.isFinite),
          ),
        ),
      });
    }
  }
  flow.dispose();
  return result;
}

/** Share of neighbouring strengths between which the measured shift rises. */
export function monotone({ shift }: MovedDigits): number {
  return mean(shift.slice(1).map((value, k) => Number(value > shift[k])));
}

/** Label keeping at the two largest strengths. */
export function keptFarOut({ kept }: MovedDigits): number {
  return (kept[0] + kept[kept.length - 1]) / 2;
}

function withinDeviation(values: Float64Array, subclass: Int32Array): number {
  const squares: number[] = [];
  for (const one of new Set(subclass)) {
    const own = values.filter((_, i) => subclass[i] === one);
    const center = mean(own);
    squares.push(...Array.from(own, (value) => (value - center) ** 2));
  }
  return Math.sqrt(mean(squares));
}

export async function run(splits = 6): Promise<BarFigure[]> {
  await prepareWasm();
  const digits = loadDigits();
  const outcomes: Awaited<ReturnType<typeof moveDigits>>[] = [];
  for (let seed = 1; seed <= splits; seed++) outcomes.push(await moveDigits(digits, seed, 1500, 150));
  const average = (kind: 'stratified' | 'plain', attribute: number, f: (moved: MovedDigits) => number) =>
    mean(outcomes.map((outcome) => f(outcome[kind][attribute])));
  const figures = ATTRIBUTES.flatMap((attribute, k) => {
    const kept = average('stratified', k, keptFarOut);
    const plain = average('plain', k, keptFarOut);
    const shift = mean(outcomes.map(({ stratified }) => stratified[k].shift[5]));
    const overall: MovedDigits = {
      kept: [],
      shift: STRENGTHS.map((_, step) => mean(outcomes.map(({ stratified }) => stratified[k].shift[step]))),
    };
    return [
      atLeast(`${attribute}: measured shift at +2 deviations`, shift, 0.3),
      atLeast(`${attribute}: share of steps at which the mean shift rises`, monotone(overall), 1),
      atLeast(
        `${attribute}: labels kept at +-3, stratified minus plain (${kept.toFixed(3)}, ${plain.toFixed(3)})`,
        kept - plain,
        0,
      ),
    ];
  });
  const gain = mean(
    ATTRIBUTES.map((_, k) => average('stratified', k, keptFarOut) - average('plain', k, keptFarOut)),
  );
  return [...figures, atLeast('all attributes: labels kept at +-3, stratified minus plain', gain, 0.05)];
}
