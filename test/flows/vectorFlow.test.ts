import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  type Chain,
  ConfigError,
  DataError,
  deserializeModule,
  moduleFromArtifacts,
  RandomStream,
  Standardize,
  type SupportsOption,
  saveModule,
  serializeModule,
  VectorFlow,
} from 'tfjs-flows';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readColumns } from '../../src/layers/supports/columns';
import { leavesNoTensors } from '../support/leaks';
import { columnsFlow, stir } from '../support/vectorModels';
import { memoryHandler } from '../training/toys';

const names = ['sigma', 'share', 'angle', 'count', 'kind', 'first', 'second', 'a', 'b', 'c'];
const supports: SupportsOption = {
  sigma: 'positive',
  share: [0, 1],
  angle: { circular: [0, 360] },
  count: 'integer',
  kind: { categories: ['red', 'white', 'rose'] },
  first: 'ordered',
  second: 'ordered',
  a: 'simplex',
  b: 'simplex',
  c: 'simplex',
};

function rowsOf(n: number, seed = 1): number[][] {
  const random = new RandomStream(seed);
  return Array.from({ length: n }, () => {
    const kind = random.integer(3);
    const first = random.normalNumber();
    const [a, b] = [0.1 + 0.3 * random.uniformNumber(), 0.1 + 0.3 * random.uniformNumber()];
    return [
      Math.exp(random.normalNumber()),
      0.05 + 0.9 * random.uniformNumber(),
      120 * kind + 100 * random.uniformNumber(),
      random.integer(1000) - 500,
      kind,
      first,
      first + 0.1 + random.uniformNumber(),
      a,
      b,
      1 - a - b,
    ];
  });
}

/** A row with other values in some columns. */
const but = (row: number[], changes: Record<string, number>) =>
  row.map((value, i) => changes[names[i]] ?? value);

