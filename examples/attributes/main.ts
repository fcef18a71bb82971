/**
 * Sunglasses for people who never wore any: a Glow of faces, a direction learned on some people, and how far it may be carried to
 * others of whom five photographs are known.
 *
 *     npm run example:attributes
 *
 * Ctrl-C ends the training early. Pictures, plots and the trained flow go to output/attributes.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeLatents, encodeLabeled, type Matrix } from 'tfjs-flows';
import { learnAttribute, meetSubclass, positionsAlong } from 'tfjs-flows/attributes';
import { type Figure, mixingPlot, quantilePlot, rangePlot } from 'tfjs-flows/notebook';
import { prepareWasm } from 'tfjs-flows/wasm';
import { type Faces, facesAt, loadFaces, rowsWhere, splitBySubject, withMirrored } from './faces';
import { trainedGlow } from './model';
import { page, SIZE } from './plots';
import { drawTransfer, writeText } from './transfer';

const FOLDER = 'output/attributes';
const N_BITS = 5;
/** People 0 .. 14 are known; 15 .. 19 are met with five photographs. */
const KNOWN = 15;
const FEW = 5;
const QUANTILES = 'Normal quantiles of the position along the direction';
const STRENGTHS = [-0.5, 0, 0.25, 0.5, 0.75, 1, 1.5, 2];

mkdirSync(FOLDER, { recursive: true });
await prepareWasm();

// The flow learns from one half of the known people's images, without labels. The statistics use the other half: latents of training
// images are normal by construction and would prove nothing.
const faces = loadFaces(N_BITS);
const knownRows = rowsWhere(faces, (row) => faces.subject[row] < KNOWN);
const [training, held] = splitBySubject(faces, knownRows, 0.5, 1);
const flow = await trainedGlow(withMirrored(training.images), held.images, {
  folder: FOLDER,
  nBits: N_BITS,
  steps: 500,
  seconds: 420,
});

console.log('\nsunglasses, within people');
const known = await encodeLabeled(flow, labelled(held));
const learned = learnAttribute(known, { layout: flow.latentLayout, seed: 1 });
console.log(String(learned));

const ranges: Figure[] = [];
for (const person of [15, 18]) {
  console.log(`\nperson ${person}: five photographs without sunglasses`);
  const rows = rowsWhere(faces, (row) => faces.subject[row] === person && faces.sunglasses[row] === 0);
  const few = facesAt(faces, rows.filter((_, k) => k % 3 === 0).slice(0, FEW));
  const { z } = await encodeLabeled(flow, labelled(few));
  const met = await meetSubclass(learned, z);
  console.log(String(met));
  const rangeRows = await drawTransfer(
    met,
    { photographs: few.images, decode, nBits: N_BITS },
    STRENGTHS,
    join(FOLDER, `person-${person}.png`),
  );
  ranges.push(await rangePlot(rangeRows, { ...SIZE, title: 'Learnable strengths of the five samples' }));
}

const along = positionsAlong(known.z, learned.direction);
const one = held.subject.map((person) => Number(person === 0));
const quantiles = await quantilePlot(
  {
    'one person': along.filter((_, i) => one[i] === 1),
    'fifteen people': along,
  },
  { ...SIZE, title: QUANTILES },
);
console.log('');
writeText(FOLDER, 'plots.svg', page([quantiles, await mixingPlot(learned.mixing!, SIZE), ranges[0]]));
flow.dispose();

async function decode(z: Matrix): Promise<Float32Array> {
  const images = await decodeLatents(flow, z);
  const levels = (await images.data()) as Float32Array;
  images.dispose();
  return levels;
}

function labelled({ images, subject, sunglasses }: Faces) {
  return { events: images, subclass: subject, attributes: Array.from(sunglasses, (value) => [value]) };
}
