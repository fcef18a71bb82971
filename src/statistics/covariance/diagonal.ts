import { toFloat64 } from '../../core/numbers';
import type { RandomStream } from '../../core/random';
import { recognizable } from '../../core/recognizable';
import { Matrix } from '../../linalg';
import { toVector, type VectorInput } from '../inputs';
import { Covariance, checkVariances, type SerializedCovariance } from './covariance';

/**
 * A covariance whose coordinates are taken as independent: d variances.
 *
 * @example
 * new DiagonalCovariance(Float64Array.of(4, 1)).solve([4, 1]); // [1, 1]
 */
export class DiagonalCovariance extends Covariance {
  readonly kind = 'diagonal';
  readonly logDet: number;
  readonly variances: Float64Array;

  /** @throws DataError unless all variances are positive */
  constructor(variances: VectorInput) {
    const values = toVector('DiagonalCovariance', variances);
    super(values.length);
    checkVariances('DiagonalCovariance', values);
    this.variances = values;
    this.logDet = values.reduce((sum, value) => sum + Math.log(value), 0);
  }

  diagonal(): Float64Array {
    return this.variances;
  }

  multiply(v: ArrayLike<number>): Float64Array {
    const vector = this.vector('multiply', v);
    return this.variances.map((value, j) => value * vector[j]);
  }

  solve(v: ArrayLike<number>): Float64Array {
    const vector = this.vector('solve', v);
    return this.variances.map((value, j) => vector[j] / value);
  }

  scaled(factor: number): DiagonalCovariance {
    return new DiagonalCovariance(this.variances.map((value) => factor * value));
  }

  stretched(factors: Float64Array): DiagonalCovariance {
    return new DiagonalCovariance(this.variances.map((value, j) => value * factors[j] * factors[j]));
  }

  plusScatter(rows: Matrix): DiagonalCovariance {
    return new DiagonalCovariance(plusSquares(this.variances, rows));
  }

  plus(other: Covariance): DiagonalCovariance {
    this.checkPartner(other);
    const more = (other as DiagonalCovariance).variances;
    return new DiagonalCovariance(this.variances.map((value, j) => value + more[j]));
  }

  draw(random: RandomStream): Float64Array {
    return this.variances.map((value) => Math.sqrt(value) * random.normalNumber());
  }

  block(offset: number, size: number): DiagonalCovariance {
    return new DiagonalCovariance(this.variances.slice(offset, offset + size));
  }

  toMatrix(): Matrix {
    const result = Matrix.zeros(this.dimension, this.dimension);
    this.variances.forEach((value, j) => {
      result.data[j * (this.dimension + 1)] = value;
    });
    return result;
  }

  toJSON(): SerializedCovariance {
    return { kind: this.kind, variances: Array.from(this.variances) };
  }

  static fromJSON(json: SerializedCovariance): DiagonalCovariance {
    return new DiagonalCovariance(toFloat64('covarianceFromJSON', 'variances', json.variances as number[]));
  }
}

recognizable(DiagonalCovariance, 'DiagonalCovariance');

/** diagonal + the column sums of squares of `rows`. */
export function plusSquares(diagonal: Float64Array, rows: Matrix): Float64Array {
  const result = diagonal.slice();
  for (let k = 0; k < rows.rows; k++) {
    const row = rows.row(k);
    for (let j = 0; j < result.length; j++) result[j] += row[j] * row[j];
  }
  return result;
}
