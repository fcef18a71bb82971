import { complaint, ShapeError } from '../../core/errors';
import { toFloat64 } from '../../core/numbers';
import type { RandomStream } from '../../core/random';
import { recognizable } from '../../core/recognizable';
import { cholesky, choleskyLogDet, Matrix, solveLower, solveLowerTransposed } from '../../linalg';
import { type LatentsInput, toLatents } from '../inputs';
import { Covariance, type SerializedCovariance } from './covariance';

/**
 * A covariance stored as its d x d matrix.
 *
 * @example
 * new FullCovariance(Matrix.fromRows([[4, 0], [0, 1]])).solve([4, 1]); // [1, 1]
 */
export class FullCovariance extends Covariance {
  readonly kind = 'full';
  readonly logDet: number;
  readonly matrix: Matrix;
  /** L with S = L L^T. */
  readonly lower: Matrix;

  /** @throws DataError unless positive definite; ShapeError unless square */
  constructor(matrix: LatentsInput) {
    const full = toLatents('FullCovariance', matrix);
    super(full.rows);
    this.matrix = full;
    this.lower = cholesky(full);
    this.logDet = choleskyLogDet(this.lower);
  }

  diagonal(): Float64Array {
    return Float64Array.from({ length: this.dimension }, (_, j) => this.matrix.at(j, j));
  }

  multiply(v: ArrayLike<number>): Float64Array {
    return times(this.matrix, this.vector('multiply', v), this.dimension);
  }

  solve(v: ArrayLike<number>): Float64Array {
    return solveLowerTransposed(this.lower, solveLower(this.lower, this.vector('solve', v)));
  }

  override mahalanobis(v: ArrayLike<number>): number {
    const solved = solveLower(this.lower, this.vector('mahalanobis', v));
    return solved.reduce((sum, value) => sum + value * value, 0);
  }

  scaled(factor: number): FullCovariance {
    const { data, rows } = this.matrix;
    return new FullCovariance(
      new Matrix(
        data.map((value) => factor * value),
        rows,
        rows,
      ),
    );
  }

  stretched(factors: Float64Array): FullCovariance {
    const { data, rows: d } = this.matrix;
    return new FullCovariance(
      new Matrix(
        data.map((value, i) => value * (factors[Math.floor(i / d)] * factors[i % d])),
        d,
        d,
      ),
    );
  }

  plusScatter(rows: Matrix): FullCovariance {
    const scatter = rows.transpose().multiply(rows);
    return new FullCovariance(addMatrices(this.matrix, scatter));
  }

  plus(other: Covariance): FullCovariance {
    this.checkPartner(other);
    return new FullCovariance(addMatrices(this.matrix, (other as FullCovariance).matrix));
  }

  draw(random: RandomStream): Float64Array {
    const noise = random.normalArray(this.dimension);
    return times(this.lower, noise, this.dimension);
  }

  block(offset: number, size: number): FullCovariance {
    if (offset === 0 && size === this.dimension) return this;
    const rows = Array.from({ length: size }, (_, i) =>
      this.matrix.row(offset + i).subarray(offset, offset + size),
    );
    return new FullCovariance(Matrix.fromRows(rows));
  }

  toMatrix(): Matrix {
    return this.matrix;
  }

  toJSON(): SerializedCovariance {
    return { kind: this.kind, matrix: Array.from(this.matrix.data) };
  }

  static fromJSON(json: SerializedCovariance): FullCovariance {
    const data = toFloat64('covarianceFromJSON', 'matrix', json.matrix as number[]);
    const d = Math.round(Math.sqrt(data.length));
    return new FullCovariance(new Matrix(data, d, d));
  }
}

recognizable(FullCovariance, 'FullCovariance');

function times(matrix: Matrix, v: ArrayLike<number>, length: number): Float64Array {
  const result = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const row = matrix.row(i);
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += row[j] * v[j];
    result[i] = sum;
  }
  return result;
}

function addMatrices(a: Matrix, b: Matrix): Matrix {
  if (a.rows !== b.rows || a.cols !== b.cols) {
    throw new ShapeError(
      complaint('FullCovariance', `${a.rows} x ${a.cols} on both sides`, `${b.rows} x ${b.cols}`),
    );
  }
  return new Matrix(
    a.data.map((value, i) => value + b.data[i]),
    a.rows,
    a.cols,
  );
}
