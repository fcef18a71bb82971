// Your images, a Glow: trains, saves, samples, and moves held-out images along one attribute.
//
//     npm install tfjs-flows
//     node train.mjs my-images         a folder with a subfolder per class
//     node train.mjs my-images.csv     a table: file, then columns of yes and no
import { mkdir, writeFile } from 'node:fs/promises';
import * as flows from 'tfjs-flows';
import { abortOnInterrupt, openImages, readImages } from 'tfjs-flows/node';
import { prepareWasm } from 'tfjs-flows/wasm';

const [root = 'my-images', steps = 500, output = 'trained'] = process.argv.slice(2);
const [imageShape, nBits] = [[32, 32, 3], 5];
await mkdir(output, { recursive: true });
await prepareWasm();

// Load: every image is cut, resized and checked; one in ten is held out.
const dataset = await openImages(root.endsWith('.csv') ? 'csv' : 'folder', root, { imageShape });
const { images } = await readImages(dataset, { nBits });
const [count] = images.shape;
const heldOut = Math.ceil(count / 10);
const [training, held] = flows.shuffleSplit(count, [count - heldOut, heldOut], new flows.RandomStream(1));
const dataAt = (rows) => ({ x: flows.gatherRows(images, rows).data, shape: imageShape });

// Train: Ctrl-C ends it early, and what was learned is kept.
const glow = new flows.Glow({ imageShape, levels: 3, stepsPerLevel: 6, hiddenChannels: 64, nBits, seed: 1 });
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
await glow.save(`file://${output}/glow`); // loadFlow reads it

// Sample.
const write = async (name, pictures, columns) => {
  const data = await pictures.data();
  const grid = flows.imageGrid({ shape: pictures.shape, data }, { columns, nBits, scale: 2 });
  await writeFile(`${output}/${name}.png`, flows.encodePng(grid));
};
await write('samples', glow.sample(32, { temperature: 0.7, seed: 1 }), 8);

// Move along the first attribute of the table, or from the other classes to the first one.
if (!dataset.attributes && !dataset.labels)
  throw new Error('There are no classes, nor columns of yes and no.');
const { names, values } = dataset.attributes ?? { names: dataset.labels.classes };
const attributeOf = (row) => values?.[row * names.length] ?? 1 - dataset.labels.values[row];
const attributes = Array.from(training, (row) => [attributeOf(row)]);
const subclass = Array.from(training, (row) => dataset.labels?.values[row] ?? 0);
const z = await flows.encodeLatents(glow, flows.gatherRows(images, training));
const direction = flows.zDelta({ z, subclass, attributes }, { stratify: values !== undefined });
const originals = await flows.encodeLatents(glow, flows.gatherRows(images, held.subarray(0, 6)));
const moved = flows.manipulate(originals, direction, [-1, -0.5, 0, 0.5, 1]);
await write('moved', await flows.decodeLatents(glow, moved.z), 5);
console.log(`${output}/moved.png: six held-out images, each moved from less to more of '${names[0]}'`);
