import { Matrix, RandomStream } from 'tfjs-flows';
import { type AugmentOptions, augment, fitPrior, zDelta } from 'tfjs-flows/attributes';
import { prepareWasm } from 'tfjs-flows/wasm';
import { atLeast, type BarFigure, below } from './bar';
import { nearestNeighbour } from './classifiers';
import { ATTRIBUTES, type Digits, loadDigits, rowsOf } from './digits';
import { trainDigitsFlow } from './digitsFlow';
import { drawFew, mean, randomSplit, rowsWith } from './episodes';

export const name =
  'augment: accuracy of 1-NN on five new digits from five samples each, minus that without augmentation';

const FEW = 5;
const COUNT = 50;

/** The representation that samples are made in, and the way to pixels. */
export interface Space {
  /** [n, d] for all digits. */
  z: Matrix;
  toPixels(z: Matrix): Promise<Matrix>;
}

/** Change of accuracy against no augmentation, averaged over episodes, and how often anything was made. */
export interface AugmentFigures {
  gain: number;
  /** Share of digits for which samples were made. */
  used: number;
  /** Samples refused by the filter, per sample kept. */
  rejected: number;
}

/** The change in every episode of one split. */
export async function measureAugmentation(
  digits: Digits,
  space: Space,
  split: { base: Int32Array; novel: Int32Array },
  options: Pick<AugmentOptions, 'method' | 'filter' | 'strength'>,
  episodes: number,
  seed: number,
): Promise<AugmentFigures> {
  const { label, pixels, attributes } = digits;
  const baseRows = rowsWith(label, split.base);
  const base = {
    z: rowsOf(space.z, baseRows),
    subclass: baseRows.map((i) => label[i]),
    attributes: rowsOf(attributes, baseRows),
  };
  const prior = fitPrior(base);
  const directions = ATTRIBUTES.map((_, attribute) => zDelta(base, { attribute, mode: 'slope' }));
  const random = new RandomStream(seed);
  const rowNumbers = new Matrix(Float64Array.from(label.keys()), label.length, 1);
  const gains: number[] = [];
  let used = 0;
  let kept = 0;
  let rejected = 0;
  for (let episode = 0; episode < episodes; episode++) {
    const few: number[][] = [];
    const test: number[] = [];
    for (const digit of split.novel) {
      const drawn = drawFew(rowNumbers, label, digit, FEW, random);
      few.push([...drawn.few.data]);
      test.push(...drawn.rest.data);
    }
    const rows = few.flat();
    const subclass = rows.map((i) => label[i]);
    const synthetic: Matrix[] = [];
    const syntheticLabels: number[] = [];
    for (const [k, digit] of split.novel.entries()) {
      const others = { z: rowsOf(space.z, rows), subclass };
      const made = augment(rowsOf(space.z, few[k]), prior, {
        ...options,
        count: COUNT,
        others,
        subclass: digit,
        directions,
        donors: base,
        seed: random.childSeed(),
      });
      rejected += made.rejected;
      kept += made.z.rows;
      if (made.z.rows === 0) continue;
      used++;
      synthetic.push(await space.toPixels(made.z));
      for (let i = 0; i < made.z.rows; i++) syntheticLabels.push(digit);
    }
    const truth = test.map((i) => label[i]);
    const images = rowsOf(pixels, test);
    const plainTraining = Array.from(rows, (i) => pixels.row(i));
    const plain = nearestNeighbour(Matrix.fromRows(plainTraining), subclass)(images);
    const grown = [
      ...plainTraining,
      ...synthetic.flatMap((part) => Array.from({ length: part.rows }, (_, i) => part.row(i))),
    ];
    const helped = nearestNeighbour(Matrix.fromRows(grown), [...subclass, ...syntheticLabels])(images);
    gains.push(accuracy(helped, truth) - accuracy(plain, truth));
  }
  return { gain: mean(gains), used: used / (episodes * 5), rejected: kept === 0 ? 0 : rejected / kept };
}

function accuracy(predicted: Int32Array, truth: readonly number[]): number {
  return mean(truth.map((label, i) => Number(predicted[i] === label)));
}

export async function run(splits = 6, episodes = 8): Promise<BarFigure[]> {
  await prepareWasm();
  const digits = loadDigits();
  const methods = {
    auto: { method: 'auto' },
    'auto, no filter': { method: 'auto', filter: 'none' },
    mixup: { method: 'mixup' },
    attribute: { method: 'attribute' },
    pair: { method: 'pair' },
    posterior: { method: 'posterior' },
    'posterior, plain draws, no filter': { method: 'posterior', strength: 1, filter: 'none' },
  } as const;
  const found = new Map<string, AugmentFigures[]>();
  for (let seed = 1; seed <= splits; seed++) {
    const split = randomSplit(new RandomStream(seed));
    const flow = await trainDigitsFlow(digits.pixels, rowsWith(digits.label, split.base), seed, 1500);
    const spaces: Record<string, Space> = {
      pixels: { z: digits.pixels, toPixels: async (z) => z },
      flow: { z: await flow.encode(digits.pixels, seed), toPixels: flow.decode },
    };
    for (const [place, space] of Object.entries(spaces)) {
      for (const [method, options] of Object.entries(methods)) {
        const figures = await measureAugmentation(digits, space, split, options, episodes, seed);
        const key = `${place}: ${method}`;
        found.set(key, [...(found.get(key) ?? []), figures]);
      }
    }
    flow.dispose();
  }
  return Array.from(found, ([key, all]) => {
    const average = (field: keyof AugmentFigures) => mean(all.map((figures) => figures[field]));
    const gain = average('gain');
    const label = `${key} (used for ${(100 * average('used')).toFixed(0)} %, ${average('rejected').toFixed(2)} refused per kept)`;
    // Only auto promises not to harm; the others are reported as they are.
    if (key.includes('auto')) return atLeast(label, gain, -0.01);
    return key.includes('plain draws') ? below(`${label}: must harm`, gain, 0) : atLeast(label, gain, -1);
  });
}
