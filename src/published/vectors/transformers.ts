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
/** What softplus is 1 - MINIMUM of, in float32: ours adds it, so that zeros are the identity; theirs does not. */
export const SOFTPLUS_OFFSET = Math.fround(Math.log(Math.expm1(1 - MINIMUM)));

/** The bins of a spline with linear tails by its number of parameters for each value; undefined where that is none. */
export function binsOf(parameters: number): number | undefined {
  const bins = (parameters + 1) / 3;
  return Number.isInteger(bins) && bins >= 2 ? bins : undefined;
}

/**
 * Splines of nflows and normflows: derivatives without our offset; widths and heights divided by a root in couplings. On circles they give one
 * derivative more, in whose place the first one is taken.
 */
export function minimumSpline(layer: VectorLayer): Univariate {
  const { bins, bound, divided, hiddenUnits = [] } = layer;
  const circular = layer.transformer === 'circularSpline';
  const transformer = new RationalQuadraticSpline({ bins, bound, tails: circular ? 'circular' : 'linear' });
  const { parameters } = transformer;
  const given = circular ? parameters + 1 : parameters;
  const factor = divided ? 1 / Math.sqrt(hiddenUnits[0]) : 1;
  const isShare = (k: number) => k % parameters < 2 * (bins as number);
  return {
    transformer,
    head: (values) => {
      const ours = range(values * parameters);
      return {
        outputs: values * given,
        places: ours.map((k) => k + (given - parameters) * Math.floor(k / parameters)),
        factors: ours.map((k) => (isShare(k) ? factor : 1)),
        offsets: ours.map((k) => (isShare(k) ? 0 : -SOFTPLUS_OFFSET)),
      };
    },
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
