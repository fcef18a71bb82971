import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Account,
  Chain,
  Flow,
  Glow,
  InvConv1x1,
  importCheckpoint,
  Linear,
  maskedAutoregressiveFlow,
  NonFiniteError,
  neuralSplineFlow,
  RandomStream,
  realNvp,
  writeNpy,
} from 'tfjs-flows';
import { zDelta } from 'tfjs-flows/attributes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/cli/attributes/report';
import { sweep } from '../../src/cli/attributes/sweep';
import type { ModelImages } from '../../src/cli/datasets';
import { referenceOf, vectorFixture } from '../published/vectors/fixture';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

const rows = Float32Array.from(new RandomStream(1).normalArray(48));

/** Weights away from their starting values, where many a measure is 1. */
function moved<T extends Flow>(flow: T): T {
  const random = new RandomStream(2);
  for (const weight of flow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.1))));
  }
  return flow;
}

const linear = (): Flow =>
  new Flow({
    bijector: new Chain({
      bijectors: [
        new InvConv1x1({ inputShape: [3], seed: 1, name: 'full' }),
        new InvConv1x1({ inputShape: [3], seed: 2, parameterization: 'lu', name: 'lu' }),
        new Linear({ inputShape: [3], name: 'triangles' }),
        new Linear({ inputShape: [3], form: 'householder', seed: 3, name: 'reflections' }),
        new Linear({ inputShape: [3], form: 'rotation', name: 'rotation' }),
      ],
    }),
  });

const events = { data: rows, shape: [16, 3] as [number, number] };
const levels = {
  data: rows.map((_, i) => (i * 37) % 256),
  shape: [3, 4, 4, 1] as [number, number, number, number],
};

