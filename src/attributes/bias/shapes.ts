import type { RandomStream } from '../../core/random';
import { gram, Matrix } from '../../linalg';
import { describe } from '../../statistics/normality/sample';
import { buresDistanceSquared } from '../../statistics/optimalTransport';
import { selectRows } from '../../statistics/rows';

const NULL_DRAWS = 20;

/** How the cloud of one class differs from the pooled one, in the leading within-class components. */
export interface SubclassShape {
  /** Bures distance of the class covariance from the pooled one, over the root of the pooled trace. */
  bures: number;
  /** The same for as many residuals drawn from all classes: what the number of samples alone gives. */
  buresNull: number;
  /** Mean absolute skewness over the components. */
  skewness: number;
  /** Mean excess kurtosis over the components. */
  excessKurtosis: number;
}

/**
 * Compares one class's residual scores with those of all classes, [n, k].
 *
 * Source of the distance: Bhatia, Jain and Lim (2019), "On the Bures-Wasserstein distance between positive definite matrices", arXiv:1712.01504.
 */
export function shapeOf(scores: Matrix, rows: Int32Array, random: RandomStream): SubclassShape {
  const pooled = secondMoments(scores);
  const scale = Math.sqrt(
    Array.from({ length: scores.cols }, (_, j) => pooled.at(j, j)).reduce((a, b) => a + b, 0),
  );
  const own = selectRows(scores, rows);
  const distance = (sample: Matrix) => Math.sqrt(buresDistanceSquared(secondMoments(sample), pooled)) / scale;
  let drawn = 0;
  for (let r = 0; r < NULL_DRAWS; r++) {
    const picked = rows.map(() => random.integer(scores.rows));
    drawn += distance(selectRows(scores, picked)) / NULL_DRAWS;
  }
  let skewness = 0;
  let excessKurtosis = 0;
  for (let j = 0; j < own.cols; j++) {
    const column = own.column(j);
    if (column.every((value) => value === column[0])) continue;
    const sample = describe(column);
    skewness += Math.abs(sample.skewness) / own.cols;
    excessKurtosis += sample.excessKurtosis / own.cols;
  }
  return { bures: distance(own), buresNull: drawn, skewness, excessKurtosis };
}

/** R^T R / n: the covariance of residuals, whose mean is 0 by construction. */
function secondMoments(rows: Matrix): Matrix {
  const scatter = gram(rows.transpose());
  return new Matrix(
    scatter.data.map((value) => value / rows.rows),
    rows.cols,
    rows.cols,
  );
}
