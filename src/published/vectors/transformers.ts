import {
  AdditiveTransformer,
  AffineTransformer,
  RationalQuadraticSpline,
  type Transformer,
} from '../../layers';
import type { VectorLayer } from './config';
import type { Head } from './dense';

/** A map of single numbers, and how a network's last layer gives its parameters. */
export interface Univariate {
  transformer: Transformer;
  /** The head for so many values. */
  head(values: number): Head;
}

/** Least scale, share of a piece and derivative in nflows and normflows. */
const MINIMUM = 1e-3;
/** What softplus is 1 - MINIMUM of: ours adds it, so that zeros are the identity; theirs does not. */
export const SOFTPLUS_OFFSET = Math.log(Math.expm1(1 - MINIMUM));

/** The bins of a spline with linear tails by its number of parameters for each value; undefined where that is none. */
export function binsOf(parameters: number): number | undefined {
  const bins = (parameters + 1) / 3;
  return Number.isInteger(bins) && bins >= 2 ? bins : undefined;
}

/** Splines of nflows and normflows: derivatives without our offset; widths and heights divided by a root in couplings. */
export function minimumSpline(layer: VectorLayer): Univariate {
  const { bins, bound, divided, hiddenUnits = [] } = layer;
  const transformer = new RationalQuadraticSpline({ bins, bound });
  const factor = divided ? 1 / Math.sqrt(hiddenUnits[0]) : 1;
  return {
    transformer,
    head: (values) => splineHead(values, transformer.parameters, 2 * (bins as number), factor),
  };
}

/** @param shares how many of the parameters are widths and heights */
function splineHead(values: number, parameters: number, shares: number, factor: number): Head {
  const outputs = values * parameters;
  const isShare = (k: number) => k % parameters < shares;
  return {
    outputs,
    places: range(outputs),
    factors: range(outputs).map((k) => (isShare(k) ? factor : 1)),
    offsets: range(outputs).map((k) => (isShare(k) ? 0 : -SOFTPLUS_OFFSET)),
  };
}

/** z = scale x + shift from [scale, shift] for each value: ours are [shift, scale]. */
export function scaleFirst({ scale = 'softplus' }: VectorLayer): Univariate {
  return {
    transformer: affineTransformer(scale),
    head: (values) => ({
      outputs: 2 * values,
      places: range(2 * values).map((k) => (k % 2 === 0 ? k + 1 : k - 1)),
      ...scaleOffsets(scale, values),
    }),
  };
}

/** z = scale x + shift from [all shifts | all scales]. */
export function halves({ scale = 'sigmoid' }: VectorLayer): Univariate {
  return {
    transformer: affineTransformer(scale),
    head: (values) => ({
      outputs: 2 * values,
      places: range(2 * values).map((k) => (k % 2 === 0 ? k / 2 : values + (k - 1) / 2)),
      ...scaleOffsets(scale, values),
    }),
  };
}

/** z = x + shift. */
export function additive(): Univariate {
  return { transformer: new AdditiveTransformer(), head: plainHead(1) };
}

/** Parameters as ours. */
export function plainHead(parameters: number): Univariate['head'] {
  return (values) => ({ outputs: values * parameters, places: range(values * parameters) });
}

function affineTransformer(scale: VectorLayer['scale']): AffineTransformer {
  return new AffineTransformer({ scale, minimum: MINIMUM });
}

/** Our softplus adds an offset to the second parameter of each value. */
function scaleOffsets(scale: VectorLayer['scale'], values: number): Pick<Head, 'offsets'> {
  if (scale !== 'softplus') return {};
  return { offsets: range(2 * values).map((k) => (k % 2 === 0 ? 0 : -SOFTPLUS_OFFSET)) };
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
