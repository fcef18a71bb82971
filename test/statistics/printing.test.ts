import { inspect } from 'node:util';
import {
  andersonDarling,
  cramerVonMises,
  DiagonalCovariance,
  dagostinoK2,
  jarqueBera,
  kolmogorovSmirnov,
  ledoitWolf,
  lilliefors,
  Matrix,
  normality,
  shapiroWilk,
  twoSampleDistances,
} from 'tfjs-flows';
import { expect, it } from 'vitest';

const x = [2.1, 3.4, 1.9, 2.8, 3.0, 2.2, 2.6, 2.9];

it.each([
  ['andersonDarling', andersonDarling(x)],
  ['cramerVonMises', cramerVonMises(x)],
  ['dagostinoK2', dagostinoK2(x)],
  ['jarqueBera', jarqueBera(x)],
  ['kolmogorovSmirnov', kolmogorovSmirnov(x, { mean: 2, standardDeviation: 1 })],
  ['lilliefors', lilliefors(x)],
  ['shapiroWilk', shapiroWilk(x)],
  ['a test of normality', normality(x).tests.shapiroWilk],
])('%s prints its statistic and its p', (_, result) => {
  expect(String(result)).toMatch(/^statistic [\d.]+, p [\d.]+$/);
  expect(inspect(result)).toBe(String(result));
});

it('a test that the sample does not allow prints why', () => {
  expect(String(lilliefors([1, 2, 4]))).toMatch(/^statistic [\d.]+, no p \(the p-value needs n >= 5\)$/);
});

it('distances, covariances and matrices print themselves', () => {
  expect(String(twoSampleDistances([0, 1], [1, 2]))).toBe('W1 1, energy 1, Kolmogorov-Smirnov 0.5');
  expect(
    String(
      ledoitWolf([
        [1, 2],
        [2, 1],
        [4, 5],
      ]),
    ),
  ).toMatch(/^Ledoit-Wolf: shrinkage [\d.]+, covariance Matrix 2 x 2 \[/);
  expect(inspect(new DiagonalCovariance([4, 1]))).toBe(
    'Covariance (diagonal) of 2 dimensions, variances [4, 1]',
  );
  expect(`${Matrix.zeros(3, 4)}`).toBe('Matrix 3 x 4 [0, 0, 0, 0, ... 12 values]');
});
