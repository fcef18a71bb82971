import { copyFile, readFile, writeFile } from 'node:fs/promises';
import * as tfCore from '@tensorflow/tfjs-core';
import * as tfLayers from '@tensorflow/tfjs-layers';
import * as flows from 'tfjs-flows';
import * as node from 'tfjs-flows/node';
import * as notebook from 'tfjs-flows/notebook';
import * as testing from 'tfjs-flows/testing';
import * as wasm from 'tfjs-flows/wasm';
import * as webgpu from 'tfjs-flows/webgpu';
import { fixture } from '../support/fixture';
import type { Scope } from './run';

/** Latents of 4 subclasses, 12 samples each, in 64 dimensions; an attribute that half of them have. */
function makeLatents() {
  const random = new flows.RandomStream(1);
  const subclass = Array.from({ length: 48 }, (_, i) => i % 4);
  const attribute = subclass.map((_, i) => (i % 8 < 4 ? 1 : -1));
  const z = subclass.map((label, i) =>
    Array.from(random.normalArray(64), (value, j) => value + (j < 8 ? label : attribute[i])),
  );
  return { z, subclass, attributes: attribute.map((value) => [value]) };
}

/** A table of 40 patients, also in the file patients.csv. */
async function makePatients(): Promise<flows.Table> {
  const random = new flows.RandomStream(5);
  const patients = new flows.Table([
    { name: 'age', kind: 'integer', values: Float64Array.from({ length: 40 }, (_, i) => 20 + i) },
    { name: 'pressure', kind: 'real', values: random.normalArray(40).map((value) => 120 + 15 * value) },
    {
      name: 'sex',
      kind: 'categorical',
      values: new Float64Array(40).map((_, i) => i % 2),
      categories: ['f', 'm'],
    },
  ]);
  await writeFile('patients.csv', patients.toCsv());
  return patients;
}

/** A flow of the patients, fitted to nothing. */
function makeVectorFlow({ columns }: flows.Table): flows.VectorFlow {
  const bijector = new flows.Factorized({
    inputShape: [3],
    factors: [
      { columns: [2], bijector: new flows.Categorical({ categories: 2 }) },
      { columns: [0, 1], bijector: new flows.ActNorm({ inputShape: [2] }) },
    ],
  });
  const flow = new flows.VectorFlow({
    bijector,
    columns: [
      { name: 'age', support: { kind: 'integer' } },
      { name: 'pressure', support: { kind: 'real' } },
      { name: 'sex', support: { kind: 'categorical', categories: 2 }, categories: columns[2].categories },
    ],
    seed: 6,
  });
  const [age, pressure] = columns.map(({ values }) => values);
  const rows = Array.from(age, (value, i) => [value + 0.5, pressure[i], (i % 2) + 0.5]);
  tfCore.tidy(() => bijector.initialize(tfCore.tensor2d(rows)));
  return flow;
}

/** What the examples take for granted: the public names, and data and models with the obvious names. */
export async function makeScope(): Promise<Scope> {
  const random = new flows.RandomStream(2);
  const images = tfCore.tidy(() => tfCore.floor(random.uniform([48, 8, 8, 1], 0, 256)));
  const labeled = makeLatents();
  const ofClass = (label: number) => labeled.z.filter((_, i) => labeled.subclass[i] === label);
  const few = ofClass(0).slice(0, 5);
  const actnorm = new flows.ActNorm({ inputShape: [8, 8, 1] });
  const flow = new flows.ImageFlow({ bijector: actnorm, seed: 3 });
  const glow = new flows.Glow({
    imageShape: [8, 8, 1],
    levels: 2,
    stepsPerLevel: 1,
    hiddenChannels: 4,
    seed: 4,
  });
  const patients = await makePatients();
  const vectorFlow = makeVectorFlow(patients);
  const chain = new flows.Chain({ bijectors: [new flows.ActNorm({ inputShape: [2] })] });

  await flows.saveModule(chain, 'indexeddb://my-bijector');
  const checkpoint = '../fixtures/glow/chaiyujin_affine_lu_top/checkpoint.pt';
  await copyFile(new URL(checkpoint, import.meta.url), 'trained.pkg');

  // Examples show real numbers of epochs; here two steps must do.
  const short = (options: flows.FitOptions = {}): flows.FitOptions => {
    const { validationSplit, earlyStopping, ...rest } = options;
    return { ...rest, epochs: undefined, steps: 2, progress: 'none' };
  };
  const fit: typeof flows.fit = (model, data, options) => flows.fit(model, data, short(options));
  const fitFlow = flow.fit.bind(flow);
  flow.fit = (data, options) => fitFlow(data, short(options));

  return {
    ...flows,
    ...testing,
    ...node,
    ...notebook,
    ...wasm,
    ...webgpu,
    tf: { ...tfCore, ...tfLayers },
    fit,
    flow,
    glow,
    faces: images,
    exported: await flows.exportStateDict(glow, 'chaiyujin'),
    bytes: fixture('glow/chaiyujin_affine_lu_top/checkpoint.pt'),
    chain,
    bijector: chain,
    averages: new flows.AveragedWeights(flow, 0.9),
    trainedPkg: await readFile('trained.pkg'),
    images,
    x: images,
    data: images,
    heldOut: images,
    heldOutImages: images,
    pixels: images.dataSync(),
    labeled,
    base: labeled,
    z: labeled.z,
    latents: labeled.z,
    labels: labeled.subclass,
    people: labeled.subclass,
    digit: labeled.subclass,
    sunglasses: labeled.attributes,
    attribute: labeled.z,
    patients,
    vectorFlow,
    prior: flows.fitPrior(labeled),
    few,
    fiveSamplesOfANewSubclass: few,
    samplesOfTheOtherClasses: {
      z: [...ofClass(1), ...ofClass(2)],
      subclass: [...Array(12).fill(1), ...Array(12).fill(2)],
    },
    // Other samples than the latents, as a report on their bias needs them.
    fewLatents: labeled.z.slice(0, 12).map((row) => row.map((value) => value + 0.01)),
    fewLabels: labeled.subclass.slice(0, 12),
  };
}
