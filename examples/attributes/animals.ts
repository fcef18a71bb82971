/**
 * Turning a cow: the directions of azimuth learned on horses and dogs, carried to cows of which five photographs are known.
 *
 *     npm run example:animals -- path/to/eth80_4cat_side_32x32.npz
 *
 * The file holds `images` [n, 32, 32, 3], `category` (1 cow, 2 dog, 3 horse), `object` and `azimuth` in degrees: side views of ETH-80
 * (Leibe and Schiele 2003), which is not shipped because it states no licence.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeLatents,
  encodeLabeled,
  encodeLatents,
  gatherRows,
  Matrix,
  type NdArray,
  readNpz,
  reduceBits,
} from 'tfjs-flows';
import { fitPrior, meetSubclass, mixedNormality, zDelta } from 'tfjs-flows/attributes';
import { type Frame, frameOf, imageSheet } from 'tfjs-flows/notebook';
import { prepareWasm } from 'tfjs-flows/wasm';
import { drawable } from '../drawable';
import { trainedGlow } from './model';

const FOLDER = 'output/animals';
const N_BITS = 5;
const [COW, DOG, HORSE] = [1, 2, 3];
const FEW = 5;
const TURNS = [-90, -45, 45, 90];

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('Give the path of eth80_4cat_side_32x32.npz.');
  process.exit(1);
}
const file = readNpz(readFileSync(path));
const images: NdArray<Float32Array> = {
  shape: file.images.shape,
  data: Float32Array.from(reduceBits(file.images.data as Uint8Array, 8, N_BITS)),
};
const [category, object, azimuth] = [file.category, file.object, file.azimuth].map(({ data }) =>
  Int32Array.from(data, Number),
);
const rowsWith = (wanted: (row: number) => boolean) => Int32Array.from(category.keys()).filter(wanted);

mkdirSync(FOLDER, { recursive: true });
await prepareWasm();
const known = rowsWith((row) => category[row] === DOG || category[row] === HORSE);
// Objects with even numbers train the flow; those with odd ones, which it never saw, give direction and prior.
const training = known.filter((row) => object[row] % 2 === 0);
const held = known.filter((row) => object[row] % 2 === 1);
const flow = await trainedGlow(gatherRows(images, training), gatherRows(images, held), {
  folder: FOLDER,
  nBits: N_BITS,
  steps: 400,
  seconds: 420,
});

// Azimuth is an angle, so it has two directions: that of its cosine and that of its sine.
const circle = (degrees: number) => [
  Math.cos((degrees * Math.PI) / 180),
  Math.sin((degrees * Math.PI) / 180),
];
const labeled = await encodeLabeled(flow, {
  events: gatherRows(images, held),
  subclass: held.map((row) => category[row]),
  attributes: Array.from(held, (row) => circle(azimuth[row])),
});
const directions = [0, 1].map((attribute) => zDelta(labeled, { attribute, mode: 'slope' }));
directions.forEach(({ consistency }, k) => {
  console.log(`${['cosine', 'sine'][k]} of azimuth: consistency ${consistency?.toFixed(2) ?? 'unknown'}`);
});
// A turn is made of both directions, so it is shared as far as the less shared one is.
const [leastShared] = [...directions].sort((a, b) => (a.consistency ?? 0) - (b.consistency ?? 0));
const prior = fitPrior(labeled, { layout: flow.latentLayout });

const few = rowsWith((row) => category[row] === COW && azimuth[row] === 90).slice(0, FEW);
const z = await encodeLatents(flow, gatherRows(images, few));

// All five are seen from the same side, so a turn is one direction for them.
const from = circle(90);
const turned = await Promise.all(
  TURNS.map((turn) => {
    const to = circle(90 + turn);
    const delta = directions[0].delta.map(
      (cosine, j) => (to[0] - from[0]) * cosine + (to[1] - from[1]) * directions[1].delta[j],
    );
    const mixing = mixedNormality(labeled, { along: delta, seed: 1 });
    return meetSubclass({ direction: { ...leastShared, delta }, mixing, prior }, z);
  }),
);
turned.forEach((met, k) => {
  console.log(`\ncows turned by ${TURNS[k]} degrees\n${met}`);
});
const moved = Matrix.zeros(FEW * TURNS.length, z.cols);
const frames: Frame[] = [];
for (let i = 0; i < FEW; i++) {
  frames.push('given');
  turned.forEach(({ direction, ranges }, k) => {
    const row = z.row(i).map((value, j) => value + direction.delta[j]);
    moved.row(i * TURNS.length + k).set(row);
    frames.push(frameOf(ranges[i], 1), 'given');
  });
}

// Each turned picture stands before the photograph of the same cow from there.
const decoded = await decodeLatents(flow, moved);
const pictures = drawable((await decoded.data()) as Float32Array);
decoded.dispose();
const size = 32 * 32 * 3;
const columns = 1 + 2 * TURNS.length;
const cells = new Float32Array(FEW * columns * size);
const photograph = (row: number) => images.data.subarray(row * size, (row + 1) * size);
few.forEach((row, i) => {
  cells.set(photograph(row), i * columns * size);
  TURNS.forEach((turn, k) => {
    const at = (i * columns + 1 + 2 * k) * size;
    cells.set(pictures.subarray((i * TURNS.length + k) * size, (i * TURNS.length + k + 1) * size), at);
    const angle = (azimuth[row] + turn + 360) % 360;
    const [truth] = rowsWith(
      (other) => category[other] === COW && object[other] === object[row] && azimuth[other] === angle,
    );
    cells.set(photograph(truth), at + size);
  });
});
const sheet = join(FOLDER, 'cows.png');
const shape = [FEW * columns, 32, 32, 3];
writeFileSync(sheet, (await imageSheet({ data: cells, shape }, { columns, nBits: N_BITS, frames })).content);
console.log(
  `${sheet}: a cow, then for turns of ${TURNS.join(', ')} degrees the moved picture and the photograph`,
);
flow.dispose();
