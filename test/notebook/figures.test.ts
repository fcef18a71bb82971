import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ConfigError,
  DataError,
  decodePng,
  Glow,
  mixedNormality,
  RandomStream,
  readTable,
  realNvp,
} from 'tfjs-flows';
import {
  accountTable,
  cornerPlot,
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

  it('of an account has a row for every layer, the base and the sum', async () => {
    const glow = new Glow({ imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
    const x = tf.zeros([2, 4, 4, 1]);
    const account = await glow.account(x);
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

describe('cornerPlot', () => {
  const random = new RandomStream(3);
  const made = (n: number) =>
    readTable({
      size: Array.from({ length: n }, () => random.normalNumber()),
      count: Array.from({ length: n }, (_, i) => i % 4),
      many: Array.from({ length: n }, (_, i) => i % 30),
      kind: Array.from({ length: n }, (_, i) => ['<a>', 'b', 'a name that is long'][i % 3]),
    });
  const panels = (figure: Figure) => count(figure, /<g class="panel"/g);

  it('draws every column and every pair of them, each by its kinds', async () => {
    const [data, samples] = [await made(240), await made(60)];
    const figure = await cornerPlot({ data, samples });
    expect(panels(figure)).toBe(10);
    expect(figure.description).toBe('data and samples');
    // Bars of four counts, thirty numbers and three categories for either group; boxes where one of a pair has few values.
    const bars = 2 * (4 + 30 + 3);
    const boxes = 2 * (4 + 4 + 3 + 3);
    // Ten frames, and what cuts off five panels of pairs at their frames.
    expect(count(figure, /<rect /g)).toBe(10 + 5 + bars + boxes);
    // Points of the first group where both have many values, discs of both where both have few.
    expect(count(figure, /<circle /g)).toBe(240 + 2 * 12);
    const text = String(figure.content);
    expect(text).not.toContain('<a>');
    expect(text).toContain('a name t…');
    for (const name of ['size', 'count', 'many', 'kind']) expect(text).toContain(`>${name}<`);
    expect(text).toContain('font-weight="bold" fill="#e15759">samples</text>');
  });

  it('takes rows and one group, chosen columns, and many points', async () => {
    const rows = Array.from({ length: 4000 }, () => [random.normalNumber(), random.normalNumber(), 1]);
    const figure = await cornerPlot({ rows }, { columns: ['x2', 'x1'], title: 'Rows', width: 400 });
    expect(panels(figure)).toBe(3);
    expect(count(figure, /<circle /g)).toBe(600);
    expect(figure.content).toContain('<title>Rows</title>');
    expect(figure.content).toContain('width="400"');
    expect(figure.content).toContain('>x1<');
    expect(figure.content).not.toContain('>rows<');
    // A constant column has an axis too.
    expect((await cornerPlot({ rows }, { columns: ['x3'] })).content).not.toContain('NaN');
  });

  it('leaves far values out of the axes', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => [i === 0 ? 1e6 : i / 1000, i]);
    const { content } = await cornerPlot({ values });
    expect(content).toContain('>0.8<');
  });

  it('says what does not fit', async () => {
    const data = await made(12);
    await expect(cornerPlot({})).rejects.toThrow('at least one group, got none');
    await expect(cornerPlot({ data }, { column: ['size'] } as never)).rejects.toThrow(
      /Did you mean 'columns'/,
    );
    const few = data.select(['size']);
    await expect(cornerPlot({ data, few })).rejects.toThrow(
      "a column 'count' in every group, got none in 'few'",
    );
    const other = await readTable({ size: ['a', 'b'] });
    await expect(cornerPlot({ few, other })).rejects.toThrow(DataError);
    const wide = Array.from({ length: 3 }, () => new Float64Array(20));
    await expect(cornerPlot({ wide })).rejects.toThrow(ConfigError);
    await expect(cornerPlot({ wide })).rejects.toThrow('at most 16 columns, got 20. Choose some');
  });
});
