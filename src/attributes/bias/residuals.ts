import { Matrix } from '../../linalg';
import { meanOfRows, selectRows, subtractFromRows } from '../../statistics/rows';
import type { LabeledLatents } from '../labeled';

/**
 * Deviations of every row from its class mean, [n, d], scaled by sqrt(n_c / (n_c - 1)) so that few samples look no narrower
 * than many; zeros where a class has one sample.
 */
export function classResiduals({ z, groups }: LabeledLatents): Matrix {
  const result = Matrix.zeros(z.rows, z.cols);
  for (const rows of groups) {
    if (rows.length < 2) continue;
    const own = selectRows(z, rows);
    const centered = subtractFromRows(own, meanOfRows('biasReport', own));
    const factor = Math.sqrt(rows.length / (rows.length - 1));
    rows.forEach((row, i) => {
      result.row(row).set(centered.row(i).map((value) => factor * value));
    });
  }
  return result;
}

/** Every column divided by its scale, [n, d]. */
export function scaleColumns(rows: Matrix, scales: ArrayLike<number>): Matrix {
  const result = Matrix.zeros(rows.rows, rows.cols);
  for (let i = 0; i < rows.rows; i++) {
    const source = rows.row(i);
    result.row(i).set(source.map((value, j) => value / scales[j]));
  }
  return result;
}
