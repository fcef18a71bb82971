import { DataError, FormatError, Matrix, RandomStream, ShapeError } from 'tfjs-flows';
import {
  BlockCovariance,
  buresDistanceSquared,
  type Covariance,
  covarianceFromJSON,
  DiagonalCovariance,
  FullCovariance,
  LowRankCovariance,
  ledoitWolf,
  otMap,
} from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { inverse, slogdet } from '../../src/linalg';
import { golden } from '../support/golden';

interface Golden {
  ledoitWolf: Record<
    string,
    {
      X: number[][];
      shrinkage: number;
      covariance: number[][];
      shrinkageAssumeCentered: number;
      covarianceAssumeCentered: number[][];
    }
  >;
  gaussianOT: { covSource: number[][]; covTarget: number[][]; T: number[][]; bures2: number }[];
}
const random = new RandomStream(21);
const normals = (rows: number, cols: number) => new Matrix(random.normalArray(rows * cols), rows, cols);
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number) => {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  for (let i = 0; i < actual.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(relative * scale);
  }
};

describe('ledoitWolf agrees with scikit-learn (1e-9 relative)', () => {
  it.each(Object.entries((golden as Golden).ledoitWolf))('%s', (_, expected) => {
    const own = ledoitWolf(expected.X);
    expect(own.shrinkage).toBeCloseTo(expected.shrinkage, 9);
    near(own.covariance.data, expected.covariance.flat(), 1e-9);
    const centered = ledoitWolf(expected.X, { assumeCentered: true });
    expect(centered.shrinkage).toBeCloseTo(expected.shrinkageAssumeCentered, 9);
    near(centered.covariance.data, expected.covarianceAssumeCentered.flat(), 1e-9);
  });

  it('refuses what has no covariance', () => {
    expect(() =>
      ledoitWolf([
        [1, 2],
        [1, 2],
      ]),
    ).toThrow(DataError);
    expect(() => ledoitWolf([[1, 2]])).toThrow('at least 2 samples');
    expect(ledoitWolf([[1], [3]]).covariance.data[0]).toBe(1);
  });
});

