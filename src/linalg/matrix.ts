import { complaint, ShapeError } from '../core/errors';
import { readRows, toFloat64 } from '../core/numbers';
import { printable, someOf } from '../core/printable';
import { recognizable } from '../core/recognizable';

/** Columns of a product worked on at once, so that its parts stay in the processor's cache. */
const COLUMNS = 1024;

/**
 * A dense matrix on the host: float64, row-major.
 *
 * @example
 * const matrix = Matrix.fromRows([[1, 2], [3, 4]]);
 * matrix.transpose().data; // [1, 3, 2, 4]
 */
export class Matrix {
  readonly data: Float64Array;

  /**
   * @param data row-major values; a Float64Array is taken without a copy
   * @throws ShapeError unless there are rows * cols of them; DataError for what is no number
   */
  constructor(
    data: ArrayLike<number>,
    readonly rows: number,
    readonly cols: number,
  ) {
    this.data = data instanceof Float64Array ? data : toFloat64('Matrix', 'data', data);
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

  /**
   * A matrix of rows of one length, copied.
   *
   * @throws ShapeError for rows of different lengths; DataError for what is no number, with row and column
   * @example
   * Matrix.fromRows([[1, 2], [3, 4]]).at(1, 0); // 3
   */
  static fromRows(rows: readonly ArrayLike<number>[]): Matrix {
    const { values, rows: count, columns } = readRows('Matrix.fromRows', 'rows', rows);
    return new Matrix(values, count, columns);
  }

  /** The value in a row and a column, both from 0. */
  at(row: number, col: number): number {
    return this.data[row * this.cols + col];
  }

  /**
   * A view on one row.
   *
   * @example
   * Matrix.fromRows([[1, 2], [3, 4]]).row(1); // [3, 4]
   */
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

  /**
   * Matrix product this * other.
   *
   * @example
   * const a = Matrix.fromRows([[1, 2], [3, 4]]);
   * a.multiply(Matrix.identity(2)).data; // [1, 2, 3, 4]
   */
  multiply(other: Matrix): Matrix {
    if (this.cols !== other.rows) {
      throw new ShapeError(complaint('Matrix.multiply', `${this.cols} rows on the right`, other.rows));
    }
    const result = Matrix.zeros(this.rows, other.cols);
    for (let start = 0; start < other.cols; start += COLUMNS) {
      const end = Math.min(start + COLUMNS, other.cols);
      for (let k = 0; k < this.cols; k += 4) {
        for (let i = 0; i < this.rows; i++) addRows(this, other, result, i, k, start, end);
      }
    }
    return result;
  }
}

recognizable(Matrix, 'Matrix');

printable(Matrix.prototype, ({ rows, cols, data }) => [`Matrix ${rows} x ${cols} ${someOf(data)}`]);

/** Largest absolute column sum. */
export function norm1(matrix: Matrix): number {
  const sums = new Float64Array(matrix.cols);
  matrix.data.forEach((entry, i) => {
    sums[i % matrix.cols] += Math.abs(entry);
  });
  return sums.reduce((largest, sum) => Math.max(largest, sum), 0);
}

/** Adds four rows of b, weighted by a[i, k .. k + 3], to row i of the result in the columns [start, end). */
function addRows(
  a: Matrix,
  b: Matrix,
  result: Matrix,
  i: number,
  k: number,
  start: number,
  end: number,
): void {
  const width = b.cols;
  const last = a.cols - 1;
  const weight = (step: number) => (k + step <= last ? a.data[i * a.cols + k + step] : 0);
  const first = weight(0);
  const second = weight(1);
  const third = weight(2);
  const fourth = weight(3);
  // Past the last row the weight is 0 and that row stands in.
  const p = k * width;
  const q = Math.min(k + 1, last) * width;
  const r = Math.min(k + 2, last) * width;
  const s = Math.min(k + 3, last) * width;
  const source = b.data;
  const target = result.data;
  const row = i * width;
  for (let j = start; j < end; j++) {
    target[row + j] +=
      first * source[p + j] + second * source[q + j] + third * source[r + j] + fourth * source[s + j];
  }
}