describe.each(['cpu', 'wasm'])('VectorFlow on %s', (backend) => {
  let flow: VectorFlow;
  beforeEach(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
    flow = columnsFlow({ columns: names, supports });
    tf.tidy(() => flow.initializeFrom({ x: tf.tensor2d(rowsOf(200)) }, new RandomStream(1)));
    stir(flow, 0.1);
  });

  it('gives rows back: whole numbers and categories exactly', async () => {
    await leavesNoTensors(() => {
      const rows = rowsOf(50, 2);
      const back = tf.tidy(() => flow.decode(flow.encode(rows)).arraySync()) as number[][];
      for (const [i, row] of rows.entries()) {
        expect([back[i][3], back[i][4]]).toEqual([row[3], row[4]]);
        back[i].forEach((value, j) => {
          expect(Math.abs(value - row[j])).toBeLessThan(2e-4 * (1 + Math.abs(row[j])));
        });
      }
    });
    expect(flow.latentShape).toEqual([9]);
  });

  it('samples rows that are rows: whole, in range, in order, shares that sum to 1', () => {
    const rows = tf.tidy(() => flow.sample(500, { seed: 1, temperature: 2 }).arraySync()) as number[][];
    for (const [sigma, share, angle, count, kind, first, second, a, b, c] of rows) {
      expect(sigma > 0 && share > 0 && share < 1 && angle >= 0 && angle <= 360).toBe(true);
      expect(Number.isInteger(count) && [0, 1, 2].includes(kind)).toBe(true);
      expect(second).toBeGreaterThan(first);
      expect(a > 0 && b > 0 && c > 0).toBe(true);
      expect(a + b + c).toBeCloseTo(1, 5);
    }
    expect(tf.tidy(() => Array.from(flow.logProb(rows).dataSync()).every(Number.isFinite))).toBe(true);
  });

  it('says -Infinity off the supports, and of the other rows what it says of them alone', async () => {
    const [row, other] = rowsOf(2, 3);
    const off = [
      but(row, { sigma: -1 }),
      but(row, { share: 1.5 }),
      but(row, { count: 2.5 }),
      but(row, { kind: 3 }),
      but(row, { kind: -1 }),
      but(row, { second: -100 }),
      but(row, { a: 0.9 }),
      but(row, { c: -0.2, a: 0.7 }),
    ];
    await leavesNoTensors(() => {
      const logs = tf.tidy(() => Array.from(flow.logProb([...off, row, other], { seed: 1 }).dataSync()));
      expect(logs.slice(0, off.length)).toEqual(off.map(() => -Infinity));
      expect(logs.slice(off.length).every(Number.isFinite)).toBe(true);
      expect(tf.tidy(() => Array.from(flow.logProb(off.slice(0, 2)).dataSync()))).toEqual([
        -Infinity,
        -Infinity,
      ]);
      const gradient = tf.tidy(() =>
        tf
          .grad((x) =>
            tf.sum(tf.where(tf.tensor1d([false, true], 'bool'), flow.logProb(x, { seed: 1 }), tf.zeros([2]))),
          )(tf.tensor2d([off[0], row]))
          .arraySync(),
      ) as number[][];
      expect(gradient[0].every((slope) => slope === 0)).toBe(true);
      expect(gradient[1].every(Number.isFinite)).toBe(true);
    });
  });

  it('names row, column and value of what lies on an end, off a circle, or is no number', () => {
    const [row] = rowsOf(1, 3);
    const wrong: [number[], string][] = [
      [but(row, { sigma: 0 }), "column 'sigma' above 0, got 0 in row 1"],
      [
        but(row, { share: 1 }),
        "column 'share' between 0 and 1, got 1 in row 1. { within: [0, 1] } as its support",
      ],
      [but(row, { angle: 400 }), "column 'angle' on its circle from 0 to 360, got 400 in row 1"],
      [but(row, { second: row[5] }), "column 'second' above column 'first'"],
      [but(row, { a: 0 }), "column 'a' to be a share above 0, got 0 in row 1"],
    ];
    for (const [bad, message] of wrong) expect(() => flow.logProb([row, bad])).toThrow(message);
    const missing = tf.tensor2d([row, but(row, { share: Number.NaN })]);
    expect(() => flow.logProb(missing)).toThrow("finite values in column 'share', got NaN in row 1");
  });

  it('has no latent of rows off their supports', async () => {
    const [row] = rowsOf(1, 3);
    for (const method of ['encode', 'transform', 'account'] as const) {
      await expect(async () => flow[method]([row, but(row, { kind: 3 })])).rejects.toThrow(
        `VectorFlow.${method}: expected column 'kind' to be categories 0 .. 2, got 3 in row 1.`,
      );
    }
    expect(() => flow.encode([but(row, { a: 0.5 })])).toThrow(
      "column 'a', column 'b', column 'c' to sum to 1",
    );
  });

  it('comes back from a file with its columns', async () => {
    const handler = memoryHandler();
    await saveModule(flow, handler);
    const copy = (await moduleFromArtifacts(handler.artifacts as tf.io.ModelArtifacts)) as VectorFlow;
    expect(copy.columns).toEqual(flow.columns);
    expect(copy.columns[4]).toEqual({
      name: 'kind',
      support: { kind: 'categorical', categories: 3 },
      categories: ['red', 'white', 'rose'],
    });
    const rows = rowsOf(5, 4);
    const [a, b] = [flow, copy].map((each) =>
      tf.tidy(() => Array.from(each.logProb(rows, { seed: 1 }).dataSync())),
    );
    a.forEach((log, i) => {
      expect(Math.abs(log - b[i])).toBeLessThan(1e-4);
    });
    expect(() => copy.encode([but(rows[0], { sigma: -1 })])).toThrow("column 'sigma' above 0");
    expect(copy.initialized).toBe(true);
  });
});

