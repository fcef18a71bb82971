import { complaint, ShapeError } from '../../core/errors';
import { named, toFloat64 } from '../../core/numbers';
import type { RandomStream } from '../../core/random';
import { recognizable } from '../../core/recognizable';
import { cholesky, choleskyLogDet, gram, Matrix, solveLower, solveLowerTransposed } from '../../linalg';
import { toVector, type VectorInput } from '../inputs';
import { Covariance, checkVariances, dot, type SerializedCovariance } from './covariance';
import { plusSquares } from './diagonal';

/**
 * A low-rank plus diagonal covariance, S = diag(s) + F^T F with r factor rows F [r, d]: r + 1 vectors instead of d.
 *
 * S^-1 and log det come from an r x r matrix (Woodbury's identity and the matrix determinant lemma).
 *
 * @example
 * new LowRankCovariance(Float64Array.of(1, 1), Matrix.fromRows([[1, 1]])).multiply([1, 0]); // [2, 1]
 */
export class LowRankCovariance extends Covariance {
  readonly kind = 'lowRank';
  readonly logDet: number;
  readonly noise: Float64Array;
  /** Cholesky factor of I + F diag(s)^-1 F^T, [r, r]. */
  private readonly core: Matrix;

  /**
   * @param diagonal s, [d], positive
   * @param factors F, [r, d]
   * @throws DataError unless s is positive; ShapeError where sizes differ
   */
  constructor(
    diagonal: VectorInput,
    readonly factors: Matrix,
  ) {
    const noise = toVector('LowRankCovariance', diagonal);
    super(noise.length);
    checkVariances('LowRankCovariance', noise);
    this.noise = noise;
    if (!(factors instanceof Matrix)) {
      throw new ShapeError(complaint('LowRankCovariance', 'factors as a Matrix [r, d]', named(factors)[0]));
    }
    if (factors.rows > 0 && factors.cols !== noise.length) {
      throw new ShapeError(
        complaint('LowRankCovariance', `factors [r, ${noise.length}]`, `${factors.rows} x ${factors.cols}`),
      );
    }
    const whitened = Matrix.zeros(factors.rows, noise.length);
    for (let k = 0; k < factors.rows; k++) {
      const source = factors.row(k);
      const target = whitened.row(k);
      for (let j = 0; j < noise.length; j++) target[j] = source[j] / Math.sqrt(noise[j]);
    }
    const products = gram(whitened);
    for (let k = 0; k < factors.rows; k++) products.data[k * (factors.rows + 1)] += 1;
    this.core = cholesky(products);
    this.logDet = choleskyLogDet(this.core) + noise.reduce((sum, value) => sum + Math.log(value), 0);
  }

  diagonal(): Float64Array {
    return plusSquares(this.noise, this.factors);
  }

  multiply(v: ArrayLike<number>): Float64Array {
    const vector = this.vector('multiply', v);
    const result = this.noise.map((value, j) => value * vector[j]);
    for (let k = 0; k < this.factors.rows; k++) {
      const factor = this.factors.row(k);
      addMultiple(result, dot(factor, vector), factor);
    }
    return result;
  }

  solve(v: ArrayLike<number>): Float64Array {
    const rest = this.vector('solve', v).slice();
    const weights = solveLowerTransposed(this.core, solveLower(this.core, this.project(rest)));
    weights.forEach((weight, k) => {
      addMultiple(rest, -weight, this.factors.row(k));
    });
    for (let j = 0; j < rest.length; j++) rest[j] /= this.noise[j];
    return rest;
  }

  override mahalanobis(v: ArrayLike<number>): number {
    const vector = this.vector('mahalanobis', v);
    let sum = 0;
    for (let j = 0; j < this.dimension; j++) sum += (vector[j] * vector[j]) / this.noise[j];
    const explained = solveLower(this.core, this.project(vector));
    return sum - dot(explained, explained);
  }

  scaled(factor: number): LowRankCovariance {
    const root = Math.sqrt(factor);
    return new LowRankCovariance(
      this.noise.map((value) => factor * value),
      new Matrix(
        this.factors.data.map((value) => root * value),
        this.factors.rows,
        this.factors.cols,
      ),
    );
  }

  stretched(factors: Float64Array): LowRankCovariance {
    const { data, rows, cols } = this.factors;
    return new LowRankCovariance(
      this.noise.map((value, j) => value * factors[j] * factors[j]),
      new Matrix(
        data.map((value, i) => value * factors[i % cols]),
        rows,
        cols,
      ),
    );
  }

  plusScatter(rows: Matrix): LowRankCovariance {
    return new LowRankCovariance(this.noise, stack(this.factors, rows, this.dimension));
  }

  plus(other: Covariance): LowRankCovariance {
    this.checkPartner(other);
    const { noise, factors } = other as LowRankCovariance;
    return new LowRankCovariance(
      this.noise.map((value, j) => value + noise[j]),
      stack(this.factors, factors, this.dimension),
    );
  }

  draw(random: RandomStream): Float64Array {
    const result = this.noise.map((value) => Math.sqrt(value) * random.normalNumber());
    for (let k = 0; k < this.factors.rows; k++) {
      addMultiple(result, random.normalNumber(), this.factors.row(k));
    }
    return result;
  }

  block(offset: number, size: number): LowRankCovariance {
    if (offset === 0 && size === this.dimension) return this;
    const rows = Array.from({ length: this.factors.rows }, (_, k) =>
      this.factors.row(k).subarray(offset, offset + size),
    );
    return new LowRankCovariance(
      this.noise.slice(offset, offset + size),
      rows.length === 0 ? Matrix.zeros(0, size) : Matrix.fromRows(rows),
    );
  }

  toMatrix(): Matrix {
    const result = this.factors.transpose().multiply(this.factors);
    for (let j = 0; j < this.dimension; j++) result.data[j * (this.dimension + 1)] += this.noise[j];
    return result;
  }

  toJSON(): SerializedCovariance {
    return {
      kind: this.kind,
      noise: Array.from(this.noise),
      factors: Array.from(this.factors.data),
      rank: this.factors.rows,
    };
  }

  static fromJSON(json: SerializedCovariance): LowRankCovariance {
    const noise = toFloat64('covarianceFromJSON', 'noise', json.noise as number[]);
    const factors = toFloat64('covarianceFromJSON', 'factors', json.factors as number[]);
    return new LowRankCovariance(noise, new Matrix(factors, json.rank as number, noise.length));
  }

  /** F diag(s)^-1 v, [r]. */
  private project(v: Float64Array): Float64Array {
    const scaled = this.noise.map((value, j) => v[j] / value);
    return Float64Array.from({ length: this.factors.rows }, (_, k) => dot(this.factors.row(k), scaled));
  }
}

recognizable(LowRankCovariance, 'LowRankCovariance');

function addMultiple(target: Float64Array, factor: number, source: Float64Array): void {
  for (let j = 0; j < target.length; j++) target[j] += factor * source[j];
}

function stack(upper: Matrix, lower: Matrix, cols: number): Matrix {
  const data = new Float64Array((upper.rows + lower.rows) * cols);
  data.set(upper.data);
  data.set(lower.data, upper.data.length);
  return new Matrix(data, upper.rows + lower.rows, cols);
}
