import { mkdirSync, writeFileSync } from 'node:fs';
import { Matrix, RandomStream } from 'tfjs-flows';
import { type MeetSubclassOptions, type MetSubclass, manipulate, meetSubclass } from 'tfjs-flows/attributes';
import { type Frame, frameOf, imageSheet } from 'tfjs-flows/notebook';
import { prepareWasm } from 'tfjs-flows/wasm';
import { type BarFigure, between } from './bar';
import { type Classifier, linearDiscriminant, nearestNeighbour } from './classifiers';
import { ATTRIBUTES, attributesOf, loadDigits, rowsOf } from './digits';
import { type DigitsFlow, trainDigitsFlow } from './digitsFlow';
import { mean } from './episodes';
import { type Drawings, loadMnist, MNIST_FOLDER } from './mnist';
import { mnistFlow } from './mnistFlow';

export const name = 'transfer: attributes of nine digits carried to a tenth of which five samples are known';

const SHOWN = ['ink', 'slant', 'thickness'] as const;
const COLUMNS = SHOWN.map((attribute) => ATTRIBUTES.indexOf(attribute));
/** Asked for, in deviations of the attribute within digits. */
const ASKED = [-2, -1, 0, 1, 2];
const FEW = 5;
const PICTURE = 'docs/pictures/transfer-mnist.png';

/** One attribute carried to one digit, and what images of that digit show of it. */
interface Carried {
  attribute: number;
  digit: number;
  met: MetSubclass;
  /** Mean shift of every attribute at every strength, in its deviations, [asked][attribute]. */
  moved: number[][];
  /** Share of the images that a classifier takes for the digit, per strength. */
  kept: number[];
}

interface Setting {
  name: string;
  flow: DigitsFlow;
  layout?: MeetSubclassOptions['layout'];
  /** Images that the flow never saw. */
  held: Drawings;
  digits: readonly number[];
  classify: Classifier;
}

async function carry(setting: Setting, digit: number): Promise<Carried[]> {
  const { flow, held, layout, classify } = setting;
  const { pixels, label, side, attributes } = held;
  const rows = Array.from(label.keys());
  const known = rows.filter((i) => label[i] !== digit);
  const own = rows.filter((i) => label[i] === digit);
  const columns = Matrix.fromRows(known.map((i) => COLUMNS.map((k) => attributes.at(i, k))));
  const base = {
    z: await flow.encode(rowsOf(pixels, known), 1),
    subclass: known.map((i) => label[i]),
    attributes: columns,
  };
  const few = await flow.encode(rowsOf(pixels, own.slice(0, FEW)), 2);
  const rest = await flow.encode(rowsOf(pixels, own.slice(FEW, FEW + 100)), 3);
  const measure = (images: Matrix) =>
    Matrix.fromRows(
      Array.from({ length: images.rows }, (_, i) => {
        const all = attributesOf(images.row(i), side);
        return COLUMNS.map((k) => all[k]);
      }),
    );
  const deviations = SHOWN.map((_, k) => withinDeviation(columns.column(k), base.subclass));
  const still = measure(await flow.decode(rest));
  const results: Carried[] = [];
  for (const attribute of SHOWN.keys()) {
    const met = await meetSubclass(base, few, {
      attribute,
      mode: 'slope',
      layout,
      decode: flow.decode,
      calibrate: (images) => measure(images).column(attribute),
    });
    const unit = met.direction.attributeDeviation;
    const moved: number[][] = [];
    const kept: number[] = [];
    for (const asked of ASKED) {
      const images = await flow.decode(manipulate(rest, met.direction, asked * unit).z);
      const values = measure(images);
      moved.push(
        SHOWN.map((_, k) =>
          mean(Array.from(values.column(k), (value, i) => (value - still.at(i, k)) / deviations[k])),
        ),
      );
      kept.push(mean(Array.from(classify(images), (found) => Number(found === digit))));
    }
    results.push({ attribute, digit, met, moved, kept });
  }
  return results;
}

function withinDeviation(values: Float64Array, subclass: readonly number[]): number {
  const squares = [...new Set(subclass)].flatMap((one) => {
    const own = values.filter((_, i) => subclass[i] === one);
    const center = mean(own);
    return Array.from(own, (value) => (value - center) ** 2);
  });
  return Math.sqrt(mean(squares));
}

/** One line of the table per attribute: means over the digits. */
function printed({ name: of, digits }: Setting, carried: readonly Carried[]): string {
  const lines = SHOWN.map((attribute, k) => {
    const own = carried.filter((one) => one.attribute === k);
    const at = (f: (one: Carried) => number) => mean(own.map(f));
    const moved = ASKED.map((_, s) => at((one) => one.moved[s][k]).toFixed(2));
    const kept = ASKED.map((_, s) => at((one) => one.kept[s]).toFixed(2));
    const leak = SHOWN.map((_, other) =>
      at((one) => (one.moved[3][other] - one.moved[1][other]) / 2).toFixed(2),
    );
    const granted = own.filter(({ met }) => met.refusal === null).length;
    const uncalibrated = own.filter(({ met }) => met.calibration === null).length;
    const consistency = own.map(({ met }) => met.direction.consistency).filter((rho) => rho !== null);
    return [
      of,
      attribute,
      consistency.length === 0 ? 'none' : mean(consistency).toFixed(2),
      `${granted} of ${digits.length}`,
      `${digits.length - uncalibrated} of ${digits.length}`,
      ...[0, 1, 3, 4].map((s) => moved[s]),
      ...[0, 1, 2, 3, 4].map((s) => kept[s]),
      ...leak.map((value, other) => (other === k ? '' : value)),
    ].join(' | ');
  });
  return lines.map((line) => `| ${line} |`).join('\n');
}

