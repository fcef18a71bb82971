import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  andersonDarling,
  benjaminiHochberg,
  benjaminiYekutieli,
  buresDistanceSquared,
  covarianceFromJSON,
  cramerVonMises,
  DataError,
  DiagonalCovariance,
  dagostinoK2,
  FlowError,
  FullCovariance,
  holm,
  jarqueBera,
  kolmogorovSmirnov,
  LowRankCovariance,
  ledoitWolf,
  lilliefors,
  Matrix,
  normality,
  otMap,
  ShapeError,
  shapiroWilk,
  twoSampleDistances,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

/** What stands in tables where a number is missing, and what is said of it. */
const missing: [unknown, string][] = [
  [null, 'a missing value (null)'],
  [undefined, 'a missing value (undefined)'],
  ['', "a missing value ('')"],
  ['NA', "the text 'NA'"],
  ['1.5', "the text '1.5'"],
  [{ a: 1 }, 'an object { a }'],
  [2n ** 63n + 1n, '9223372036854775809n'],
];

type Values = never;

/** Every function that takes one list of numbers. */
const ofValues: Record<string, (x: Values) => unknown> = {
  andersonDarling,
  benjaminiHochberg,
  benjaminiYekutieli,
  cramerVonMises,
  dagostinoK2,
  holm,
  jarqueBera,
  kolmogorovSmirnov: (x) => kolmogorovSmirnov(x, { mean: 0, standardDeviation: 1 }),
  lilliefors,
  normality,
  shapiroWilk,
  twoSampleDistances: (x) => twoSampleDistances(x, [1, 2]),
  'twoSampleDistances (second)': (x) => twoSampleDistances([1, 2], x),
};

/** Every function that takes rows. */
const ofRows: Record<string, (x: Values) => unknown> = {
  buresDistanceSquared: (x) =>
    buresDistanceSquared(x, [
      [1, 0],
      [0, 1],
    ]),
  FullCovariance: (x) => new FullCovariance(x),
  ledoitWolf,
  'Matrix.fromRows': Matrix.fromRows,
  otMap: (x) =>
    otMap(
      [
        [1, 0],
        [0, 1],
      ],
      x,
    ),
};

describe.each(Object.entries(ofValues))('%s', (_, test) => {
  it.each(missing)('refuses %s', (entry, message) => {
    const values = [0.1, 0.2, entry, 0.4, 0.9, 0.3, 0.7, 0.35, 0.15, 0.6];
    expect(() => test(values as Values)).toThrow(DataError);
    expect(() => test(values as Values)).toThrow(`${message} at index 2`);
  });

  it('says what came where no list came', () => {
    expect(() => test({ x: 1 } as Values)).toThrow(FlowError);
    expect(() => test(Promise.resolve([1]) as Values)).toThrow(/got a Promise/);
    expect(() => test(undefined as Values)).toThrow(/got a missing value \(undefined\)/);
  });
});

describe.each(Object.entries(ofRows))('%s', (_, test) => {
  it.each(missing)('refuses %s', (entry, message) => {
    const rows = [
      [1, 2],
      [entry, 3],
    ];
    expect(() => test(rows as Values)).toThrow(DataError);
    expect(() => test(rows as Values)).toThrow(`${message} in row 1, column 0`);
  });

  it('says what to do about rows that are records or missing', () => {
    const records = [
      { a: 1, b: 2 },
      { a: 2, b: 5 },
    ];
    expect(() => test(records as Values)).toThrow(/an object \{ a, b \} in row 0\. Write rows as arrays/);
    expect(() => test([[1, 2], null] as Values)).toThrow(/a missing value \(null\) in row 1/);
    expect(() => test([[1, 2], [3]] as Values)).toThrow(ShapeError);
    expect(() => test('table.csv' as Values)).toThrow(FlowError);
  });
});

