import { quantileOf } from './columnStatistics';

/** The spline goes from minus this to this many deviations. */
export const HALF_RANGE = 3;

/** Where a column's spline lies, and its parameters: [widths | heights | derivatives] as a spline with linear tails takes them. */
export interface QuantileSpline {
  middle: number;
  halfWidth: number;
  parameters: number[];
}

/**
 * The spline of [-1, 1] that takes a sorted column's quantiles, with the column from `middle - halfWidth` to `middle + halfWidth`, to
 * those of a standard normal from -3 to 3. Its knots stand at even distances there; slopes are harmonic means of those beside them.
 *
 * @param below shares of the normal below each knot
 * @param minimum least share of a piece and least slope of the spline
 */
export function quantileSpline(
  sorted: Float64Array,
  below: readonly number[],
  minimum: number,
): QuantileSpline {
  const bins = below.length - 1;
  const places = below.map((share) => quantileOf(sorted, share));
  const [low, high] = [places[0], places[bins]];
  const halfWidth = (high - low) / 2;
  if (!(Math.fround(halfWidth) > 0)) {
    return { middle: low, halfWidth: 1, parameters: Array.from({ length: 3 * bins - 1 }, () => 0) };
  }
  const shares = atLeast(
    places.slice(1).map((place, k) => (place - places[k]) / (high - low)),
    2 * minimum,
  );
  const slopes = shares.map((share) => 1 / (bins * share));
  const derivatives = slopes
    .slice(1)
    .map((slope, k) => Math.max(2 / (1 / slope + 1 / slopes[k]), 2 * minimum));
  const one = Math.log(Math.expm1(1 - minimum));
  return {
    middle: (low + high) / 2,
    halfWidth,
    parameters: [
      ...shares.map((share) => Math.log((share - minimum) / (1 - bins * minimum))),
      ...slopes.map(() => 0),
      ...derivatives.map((derivative) => softplusInverse(derivative - minimum) - one),
    ],
  };
}

/** Shares that sum to 1, none below the least: what that takes is taken from the others in proportion. */
function atLeast(shares: readonly number[], least: number): number[] {
  const raised = shares.map((share) => Math.max(share, least));
  const surplus = raised.reduce((sum, share) => sum + share, 0) - 1;
  const room = raised.reduce((sum, share) => sum + (share - least), 0);
  return raised.map((share) => share - ((share - least) * surplus) / room);
}

/** x with log(1 + e^x) = y. */
function softplusInverse(y: number): number {
  return y + Math.log(-Math.expm1(-y));
}
