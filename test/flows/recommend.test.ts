import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { DataError, neuralSplineFlow, RandomStream, recommend, ShapeError, Table } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const random = new RandomStream(1);
const column = (make: (random: RandomStream, i: number) => number, n = 500) =>
  Array.from({ length: n }, (_, i) => [make(random, i)]);
const normal = () => column((stream) => 20 + stream.normalNumber());

describe('what recommend sees in a column', () => {
  const cases: [string, number[][], string | undefined, unknown][] = [
    ['normal values far from 0', normal(), undefined, undefined],
    ['normal values around 0', column((stream) => stream.normalNumber()), undefined, undefined],
    ['one value', column(() => 3), 'constant', undefined],
    ['three kinds', column((_, i) => i % 3), 'integer', { categories: 3 }],
    [
      'counts',
      column((stream) => Math.floor(10 * Math.exp(stream.normalNumber()))),
      'integer',
      { integer: [0, Number.POSITIVE_INFINITY] },
    ],
    [
      'whole numbers of both signs',
      column((stream) => Math.round(20 * stream.normalNumber())),
      'integer',
      'integer',
    ],
    [
      'values rounded to a tenth',
      column((stream) => Math.round(30 * stream.normalNumber()) / 10),
      'repeated',
      undefined,
    ],
    ['positive values', column((stream) => Math.exp(stream.normalNumber())), 'positive', 'positive'],
    [
      'values over decades',
      column((stream) => Math.exp(4 * stream.normalNumber())),
      'positive',
      { positive: 'log' },
    ],
    [
      'positive values with 0',
      column((stream, i) => (i === 0 ? 0 : Math.exp(stream.normalNumber()))),
      'positive',
      { within: [0, Number.POSITIVE_INFINITY] },
    ],
    ['shares', column((stream) => stream.uniformNumber()), 'bounded', [0, 1]],
    [
      'shares with ends',
      column((stream, i) => (i === 0 ? 1 : stream.uniformNumber())),
      'bounded',
      { within: [0, 1] },
    ],
    ['angles', column((stream) => Math.PI * (2 * stream.uniformNumber() - 1)), 'circular', 'circular'],
    ['degrees', column((stream) => 360 * stream.uniformNumber()), 'circular', { circular: [0, 360] }],
    ['a far value', column((stream, i) => (i === 7 ? 1000 : stream.normalNumber())), 'far', 'heavyTailed'],
  ];

  it.each(cases)('%s', (_, rows, found, support) => {
    const { columns, supports } = recommend(rows);
    expect(columns.map((advice) => advice.found)).toEqual(found === undefined ? [] : [found]);
    expect(supports).toEqual(support === undefined ? {} : { 0: support });
  });

  it('proposals are what a recipe takes', () => {
    for (const [, rows, , support] of cases) {
      if (support === undefined) continue;
      const { options, supports } = recommend(rows);
      const flow = neuralSplineFlow({
        dimensions: options.dimensions,
        layers: 1,
        hiddenUnits: 4,
        supports,
        seed: 1,
      });
      const nats = tf.tidy(() => flow.logProb(rows).dataSync());
      expect(nats.every(Number.isFinite)).toBe(true);
      flow.dispose();
    }
  });
});

describe('recommend', () => {
  const rows = (n: number, d: number) =>
    Array.from({ length: n }, () => Array.from({ length: d }, () => random.normalNumber()));

  it('asks for less freedom where rows are few', () => {
    const optionsOf = (n: number, d: number) => {
      const { dimensions: _, ...options } = recommend(rows(n, d)).options;
      return options;
    };
    const [few, some, many] = [
      { layers: 5, hiddenUnits: [32, 32], dropout: 0.2 },
      { layers: 5, hiddenUnits: [64, 64], dropout: 0.1 },
      { layers: 5, hiddenUnits: [64, 64, 64], dropout: 0 },
    ];
    expect(optionsOf(399, 4)).toEqual(few);
    expect(optionsOf(400, 4)).toEqual(some);
    expect(optionsOf(1999, 2)).toEqual(some);
    expect(optionsOf(2000, 2)).toEqual(many);
    expect(recommend(rows(120, 10)).rows).toBe(120);
    expect(recommend(rows(120, 10)).reasons[0]).toMatch('12 rows per column are few');
  });

  it('prints the call, the reasons and the columns', () => {
    const table = new Table([
      { name: 'height', kind: 'real', values: Float64Array.from(normal().flat()) },
      {
        name: 'share',
        kind: 'real',
        values: Float64Array.from({ length: 500 }, () => random.uniformNumber()),
      },
    ]);
    const text = String(recommend(table));
    expect(text).toMatch(/^neuralSplineFlow\(\{ columns: table.columns, .*\}\) for 500 rows of 2 values/);
    expect(text).toMatch(/share .*-> {2}\[0, 1\]/);
    expect(text).not.toMatch(/^ {2}height/m);
  });

  it('takes tensors and numbers with a shape, and frees what it makes', async () => {
    await leavesNoTensors(() => {
      const x = tf.tidy(() => tf.randomNormal([100, 3]) as tf.Tensor2D);
      expect(recommend(x).options.dimensions).toBe(3);
      x.dispose();
    });
    expect(recommend({ data: [1, 2, 3, 4], shape: [2, 2] }).rows).toBe(2);
  });

  it.each([
    ['NaN', () => recommend([[1], [Number.NaN]]), DataError, /row 1, column 0/],
    ['one row', () => recommend([[1, 2]]), DataError, /2 samples/],
    ['a flat list', () => recommend([1, 2, 3] as never), ShapeError, /flat list/],
  ] as const)('refuses %s', (_, run, kind, message) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });
});