/** Rows: two images per attribute; columns: the image, then strengths, framed by what is learnable. */
async function drawTransfer(
  { flow, held }: Setting,
  carried: readonly Carried[],
  file: string,
): Promise<void> {
  const strengths = [-3, -2, -1, 0, 1, 2, 3];
  const cells: number[] = [];
  const frames: Frame[] = [];
  for (const { met } of carried) {
    const { samples } = met.posterior;
    const unit = met.direction.attributeDeviation;
    for (const i of [0, 1]) {
      const z = Matrix.fromRows([samples.row(i)]);
      const images = await flow.decode(
        manipulate(
          z,
          met.direction,
          strengths.map((s) => s * unit),
        ).z,
      );
      cells.push(...images.data);
      frames.push(
        ...strengths.map(
          (strength): Frame => (strength === 0 ? 'given' : frameOf(met.ranges[i], strength * unit)),
        ),
      );
    }
  }
  const shape = [frames.length, held.side, held.side, 1];
  const sheet = await imageSheet(
    { data: cells.map((value) => 255 * Math.min(1, Math.max(0, value))), shape },
    { columns: strengths.length, frames },
  );
  writeFileSync(file, sheet.content);
  console.log(file);
}

async function digitsSetting(): Promise<Setting> {
  const { pixels, label, attributes } = loadDigits();
  const order = new RandomStream(1).permutation(label.length);
  const [training, held] = [order.slice(0, 898), order.slice(898)];
  return {
    name: 'digits, 8 x 8',
    flow: await trainDigitsFlow(pixels, training, 1, 1500),
    held: {
      pixels: rowsOf(pixels, held),
      side: 8,
      label: held.map((i) => label[i]),
      attributes: rowsOf(attributes, held),
    },
    digits: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    classify: linearDiscriminant(
      rowsOf(pixels, training),
      training.map((i) => label[i]),
    ),
  };
}

/** The label of the nearest of some images, all averaged over 2 x 2 pixels. */
function nearestOf({ pixels, side, label }: Drawings, count: number): Classifier {
  const halved = (images: Matrix) =>
    Matrix.fromRows(
      Array.from({ length: images.rows }, (_, i) => {
        const image = images.row(i);
        return Array.from({ length: (side / 2) ** 2 }, (_, at) => {
          const corner = 2 * side * Math.floor(at / (side / 2)) + 2 * (at % (side / 2));
          return image[corner] + image[corner + 1] + image[corner + side] + image[corner + side + 1];
        });
      }),
    );
  const first = rowsOf(
    pixels,
    Array.from({ length: count }, (_, i) => i),
  );
  const nearest = nearestNeighbour(halved(first), label);
  return (images) => nearest(halved(images));
}

async function mnistSetting(): Promise<Setting | undefined> {
  const training = loadMnist('train', 12_000);
  const held = loadMnist('t10k', 5_000);
  if (training === undefined || held === undefined) return undefined;
  const flow = await mnistFlow(training);
  return {
    name: 'MNIST, 28 x 28',
    flow,
    layout: flow.flow.latentLayout,
    held,
    digits: [2, 3, 5, 7],
    classify: nearestOf(training, 5000),
  };
}

export async function run(): Promise<BarFigure[]> {
  await prepareWasm();
  const settings = [await digitsSetting(), await mnistSetting()];
  if (settings[1] === undefined)
    console.log(`MNIST is left out: ${MNIST_FOLDER} has no files. Give their folder as MNIST=...`);
  const bars: BarFigure[] = [];
  console.log(
    '| Data | Attribute | Consistency | Vouched for | Calibrated | moved at -2 | -1 | 1 | 2 | kept at -2 | -1 | 0 | 1 | 2 | leak into ink | slant | thickness |',
  );
  for (const setting of settings) {
    if (setting === undefined) continue;
    const carried: Carried[] = [];
    for (const digit of setting.digits) carried.push(...(await carry(setting, digit)));
    console.log(printed(setting, carried));
    for (const [k, attribute] of SHOWN.entries()) {
      const own = carried.filter((one) => one.attribute === k && one.met.calibration !== null);
      const slope = mean(own.map(({ moved }) => (moved[3][k] - moved[1][k]) / 2));
      bars.push(
        between(
          `${setting.name}, ${attribute}: moved per deviation asked for, on new images of the digit`,
          slope,
          0.85,
          1.15,
        ),
      );
    }
    for (const { met, attribute, digit } of carried.filter((one) => one.digit === setting.digits[1])) {
      console.log(`\n${setting.name}, ${SHOWN[attribute]} carried to ${digit}\n${met}`);
    }
    if (setting.held.side === 28) {
      mkdirSync('docs/pictures', { recursive: true });
      await drawTransfer(
        setting,
        carried.filter(({ digit }) => digit === 3),
        PICTURE,
      );
    }
    setting.flow.dispose();
  }
  return bars;
}