describe('optimal transport of normals agrees with scipy (1e-9 relative)', () => {
  it.each((golden as Golden).gaussianOT)('case %#', (expected) => {
    near(otMap(expected.covSource, expected.covTarget).data, expected.T.flat(), 1e-9);
    const distance = buresDistanceSquared(expected.covSource, expected.covTarget);
    expect(distance / expected.bures2).toBeCloseTo(1, 9);
  });

  it('carries the source to the target: A S A = T (1e-9)', () => {
    const half = normals(6, 6);
    const source = new FullCovariance(half.multiply(half.transpose())).plusScatter(normals(2, 6)).matrix;
    const target = ledoitWolf(normals(12, 6)).covariance;
    const map = otMap(source, target);
    near(map.multiply(source).multiply(map).data, target.data, 1e-9);
  });

  it('is 0 from a covariance to itself, never below by rounding', () => {
    for (let k = 0; k < 20; k++) {
      const { covariance } = ledoitWolf(normals(12, 5));
      const distance = buresDistanceSquared(covariance, covariance);
      expect(distance).toBeGreaterThanOrEqual(0);
      expect(distance).toBeLessThan(1e-12);
    }
  });

  it('needs two covariances of one size', () => {
    const two = Matrix.identity(2);
    expect(() => buresDistanceSquared([[1]], two)).toThrow('a matrix 1 x 1, got 2 x 2');
    expect(() => otMap(two, [[1]])).toThrow('a matrix 2 x 2, got 1 x 1');
  });

  it('refuses what is not a covariance', () => {
    expect(() =>
      otMap(
        [
          [1, 2],
          [0, 1],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ),
    ).toThrow(ShapeError);
    expect(() =>
      otMap(
        [
          [1, 0],
          [0, 0],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ),
    ).toThrow('positive definite source');
    expect(() =>
      otMap(
        [[1]],
        [
          [1, 0],
          [0, 1],
        ],
      ),
    ).toThrow(ShapeError);
    expect(() =>
      otMap(
        [
          [1, 0],
          [0, 1],
        ],
        [
          [1, 2],
          [2, 1],
        ],
      ),
    ).toThrow('a covariance');
    expect(
      buresDistanceSquared(
        [
          [1, 0],
          [0, 0],
        ],
        [
          [1, 0],
          [0, 0],
        ],
      ),
    ).toBe(0);
  });
});

const d = 7;
const lowRank = new LowRankCovariance(
  normals(1, d).data.map((value) => 0.5 + value * value),
  normals(3, d),
);
const diagonal = new DiagonalCovariance(lowRank.noise);
const full = new FullCovariance(ledoitWolf(normals(20, d)).covariance);
const forms: Record<string, Covariance> = {
  full,
  diagonal,
  lowRank,
  blocks: new BlockCovariance([full, lowRank, diagonal]),
};

describe.each(Object.entries(forms))('%s covariance agrees with its own matrix (1e-10)', (_, covariance) => {
  const n = covariance.dimension;
  const matrix = covariance.toMatrix();
  const v = random.normalArray(n);

  it('in products, solutions, distances, determinant and trace', () => {
    near(covariance.multiply(v), matrix.multiply(new Matrix(v, n, 1)).data, 1e-10);
    near(covariance.solve(v), inverse(matrix).multiply(new Matrix(v, n, 1)).data, 1e-10);
    near(covariance.solve(covariance.multiply(v)), v, 1e-10);
    expect(covariance.logDet).toBeCloseTo(slogdet(matrix).logAbsDet, 10);
    expect(covariance.mahalanobis(v)).toBeCloseTo(
      covariance.solve(v).reduce((sum, value, j) => sum + value * v[j], 0),
      10,
    );
    near(
      covariance.diagonal(),
      Array.from({ length: n }, (_, j) => matrix.at(j, j)),
      1e-12,
    );
    expect(covariance.logDensity(v)).toBeCloseTo(
      -0.5 * (n * Math.log(2 * Math.PI) + covariance.logDet + covariance.mahalanobis(v)),
      12,
    );
  });

  it('under scaling, sums, scatters and blocks', () => {
    near(
      covariance.scaled(3).toMatrix().data,
      matrix.data.map((value) => 3 * value),
      1e-12,
    );
    near(
      covariance.plus(covariance).toMatrix().data,
      matrix.data.map((value) => 2 * value),
      1e-12,
    );
    const rows = normals(2, n);
    const scatter = rows.transpose().multiply(rows);
    const sum = covariance.plusScatter(rows);
    near(
      sum.diagonal(),
      Array.from({ length: n }, (_, j) => matrix.at(j, j) + scatter.at(j, j)),
      1e-12,
    );
    const part = covariance.block(1, 3).toMatrix();
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) expect(part.at(i, j)).toBeCloseTo(matrix.at(i + 1, j + 1), 12);
    }
  });

  it('draws with its variances (4 standard errors of 4,000 draws)', () => {
    const draws = Array.from({ length: 4000 }, () => covariance.draw(random));
    for (let j = 0; j < n; j++) {
      const variance = draws.reduce((sum, row) => sum + row[j] ** 2, 0) / draws.length;
      expect(Math.abs(variance / matrix.at(j, j) - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
    }
  });

  it('survives JSON exactly', () => {
    const copy = covarianceFromJSON(JSON.parse(JSON.stringify(covariance)));
    near(copy.toMatrix().data, matrix.data, 0);
  });
});

describe('covariances', () => {
  it('add a scatter exactly where the form can hold it', () => {
    const rows = normals(2, d);
    const scatter = rows.transpose().multiply(rows).data;
    for (const covariance of [full, lowRank]) {
      const expected = covariance.toMatrix().data.map((value, i) => value + scatter[i]);
      near(covariance.plusScatter(rows).toMatrix().data, expected, 1e-12);
    }
  });

  it('cut coordinates out of the middle of a block', () => {
    const blocks = new BlockCovariance([new DiagonalCovariance([1, 2]), new DiagonalCovariance([3, 4, 5])]);
    expect([...blocks.block(3, 2).diagonal()]).toEqual([4, 5]);
    expect([...blocks.block(1, 1).diagonal()]).toEqual([2]);
    expect(() => blocks.block(1, 2)).toThrow('coordinates within one block, got 1 .. 2');
  });

  it('refuse constant coordinates, other forms and unknown kinds', () => {
    expect(() => new DiagonalCovariance(Float64Array.of(1, 0))).toThrow('Is that coordinate constant?');
    expect(() => new LowRankCovariance(Float64Array.of(1, 1), Matrix.zeros(1, 3))).toThrow(ShapeError);
    expect(() => full.plus(diagonal)).toThrow(ShapeError);
    const wider = new DiagonalCovariance(new Float64Array(d + 1).fill(1));
    expect(() => wider.plus(new DiagonalCovariance([1]))).toThrow(
      `diagonal with ${d + 1} dimensions, got diagonal with 1`,
    );
    expect(() => covarianceFromJSON({ kind: 'other' } as never)).toThrow(FormatError);
  });
});
