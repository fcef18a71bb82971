import { expect, it, vi } from 'vitest';
import { Matrix as Own } from '../../src/linalg';
import { DiagonalCovariance } from '../../src/statistics';

/** The same code loaded again, as where one part of a program imports the package and another requires it. */
async function another() {
  vi.resetModules();
  const { Matrix } = await import('../../src/linalg');
  const attributes = await import('../../src/attributes');
  return { ...attributes, Matrix };
}

const rows = [
  [1, 2],
  [3, 5],
  [4, 1],
  [0, 2],
];

it('matrices of another copy are matrices, and nothing else is', async () => {
  const { Matrix, ledoitWolf } = await another();
  expect(Matrix).not.toBe(Own);
  expect(Own.fromRows(rows)).toBeInstanceOf(Matrix);
  expect(Matrix.fromRows(rows)).toBeInstanceOf(Own);
  expect([...ledoitWolf(Own.fromRows(rows)).covariance.data]).toEqual([...ledoitWolf(rows).covariance.data]);
  for (const other of [null, undefined, 1, rows, { data: [1], rows: 1, cols: 1 }, new Float64Array(2)]) {
    expect(other).not.toBeInstanceOf(Own);
  }
});

it('covariances keep their kind: a form is no other form', async () => {
  const {
    Covariance,
    DiagonalCovariance: Other,
    FullCovariance,
    fitPrior,
    Prior,
    Posterior,
  } = await another();
  const own = new DiagonalCovariance([1, 2]);
  expect(own).toBeInstanceOf(Covariance);
  expect(own).toBeInstanceOf(Other);
  expect(own).not.toBeInstanceOf(FullCovariance);
  class Special extends DiagonalCovariance {}
  expect(own).not.toBeInstanceOf(Special);
  expect(new Special([1])).toBeInstanceOf(Other);
  const prior = fitPrior({ z: rows, subclass: [0, 0, 1, 1] }, { withinWeight: 4 });
  const { Prior: OtherPrior, Posterior: OtherPosterior, augment } = await another();
  expect(OtherPrior).not.toBe(Prior);
  expect(prior).toBeInstanceOf(OtherPrior);
  expect(prior.posterior(rows)).toBeInstanceOf(OtherPosterior);
  expect(Posterior).not.toBe(OtherPosterior);
  expect(augment(rows, prior, { count: 2, method: 'posterior', filter: 'none' }).z.rows).toBe(2);
});