const flows: [string, () => Flow, object][] = [
  [
    'a Glow',
    () => new Glow({ imageShape: [4, 4, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 8, seed: 1 }),
    levels,
  ],
  [
    'a spline flow',
    () => neuralSplineFlow({ dimensions: 3, layers: 1, bins: 3, hiddenUnits: [8], seed: 1 }),
    events,
  ],
  [
    'a masked autoregressive flow',
    () => maskedAutoregressiveFlow({ dimensions: 3, layers: 2, hiddenUnits: [8], seed: 1 }),
    events,
  ],
  ['linear layers in every form', linear, events],
];

/** The account of such a flow on a backend; nothing else stays there. */
async function accountOn(backend: 'cpu' | 'webgpu', make: () => Flow, x: object) {
  await activate(backend);
  const before = tf.memory().numTensors;
  const flow = moved(make());
  const account = await flow.account(x as never, { seed: 3 });
  flow.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return account;
}

describe.skipIf(!hasAdapter)('on webgpu in Node, where nothing is read at once', () => {
  let flow: Flow;

  beforeAll(async () => {
    await activate('webgpu');
    flow = new Flow({ bijector: new InvConv1x1({ inputShape: [3], seed: 1, name: 'turned' }) });
  });

  afterAll(async () => {
    await activate('webgpu');
    flow?.dispose();
  });

  it('a full matrix trains, and a singular one ends training by the name of its layer', async () => {
    const options = { steps: 2, batchSize: 8, seed: 1, progress: 'none' } as const;
    const { losses } = await flow.fit({ x: rows, shape: [3] }, options);
    expect(losses.every(Number.isFinite)).toBe(true);
    const [kernel] = flow.trainableWeights;
    tf.tidy(() => kernel.assign(tf.mul(kernel, 0)));
    const failed = flow.fit({ x: rows, shape: [3] }, options);
    await expect(failed).rejects.toThrow(NonFiniteError);
    await expect(failed).rejects.toThrow('turned');
    const account = flow.account([[1, 2, 3]]);
    await expect(account).rejects.toThrow(
      "InvConv1x1.conditioning: expected an invertible matrix, got a singular one in 'turned'",
    );
  });

  it('the command moves an image along an attribute', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-sweep-'));
    const glow = new Glow({ imageShape: [2, 2, 3], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
    glow.markInitialized();
    writeFileSync(join(folder, 'delta.npy'), writeNpy({ data: new Float32Array(12).fill(0.1), shape: [12] }));
    const dataset = {
      names: ['one.png'],
      shape: [2, 2, 3],
      attributes: { names: ['Hat'], values: Int8Array.of(1) },
      notices: [],
      read: async () => Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
    };
    const report = { attributes: [{ name: 'Hat', file: 'delta.npy' }] } as Report;
    const before = tf.memory().numTensors;
    const images = { dataset } as unknown as ModelImages;
    const { file } = await sweep(glow, images, report, folder, { image: 0, attribute: 0 }, [-1, 1]);
    expect(statSync(file).size).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
    glow.dispose();
    rmSync(folder, { recursive: true });
  });

  it.each(flows)('the account of %s is that of cpu (float32: 1e-4 of each number)', async (_, make, x) => {
    const [expected, received] = [await accountOn('cpu', make, x), await accountOn('webgpu', make, x)];
    const close = (a: number | undefined, b: number | undefined, what: string) => {
      expect(b === undefined, what).toBe(a === undefined);
      expect(Math.abs((a ?? 0) - (b ?? 0)), what).toBeLessThan(1e-4 * (1 + Math.abs(a ?? 0)));
    };
    expect(received.rows.map(({ name, kind, finite }) => [name, kind, finite])).toEqual(
      expected.rows.map(({ name, kind }) => [name, kind, true]),
    );
    expected.rows.forEach((row, i) => {
      for (const column of [
        'logDet',
        'bitsPerDim',
        'smallestScale',
        'conditionNumber',
        'inverseResidual',
      ] as const) {
        close(row[column], received.rows[i][column], `${row.name} ${column}`);
      }
      // Rounding, of another order on each backend; splines divide by small slopes.
      expect(received.rows[i].roundTripError, row.name).toBeLessThan(1e-3);
    });
    close(expected.base.logProb, received.base.logProb, 'base');
    close(expected.total.bitsPerDim, received.total.bitsPerDim, 'total');
  });

  it('an account names the first layer with a value that is none', async () => {
    await activate('webgpu');
    const broken = realNvp({ dimensions: 3, layers: 2, hiddenUnits: [8], seed: 1 });
    const { variable, name } = broken.weights.filter(({ name }) => name.includes('coupling'))[0];
    tf.tidy(() => variable.assign(tf.fill(variable.shape, Number.NaN)));
    const promises: Promise<Account>[] = [];
    tf.tidy(() => void promises.push(broken.account(events as never)));
    const account = await promises[0];
    expect(name).toContain(account.firstNonFinite);
    broken.dispose();
  });

  it('densities of some columns wait for the device', async () => {
    const densitiesOn = async (backend: 'cpu' | 'webgpu') => {
      await activate(backend);
      const before = tf.memory().numTensors;
      const options = { dimensions: 2, layers: 1, hiddenUnits: [4], seed: 1 };
      const supports = { 0: { categories: 2 } } as const;
      const columns = moved(realNvp({ ...options, supports }));
      const { logProb } = await columns.marginal(['0']).estimate([[0], [1]]);
      const one = await columns.conditional({ 0: 1 }, { seed: 4 });
      const averaged = await one.logProb([[2], [-0.5]]);
      const values = [...logProb, one.logMass, ...(await averaged.data())];
      averaged.dispose();
      columns.dispose();
      expect(tf.memory().numTensors).toBe(before);
      return values;
    };
    const [expected, received] = [await densitiesOn('cpu'), await densitiesOn('webgpu')];
    expected.forEach((value, i) => {
      expect(received[i]).toBeCloseTo(value, 4);
    });
  });

  it('rows of reference are compared with a flow that is imported', async () => {
    await activate('webgpu');
    const before = tf.memory().numTensors;
    const fixture = vectorFixture('nflows_realnvp');
    const { logProb, ...given } = referenceOf(fixture);
    const imported = (expected: number[]) =>
      importCheckpoint(fixture.bytes('weights.npz'), { reference: { ...given, logProb: expected } });
    (await imported(logProb)).dispose();
    await expect(imported(logProb.slice(1))).rejects.toThrow('as many log-densities as rows of reference, 8');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('statistics say what to give them in place of a tensor on the GPU', async () => {
    await activate('webgpu');
    const z = tf.tidy(() => tf.mul(tf.ones([4, 500]), 2)) as tf.Tensor2D;
    const attempt = () => zDelta({ z, subclass: [0, 0, 1, 1], attributes: [[0], [1], [0], [1]] } as never);
    expect(attempt).toThrow('{ data: await tensor.data(), shape: tensor.shape }');
    z.dispose();
  });
});
