import { normalQuantile } from '../special';

/** Points of a normal Q-Q plot; a straight line means normal. */
export interface QuantilePlot {
  /** Standard normal quantiles at Blom's positions (i - 3/8) / (n + 1/4). */
  theoretical: Float64Array;
  /** The sample in ascending order, in its own unit. */
  observed: Float64Array;
}

/** Q-Q points of a sorted sample. Source: Blom, Statistical Estimates and Transformed Beta-Variables (1958). */
export function quantilePlot(sorted: Float64Array): QuantilePlot {
  const n = sorted.length;
  const theoretical = Float64Array.from(sorted, (_, i) => normalQuantile((i + 0.625) / (n + 0.25)));
  return { theoretical, observed: sorted };
}
