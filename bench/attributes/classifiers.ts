import type { Matrix } from 'tfjs-flows';
import { fitPrior } from 'tfjs-flows/attributes';

/** Labels of rows. */
export type Classifier = (rows: Matrix) => Int32Array;

/** Linear discriminant: the nearest class mean in the metric of the pooled, shrunk covariance. */
export function linearDiscriminant(z: Matrix, label: Int32Array): Classifier {
  const prior = fitPrior({ z, subclass: label }, { withinWeight: 1 });
  const classes = prior.subclasses.map(({ subclass, mean }) => {
    const weight = prior.within.solve(mean);
    return { subclass: Number(subclass), weight, constant: 0.5 * dot(weight, mean) };
  });
  return (rows) =>
    Int32Array.from({ length: rows.rows }, (_, i) => {
      const scores = classes.map(({ weight, constant }) => dot(weight, rows.row(i)) - constant);
      return classes[scores.indexOf(Math.max(...scores))].subclass;
    });
}

/** Label of the nearest row. */
export function nearestNeighbour(z: Matrix, label: ArrayLike<number>): Classifier {
  return (rows) =>
    Int32Array.from({ length: rows.rows }, (_, i) => {
      const point = rows.row(i);
      let best = Number.POSITIVE_INFINITY;
      let found = -1;
      for (let k = 0; k < z.rows; k++) {
        const row = z.row(k);
        let distance = 0;
        for (let j = 0; j < row.length && distance < best; j++) distance += (row[j] - point[j]) ** 2;
        if (distance < best) {
          best = distance;
          found = label[k];
        }
      }
      return found;
    });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}
