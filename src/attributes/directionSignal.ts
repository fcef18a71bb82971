import type { AttributeDirection } from './zDelta';

/**
 * Mean square of a direction over its standard error: 1 where the attribute does nothing to the latents, above 1 where it does.
 *
 *     (1/d) sum_j (delta_j / se_j)^2,   coordinates without error count as 1
 *
 * @returns null where the direction has no standard error
 * @example
 * directionSignal(zDelta(labeled)); // above 1
 */
export function directionSignal({ delta, standardError }: AttributeDirection): number | null {
  if (standardError === null) return null;
  let sum = 0;
  for (let j = 0; j < delta.length; j++) {
    sum += standardError[j] > 0 ? (delta[j] / standardError[j]) ** 2 : 1;
  }
  return sum / delta.length;
}