describe('training a VectorFlow', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it('looks at all rows before it takes a step: row, column and value, and nothing is lost', async () => {
    const flow = columnsFlow({ columns: names, supports });
    const weights = () => flow.weights.map(({ variable }) => Array.from(variable.dataSync()));
    const before = weights();
    const rows = [...rowsOf(70), but(rowsOf(1)[0], { sigma: -2 }), ...rowsOf(3)];
    await leavesNoTensors(async () => {
      const fitting = flow.fit(rows, { batchSize: 32, progress: 'none' });
      await expect(fitting).rejects.toThrow(
        "VectorFlow.fit: expected column 'sigma' above 0, got -2 in row 70.",
      );
      await expect(flow.fit(rows, { progress: 'none' })).rejects.toBeInstanceOf(DataError);
      const validationData = [but(rowsOf(1)[0], { kind: 7 })];
      await expect(flow.fit(rowsOf(40), { validationData, progress: 'none' })).rejects.toThrow(
        'got 7 in row 0',
      );
    });
    expect(weights()).toEqual(before);
    expect(flow.initialized).toBe(false);
  });

  it('trains on mixed columns, by whichever gradients', async () => {
    for (const gradients of ['stored', 'reversible'] as const) {
      const flow = columnsFlow({ columns: names, supports }, 1);
      const rows = rowsOf(80);
      const context = rows.map((_, i) => [i % 2]);
      const history = await flow.fit(
        { x: rows, context },
        { epochs: 3, batchSize: 40, learningRate: 2e-2, gradients, progress: 'none', seed: 1 },
      );
      expect(history.epochs.at(-1)?.loss).toBeLessThan(history.epochs[0].loss - 0.3);
    }
  });

  it('standardizes by all the data in memory, not by the first batch, and by thousands of spread rows of more', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => [i, (i % 100) - 3]);
    const moments = async (n: number, options: object) => {
      const flow = columnsFlow({ dimensions: 2 });
      await flow.fit(rows.slice(0, n), {
        steps: 1,
        batchSize: 10,
        shuffle: false,
        progress: 'none',
        ...options,
      });
      const standardize = (flow.bijector as Chain).bijectors.find((each) => each instanceof Standardize);
      return standardize?.weights.map(({ variable }) => Array.from(variable.dataSync())) as number[][];
    };
    const [mean, logDeviation] = await moments(1000, {});
    expect(mean[0]).toBeCloseTo(499.5, 2);
    expect(Math.exp(logDeviation[0])).toBeCloseTo(Math.sqrt((1000 ** 2 - 1) / 12), 1);
    const [spread] = await moments(10_000, {});
    expect(Math.abs(spread[0] - 4999.5)).toBeLessThan(1);
    const [training] = await moments(1000, { validationSplit: 0.5 });
    expect(training[0]).toBeCloseTo(249.5, 2);
  });

  it('tells columns that do not vary by their names', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const flow = columnsFlow({ columns: ['still', 'moves', 'kind'], supports: { kind: { categories: 2 } } });
    const rows = Array.from({ length: 40 }, (_, i) => [7, i, i % 2]);
    await flow.fit(rows, { steps: 1, progress: 'none' });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      "Standardize: column 'still' did not vary in the first data. It keeps scale 1.",
    );
    warn.mockRestore();
    expect(Number.isFinite(flow.logProb([[7, 3, 1]]).dataSync()[0])).toBe(true);
  });

  it('reads streams row by row, too', async () => {
    const flow = columnsFlow({ columns: names, supports });
    const batches = function* () {
      yield tf.tensor2d(rowsOf(8));
      yield tf.tensor2d([...rowsOf(3), but(rowsOf(1)[0], { share: 2 })]);
    };
    await expect(flow.fit(batches(), { progress: 'none' })).rejects.toThrow(
      "'share' between 0 and 1, got 2 in row 3",
    );
  });
});

