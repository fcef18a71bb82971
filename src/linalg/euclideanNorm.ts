import { largest } from '../core/lists';

/** Root of the sum of squares, divided by the largest first so that nothing overflows. */
export function euclideanNorm(vector: Float64Array): number {
  const scale = largest(vector.map(Math.abs), 0);
  if (scale === 0) return 0;
  let sum = 0;
  for (const value of vector) sum += (value / scale) ** 2;
  return scale * Math.sqrt(sum);
}
