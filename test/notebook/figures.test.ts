import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { decodePng, Glow, mixedNormality, RandomStream, realNvp } from 'tfjs-flows';
import {
  accountTable,
  densityPlot,
  type Figure,
  imageSheet,
  lossPlot,
  mixingPlot,
  quantilePlot,
  rangePlot,
  scatterPlot,
  table,
} from 'tfjs-flows/notebook';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));

const count = ({ content }: Figure, pattern: RegExp) => [...String(content).matchAll(pattern)].length;

describe('imageSheet', () => {
  it('draws frames in the colours of what they say, and the images inside', async () => {
    const images = { shape: [2, 1, 1, 1], data: [0, 31] };
    const { content } = await imageSheet(images, {
      columns: 2,
      nBits: 5,
      scale: 2,
      frames: ['own', 'outside'],
    });
    const { data, width, channels } = decodePng(content as Uint8Array);
    const pixel = (x: number, y: number) => [...data.subarray((y * width + x) * channels).subarray(0, 3)];
    expect([pixel(0, 0), pixel(8, 8), pixel(9, 9)]).toEqual([
      [255, 255, 255],
      [26, 152, 80],
      [0, 0, 0],
    ]);
    expect([pixel(19, 8), pixel(20, 9)]).toEqual([
      [215, 48, 39],
      [255, 255, 255],
    ]);
  });

  it('takes tensors and leaves them alone', async () => {
    const x = tf.zeros([3, 4, 4, 3]);
    const before = tf.memory().numTensors;
    await imageSheet(x);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });

  it('wants a frame for every image', async () => {
    const images = { shape: [2, 1, 1, 1], data: [0, 31] };
    await expect(imageSheet(images, { frames: ['own'] })).rejects.toThrow('expected 2 frames');
  });
});

describe('table', () => {
  it('rounds fractions, escapes text and leaves out what is missing', () => {
    const { content } = table([{ name: '<b>', value: 1.23456 }, { name: 'c' }], { digits: 3 });
    expect(content).toContain('&#60;b&#62;');
    expect(content).toContain('>1.23<');
    expect(content).not.toContain('undefined');
    expect(table([{ value: -0 }, { value: 1.9e-6 }], { digits: 2 }).content).toMatch(/>0<.*>1\.9e-6</);
  });

  it('of an account has a row for every layer, the base and the sum', () => {
    const glow = new Glow({ imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
    const x = tf.zeros([2, 4, 4, 1]);
    const account = glow.account(x);
    expect(count(accountTable(account), /<tr>/g)).toBe(account.rows.length + 3);
    x.dispose();
    glow.dispose();
  });
});

describe('plots', () => {
  const random = new RandomStream(1);

  it('are SVG on white with a title', async () => {
    const figure = await scatterPlot({ data: [[0, 1]] }, { title: 'One & one' });
    expect(figure.type).toBe('image/svg+xml');
    expect(figure.content).toMatch(/background: ?white/);
    expect(figure.content).toContain('<title>One &#38; one</title>');
    // Without its namespace a file is no picture.
    expect(count(figure, /<svg[^>]* xmlns="http:\/\/www.w3.org\/2000\/svg"/g)).toBe(1);
  });

  it('draw every point', async () => {
    const points = Array.from({ length: 7 }, () => random.normalArray(2));
    expect(count(await scatterPlot({ a: points, b: points }), /<circle/g)).toBe(14);
    expect(count(await quantilePlot({ a: random.normalArray(20) }), /<circle/g)).toBe(20);
    await expect(scatterPlot({ a: [[1, 2, 3]] })).rejects.toThrow('scatterPlot: expected [n, 2], got [1, 3]');
  });

  it('draw a density whose highest cell is where it is', async () => {
    // Density of N(0, I) around (2, -1) by hand: the heat map is dark there and light at the corner.
    const flow = {
      logProb: (x: tf.Tensor) => tf.neg(tf.sum(tf.square(tf.sub(x, tf.tensor1d([2, -1]))), 1)) as tf.Tensor1D,
    };
    const before = tf.memory().numTensors;
    const { content } = await densityPlot(flow, { cells: 8 });
    expect(tf.memory().numTensors).toBe(before);
    const png = /base64,([^"]+)"/.exec(String(content))![1];
    const { data } = decodePng(Buffer.from(png, 'base64'));
    const light = (row: number, column: number) => data[3 * (8 * row + column)];
    // Rows from the top, y from 4 down to -4, x from -4 to 4, in cells of 1.
    expect(Math.min(light(4, 5), light(4, 6), light(5, 5), light(5, 6))).toBeLessThan(80);
    expect(light(0, 0)).toBeGreaterThan(240);
  });

  it('leave the weights of a flow as they were', async () => {
    const plane = realNvp({ dimensions: 2, hiddenUnits: [4], seed: 1 });
    const before = tf.memory().numTensors;
    await densityPlot(plane, { cells: 4, points: [[0, 0]] });
    expect(tf.memory().numTensors).toBe(before);
    plane.dispose();
  });

  it('draw the losses of short and long runs, and of the validation', async () => {
    const losses = Array.from({ length: 1001 }, (_, i) => 5 - i / 500);
    const epochs = [500, 1000].map((step, epoch) => ({
      epoch,
      step,
      loss: 3,
      val_loss: 3.1,
      learningRate: 1,
    }));
    expect(count(await lossPlot({ losses, epochs }), /<path/g)).toBeGreaterThanOrEqual(3);
    const short = await lossPlot({ losses: [3, 2], epochs: epochs.slice(0, 1) }, { unit: 'nats' });
    expect(short.content).toContain('loss, nats');
    expect(short.content).not.toContain('NaN');
  });

  it('draw mixtures and ranges', async () => {
    const z = Array.from({ length: 60 }, () => [random.normalNumber()]);
    const report = mixedNormality({ z, subclass: z.map((_, i) => i % 3) }, { replicates: 19, seed: 1 });
    expect((await mixingPlot(report)).description).toContain(report.nearNormal);
    const rows = [{ name: 'first', prior: [-1, 2], own: [0, 1], applied: 1.5 }] as const;
    expect(count(await rangePlot(rows), /<circle/g)).toBe(1);
  });
});

describe('options', () => {
  const labeled = {
    z: Array.from({ length: 40 }, (_, i) => [Math.sin(i)]),
    subclass: Array.from({ length: 40 }, (_, i) => i % 2),
  };

  it.each<[string, (options: object) => unknown, string]>([
    ['imageSheet', (o) => imageSheet({ shape: [1, 1, 1, 1], data: [0] }, o), 'columns'],
    ['table', async (o) => table([{ a: 1 }], o), 'columns'],
    ['scatterPlot', (o) => scatterPlot({ a: [[0, 1]] }, o), 'title'],
    ['rangePlot', (o) => rangePlot([{ name: 'a', prior: [0, 1], own: [0, 1] }], o), 'title'],
    ['quantilePlot', (o) => quantilePlot({ a: [1, 2, 4] }, o), 'title'],
    ['mixingPlot', (o) => mixingPlot(mixedNormality(labeled, { seed: 1 }), o), 'title'],
    ['lossPlot', (o) => lossPlot({ losses: [1], epochs: [] }, o), 'title'],
    ['densityPlot', (o) => densityPlot(realNvp({ dimensions: 2, seed: 1 }), o), 'title'],
  ])('%s names one that it does not read', async (name, call, known) => {
    await expect(call({ colour: 'red' })).rejects.toThrow(`${name}: expected options among ${known}`);
    await expect(call({ colour: 'red' })).rejects.toThrow("got 'colour'");
  });
});
