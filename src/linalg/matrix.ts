import { complaint, ShapeError } from '../core/errors';

/** A dense matrix on the host: float64, row-major. */
export class Matrix {
  constructor(
    readonly data: Float64Array,
    readonly rows: number,
    readonly cols: number,
  ) {
    if (data.length !== rows * cols) {
      throw new ShapeError(complaint('Matrix', `${rows} x ${cols} = ${rows * cols} values`, data.length));
    }
  }

  static zeros(rows: number, cols: number): Matrix {
    return new Matrix(new Float64Array(rows * cols), rows, cols);
  }

  static identity(n: number): Matrix {
    const result = Matrix.zeros(n, n);
    for (let i = 0; i < n; i++) result.data[i * n + i] = 1;
    return result;
  }

  static fromRows(rows: readonly ArrayLike<number>[]): Matrix {
    const cols = rows.length === 0 ? 0 : rows[0].length;
    const result = Matrix.zeros(rows.length, cols);
    rows.forEach((row, i) => {
      if (row.length !== cols) {
        throw new ShapeError(complaint('Matrix.fromRows', `${cols} values in row ${i}`, row.length));
      }
      result.data.set(row, i * cols);
    });
    return result;
  }

  at(row: number, col: number): number {
    return this.data[row * this.cols + col];
  }

  /** A view on one row. */
  row(index: number): Float64Array {
    return this.data.subarray(index * this.cols, (index + 1) * this.cols);
  }

  /** A copy of one column. */
  column(index: number): Float64Array {
    const result = new Float64Array(this.rows);
    for (let i = 0; i < this.rows; i++) result[i] = this.data[i * this.cols + index];
    return result;
  }

  transpose(): Matrix {
    const result = Matrix.zeros(this.cols, this.rows);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.cols; j++) result.data[j * this.rows + i] = this.data[i * this.cols + j];
    }
    return result;
  }

  /** Matrix product this * other. */
  multiply(other: Matrix): Matrix {
    if (this.cols !== other.rows) {
      throw new ShapeError(complaint('Matrix.multiply', `${this.cols} rows on the right`, other.rows));
    }
    const result = Matrix.zeros(this.rows, other.cols);
    for (let i = 0; i < this.rows; i++) {
      const target = result.row(i);
      for (let k = 0; k < this.cols; k++) {
        const factor = this.data[i * this.cols + k];
        if (factor === 0) continue;
        const source = other.row(k);
        for (let j = 0; j < target.length; j++) target[j] += factor * source[j];
      }
    }
    return result;
  }
}

/** Largest absolute column sum. */
export function norm1(matrix: Matrix): number {
  const sums = new Float64Array(matrix.cols);
  matrix.data.forEach((entry, i) => {
    sums[i % matrix.cols] += Math.abs(entry);
  });
  return Math.max(...sums);
}