describe('numbers of every kind mean the same', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  const plain = [1, 2, 4, 9, 3];
  const { statistic } = shapiroWilk(plain);

  it.each([
    ['bigints of 64 bits', BigInt64Array.from(plain, BigInt)],
    ['unsigned bigints of 64 bits', BigUint64Array.from(plain, BigInt)],
    ['bytes', Uint8Array.from(plain)],
    ['a list of bigints', plain.map(BigInt)],
  ])('%s', (_, values) => {
    expect(shapiroWilk(values as Values).statistic).toBe(statistic);
  });

  it('booleans are 1 and 0', () => {
    expect(twoSampleDistances([true, false] as Values, [1, 0]).wasserstein1).toBe(0);
  });

  it('rows that are typed arrays, bigints among them, a tensor, numbers with their shape', () => {
    const rows = [
      [1, 2],
      [3, 5],
      [4, 1],
    ];
    const expected = [...ledoitWolf(rows).covariance.data];
    const forms: unknown[] = [
      rows.map((row) => Float32Array.from(row)),
      rows.map((row) => BigInt64Array.from(row, BigInt)),
      { data: BigInt64Array.from(rows.flat(), BigInt), shape: [3, 2] },
      { data: rows.flat(), shape: [3, 2] },
      tf.tensor2d(rows),
      Matrix.fromRows(rows),
    ];
    for (const form of forms) expect([...ledoitWolf(form as Values).covariance.data]).toEqual(expected);
  });

  it('a flat list is no set of rows, a picture no list', () => {
    expect(() => ledoitWolf([1, 2] as Values)).toThrow(
      'expected rows [n, d], got a flat list of 2 numbers. One sample is [values]',
    );
    expect(() => ledoitWolf(Float32Array.of(1, 2) as Values)).toThrow(ShapeError);
    expect(() => shapiroWilk(tf.zeros([3, 2]) as Values)).toThrow('a tensor [n], got [3, 2]');
    expect(() => ledoitWolf({ data: [1, 2, null, 4], shape: [2, 2] } as Values)).toThrow('(null) at index 2');
    expect(() => ledoitWolf({ data: [1, 2, 3, 4] } as Values)).toThrow('got an object { data }');
  });
});

describe('Matrix', () => {
  it('keeps float64 values as they are and converts others', () => {
    const data = Float64Array.of(1, 2, 3, 4);
    expect(new Matrix(data, 2, 2).data).toBe(data);
    const converted = new Matrix([1, 2, 3, 4], 2, 2);
    expect(converted.data).toBeInstanceOf(Float64Array);
    expect([...converted.row(1)]).toEqual([3, 4]);
    expect([...new Matrix(BigInt64Array.of(5n) as never, 1, 1).data]).toEqual([5]);
  });

  it.each(missing)('refuses %s', (entry, message) => {
    expect(() => new Matrix([1, 2, 3, entry] as Values, 2, 2)).toThrow(`${message} at index 3`);
    expect(() => new Matrix([1, 2, 3], 2, 2)).toThrow(ShapeError);
    expect(() => new Matrix([1, 2, 3, 4, 5], 2, 2)).toThrow('2 x 2 = 4 values, got 5');
  });
});

describe('covariances', () => {
  const factors = Matrix.fromRows([[1, 0]]);
  const forms = [
    new DiagonalCovariance([4, 1]),
    new FullCovariance([
      [4, 1],
      [1, 2],
    ]),
    new LowRankCovariance([4, 1], factors),
  ];

  it.each(forms.map((form) => [form.kind, form] as const))('%s refuses vectors with gaps', (_, form) => {
    for (const method of ['multiply', 'solve', 'variance', 'mahalanobis', 'logDensity'] as const) {
      expect(() => form[method]([1, null] as Values)).toThrow(/a missing value \(null\) at index 1/);
      expect(() => form[method]([1])).toThrow(ShapeError);
      expect(() => form[method](Float64Array.of(1, 2, 3))).toThrow(ShapeError);
      expect(form[method](BigInt64Array.of(1n, 2n) as Values)).toEqual(form[method]([1, 2]));
    }
  });

  it('refuse variances and factors that are no numbers', () => {
    expect(() => new DiagonalCovariance([4, '1'] as Values)).toThrow("the text '1' at index 1");
    expect(() => new LowRankCovariance([4, null] as Values, factors)).toThrow(
      'a missing value (null) at index 1',
    );
    expect(() => new LowRankCovariance([4, 1], [[1, 0]] as Values)).toThrow('factors as a Matrix');
  });

  it.each(forms.map((form) => [form.kind, form] as const))(
    '%s is not read from JSON with gaps',
    (_, form) => {
      for (const field of ['variances', 'matrix', 'noise', 'factors']) {
        const json = JSON.parse(JSON.stringify(form));
        if (json[field] === undefined) continue;
        json[field][0] = null;
        expect(() => covarianceFromJSON(json)).toThrow(
          /covarianceFromJSON: .* a missing value \(null\) at index 0/,
        );
        delete json[field];
        expect(() => covarianceFromJSON(json)).toThrow(DataError);
      }
    },
  );
});
