// Your images, a Glow: trains, saves, samples, and moves held-out images along one attribute.
//
//     npm install tfjs-flows
//     node train.mjs my-images          a folder with a subfolder per class
//     node train.mjs my-images.csv      a table: file, then columns of yes and no
import { mkdir, writeFile } from 'node:fs/promises';
import {
  decodeLatents,
  encodeLatents,
  encodePng,
  Glow,
  gatherRows,
  imageGrid,
  manipulate,
  RandomStream,
  shuffleSplit,
  zDelta,
} from 'tfjs-flows';
import { abortOnInterrupt, openImages, readImages } from 'tfjs-flows/node';
import { prepareWasm } from 'tfjs-flows/wasm';

const [root = 'my-images', steps = 500, output = 'trained'] = process.argv.slice(2);
const [imageShape, nBits] = [[32, 32, 3], 5];
await mkdir(output, { recursive: true });
await prepareWasm();

// Load: every image cut, resized, checked; one in ten is held out.
const dataset = await openImages(root.endsWith('.csv') ? 'csv' : 'folder', root, { imageShape });
const { images } = await readImages(dataset, { nBits });
const count = images.shape[0];
const heldOut = Math.ceil(count / 10);
const [training, held] = shuffleSplit(count, [count - heldOut, heldOut], new RandomStream(1));
const eventsAt = (rows) => ({ ...gatherRows(images, rows), shape: [rows.length, ...imageShape] });
const dataAt = (rows) => ({ x: eventsAt(rows).data, shape: imageShape });

// Train: Ctrl-C ends it early, and what was learned is kept.
const glow = new Glow({ imageShape, levels: 3, stepsPerLevel: 6, hiddenChannels: 64, nBits, seed: 1 });
await glow.fit(dataAt(training), {
  steps: Number(steps),
  stepsPerEpoch: 50,
  learningRate: 1e-3,
  schedule: { kind: 'cosine', steps: Number(steps), warmupSteps: Math.min(50, steps / 2), floor: 0.05 },
  clipNorm: 100,
  average: 0.98,
  validationData: dataAt(held),
  earlyStopping: { patience: 3 },
  signal: abortOnInterrupt(),
  seed: 1,
});
await glow.save(`file://${output}/glow`); // loadFlow(`file://${output}/glow`) reads it

// Sample.
const write = async (name, pictures, columns) => {
  const grid = imageGrid(
    { shape: pictures.shape, data: await pictures.data() },
    { columns, nBits, scale: 2 },
  );
  await writeFile(`${output}/${name}.png`, encodePng(grid));
};
await write('samples', glow.sample(32, { temperature: 0.7, seed: 1 }), 8);

// Move along the first attribute of the table, or from the other classes to the first one.
const { attributes, labels } = dataset;
const attributeOf = (row) =>
  attributes ? attributes.values[row * attributes.names.length] : 1 - labels.values[row];
const z = await encodeLatents(glow, eventsAt(training));
const subclass = Array.from(training, (row) => labels?.values[row] ?? 0);
const known = { z, subclass, attributes: Array.from(training, (row) => [attributeOf(row)]) };
const direction = zDelta(known, { stratify: attributes !== undefined });
const originals = await encodeLatents(glow, eventsAt(held.subarray(0, 6)));
const moved = manipulate(originals, direction, [-1, -0.5, 0, 0.5, 1]);
await write(attributes?.names[0] ?? labels.classes[0], await decodeLatents(glow, moved.z), 5);
