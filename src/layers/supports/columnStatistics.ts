import type * as tf from '@tensorflow/tfjs-core';

/** Columns of rows on the host, float64, in order of size. */
export function sortedColumns(x: tf.Tensor): Float64Array[] {
  const [n, d] = x.shape;
  const values = x.dataSync();
  return Array.from({ length: d }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) => values[i * d + j]).sort(),
  );
}

/** The value below which a share of a sorted column lies, linear between neighbours. */
export function quantileOf(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** Distance of a normal's quartiles in deviations. */
const QUARTILE_DISTANCE = 1.3489795003921634;

/** Median and scale of every column: the distance of its quartiles, else its deviation, else 1. */
export function middleOf(x: tf.Tensor): {
  medians: number[];
  scales: number[];
  columns: Float64Array[];
} {
  const columns = sortedColumns(x);
  const medians = columns.map((sorted) => quantileOf(sorted, 0.5));
  const scales = columns.map((sorted) => {
    const quartiles = (quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)) / QUARTILE_DISTANCE;
    return [quartiles, deviationOf(sorted), 1].find((scale) => Math.fround(scale) > 0) as number;
  });
  return { medians, scales, columns };
}

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
