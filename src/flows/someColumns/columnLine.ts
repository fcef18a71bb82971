import type { Column } from '../../layers/supports/columns';
import type { Support } from '../../layers/supports/support';

/** A smooth map from where the values of a column lie to the whole line, in float64. */
export interface ColumnLine {
  toLine(x: number): number;
  fromLine(v: number): number;
  /** log|dv/dx| at the coordinate v. */
  logSlope(v: number): number;
}

/**
 * The line of a column: logarithms of distances to ends, asinh for far values, else the values themselves.
 *
 * Whole numbers are points with their noise in them, from the lowest to one beyond the highest; angles an interval.
 *
 * @param values points of the column, by which far values are scaled
 */
export function lineOf({ support }: Column, values: Float64Array): ColumnLine {
  switch (support.kind) {
    case 'bounded':
      return between(...widened(support));
    case 'integer':
      return between(support.low, support.high === undefined ? undefined : support.high + 1);
    case 'circular':
      return between(support.low, support.high);
    case 'heavyTailed':
      return drawnIn(values);
    default:
      return { toLine: (x) => x, fromLine: (v) => v, logSlope: () => 0 };
  }
}

/** Ends that may occur lie inside of the interval of the line. */
function widened({ low, high, epsilon = 0 }: Support & { kind: 'bounded' }): [number?, number?] {
  const room = epsilon * (low === undefined || high === undefined ? 1 : high - low);
  return [low === undefined ? undefined : low - room, high === undefined ? undefined : high + room];
}

function between(low: number | undefined, high: number | undefined): ColumnLine {
  if (low !== undefined && high !== undefined) {
    const width = high - low;
    return {
      toLine: (x) => Math.log((x - low) / (high - x)),
      fromLine: (v) => low + width / (1 + Math.exp(-v)),
      // p (1 - p) by whichever exponential is small.
      logSlope: (v) => Math.abs(v) + 2 * Math.log1p(Math.exp(-Math.abs(v))) - Math.log(width),
    };
  }
  if (low !== undefined) {
    return { toLine: (x) => Math.log(x - low), fromLine: (v) => low + Math.exp(v), logSlope: (v) => -v };
  }
  if (high !== undefined) {
    return { toLine: (x) => Math.log(high - x), fromLine: (v) => high - Math.exp(v), logSlope: (v) => -v };
  }
  return { toLine: (x) => x, fromLine: (v) => v, logSlope: () => 0 };
}

function drawnIn(values: Float64Array): ColumnLine {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  const middle = at(0.5);
  const scale = (at(0.75) - at(0.25)) / 2 || 1;
  return {
    toLine: (x) => Math.asinh((x - middle) / scale),
    fromLine: (v) => middle + scale * Math.sinh(v),
    logSlope: (v) => -Math.log(scale * Math.cosh(v)),
  };
}