describe('columns', () => {
  const read = (supports: unknown, columns: unknown = ['height', 'weight', 'kind']) =>
    readColumns('test', { columns, supports } as never);

  it('are told by name or place, and what a table knows of them', () => {
    const columns = readColumns('test', {
      columns: [
        'height',
        { name: 'count', kind: 'integer' },
        { name: 'colour', kind: 'categorical', categories: ['red', 'white'] },
      ],
      supports: { 0: [0, Infinity] },
    });
    expect(columns).toEqual([
      { name: 'height', support: { kind: 'bounded', low: 0 } },
      { name: 'count', support: { kind: 'integer' } },
      { name: 'colour', support: { kind: 'categorical', categories: 2 }, categories: ['red', 'white'] },
    ]);
    expect(readColumns('test', { dimensions: 2, supports: { 1: 'circular' } })[1]).toEqual({
      name: '1',
      support: { kind: 'circular', low: -Math.PI, high: Math.PI, wrap: false },
    });
  });

  it('that are unknown, or of an unknown kind, are errors with what was meant', () => {
    const wrong: [unknown, string][] = [
      [
        { heigth: 'positive', hieght: 'real' },
        "supports of columns among height, weight, kind, got 'heigth'",
      ],
      [{ weights: 'positive' }, "got 'weights'. Did you mean 'weight'?"],
      [{ 3: 'positive' }, "got '3'"],
      [{ height: 'positiv' }, "column 'height': expected a support among real, positive"],
      [{ height: 'positiv' }, "got 'positiv'. Did you mean 'positive'?"],
      [{ height: 'angle' }, "Did you mean 'circular'?"],
      [{ height: { witin: [0, 1] } }, "got 'witin'. Did you mean 'within'?"],
      [{ height: { within: [0, 1], eps: 1 } }, "Did you mean 'epsilon'?"],
      [{ height: [1, 0] }, 'an interval [low, high] with low below high, got [1, 0]'],
      [{ height: [0, Number.NaN] }, 'low below high'],
      [{ height: { circular: [0, Infinity] } }, 'an interval'],
      [{ height: { integer: [0.5, 3] } }, 'whole numbers as ends'],
      [{ kind: 'categorical' }, 'the number of categories, { categories: 3 }'],
      [{ kind: { categories: 1 } }, 'categories to be an integer >= 2'],
      [{ height: 'ordered' }, "two columns or more that are ordered together, got column 'height' alone"],
      [{ height: { simplex: 'x' }, weight: { simplex: 'y' } }, "got column 'height' alone"],
      [{ height: 'real', 0: 'positive' }, "one support per column, got two for column 'height'"],
      [{ height: 5 }, 'a support among'],
      ['positive', 'supports by column'],
    ];
    for (const [supports, message] of wrong) {
      expect(() => read(supports)).toThrow(ConfigError);
      expect(() => read(supports)).toThrow(message);
    }
    expect(() => read({}, ['a', 'a'])).toThrow("columns with different names, got 'a' twice");
    expect(() => read({}, [])).toThrow('columns such as');
    expect(() => readColumns('test', { dimensions: 3, columns: ['a'] })).toThrow(
      '3 columns, as dimensions says',
    );
    expect(() => readColumns('test', {})).toThrow('dimensions, or columns, got neither');
  });

  it('must be as many as the bijector takes', () => {
    const columns = readColumns('test', { dimensions: 3 });
    expect(() => new VectorFlow({ bijector: new ActNorm({ inputShape: [2] }), columns })).toThrow(
      '2 columns, as the bijector takes, got 3',
    );
    expect(() => new VectorFlow({ bijector: new ActNorm({ inputShape: [2, 2, 1] }) })).toThrow(
      'a bijector of vectors',
    );
    const flow = deserializeModule<VectorFlow>(
      JSON.parse(
        JSON.stringify(serializeModule(new VectorFlow({ bijector: new ActNorm({ inputShape: [2] }) }))),
      ),
    );
    expect(flow.columns.map(({ name }) => name)).toEqual(['0', '1']);
  });

  it('brings other turns of a circle into it, where its support says so', () => {
    const flow = columnsFlow({ columns: ['angle'], supports: { angle: { circular: [0, 360], wrap: true } } });
    const logs = flow.logProb([[10], [370], [-350]]).dataSync();
    expect(logs[1]).toBeCloseTo(logs[0], 4);
    expect(logs[2]).toBeCloseTo(logs[0], 4);
    expect(flow.decode(flow.encode([[370]])).dataSync()[0]).toBeCloseTo(10, 3);
  });

  it('within their ends take the ends in, and give no value beyond them', () => {
    const flow = columnsFlow({ columns: ['share'], supports: { share: { within: [0, 1], epsilon: 0.01 } } });
    expect(Array.from(flow.logProb([[0], [1], [1.001]]).dataSync(), Number.isFinite)).toEqual([
      true,
      true,
      false,
    ]);
    const samples = flow.sample(300, { seed: 1, temperature: 5 }).dataSync();
    expect(Math.min(...samples)).toBe(0);
    expect(Math.max(...samples)).toBe(1);
  });

  it('of whole numbers have a bin for the last of them, and none beyond', () => {
    const flow = columnsFlow({ columns: ['n'], supports: { n: { integer: [0, 8] } } });
    const logs = flow.logProb([[0], [8], [9], [-1]]).dataSync();
    expect(Array.from(logs, Number.isFinite)).toEqual([true, true, false, false]);
    expect(Array.from(flow.decode(flow.encode([[0], [8]])).dataSync())).toEqual([0, 8]);
  });

  it('of categories stay what they are, where float32 would round noise to the next one', () => {
    const flow = columnsFlow({ columns: ['kind'], supports: { kind: { categories: 4096 } } });
    const most = { uniform: (shape: number[]) => tf.fill(shape, 1 - 2 ** -24) } as unknown as RandomStream;
    const { loss } = flow.loss({ x: tf.tensor2d([[4095], [0]]) }, most);
    expect(loss.dataSync()[0]).toBeCloseTo(Math.log(4096), 2);
  });

  it('of whole numbers keep noise inside of the bins, large ones too', () => {
    const flow = columnsFlow({ columns: ['n'], supports: { n: { integer: [0, 2 ** 22] } } });
    const rows = Array.from({ length: 300 }, () => [2 ** 22]);
    expect(Array.from(flow.logProb(rows, { seed: 1 }).dataSync()).every(Number.isFinite)).toBe(true);
    expect(flow.decode(flow.encode([[2 ** 22], [0], [12345]])).dataSync()[1]).toBe(0);
    expect(flow.logProb([[2 ** 22 + 2]]).dataSync()[0]).toBe(-Infinity);
  });
});
