import { AffineTransformer, HalfTurn, RationalQuadraticSpline, type Transformer } from 'tfjs-flows';
import type { Arrays, LayerConfig } from './arrays';
import { type Dense, mapOutputs, takeOutputs } from './dense';

/** A map of single numbers, and a network's last layer as ours reads it. */
export interface Univariate {
  transformer: Transformer;
  adapt(last: Dense): Dense;
}

const MINIMUM = 1e-3;
/** What softplus is 1 - MINIMUM of: ours adds it, so that zeros are the identity. */
const OFFSET = Math.log(Math.expm1(1 - MINIMUM));

/** nflows and normflows: derivatives without our offset, widths and heights divided by sqrt(hidden) in couplings. */
export function nflowsSpline({ univariate }: LayerConfig): Univariate {
  const { bins, bound } = univariate;
  const circular = univariate.tails === 'circular';
  const transformer = new RationalQuadraticSpline({ bins, bound, tails: circular ? 'circular' : 'linear' });
  const { parameters } = transformer;
  // On a circle there is one derivative more, which the library replaces by the first.
  const given = circular ? parameters + 1 : parameters;
  const divisor = Math.sqrt(
    Number(/sqrt\((\d+)\)/.exec(String(univariate.widths_heights_divided_by))?.[1] ?? 1),
  );
  return {
    transformer,
    adapt: (last) =>
      mapOutputs(
        takeOutputs(
          last,
          valuesOf(last, given).flatMap((at) => range(at, parameters)),
        ),
        (output) => (output % parameters < 2 * bins ? { factor: 1 / divisor } : { offset: -OFFSET }),
      ),
  };
}

/** Parameters [values, p] of the spline that the passed half goes through. */
export function passedParameters(arrays: Arrays, { univariate }: LayerConfig): number[] {
  const [widths, heights, derivatives] = ['widths', 'heights', 'derivatives'].map((name) =>
    arrays.rows(`unnormalized_${name}`),
  );
  const count = univariate.tails === 'circular' ? univariate.bins : univariate.bins - 1;
  return widths.flatMap((row, i) => [
    ...row,
    ...heights[i],
    ...derivatives[i].slice(0, count).map((value) => value - OFFSET),
  ]);
}

/** z = scale x + shift from [scale, shift] for each value: ours are [shift, scale]. */
export function scaleFirst({ univariate }: LayerConfig): Univariate {
  const scale = univariate.scale?.startsWith('softplus') ? 'softplus' : 'sigmoid';
  return {
    transformer: new AffineTransformer({ scale, minimum: MINIMUM }),
    adapt: (last) => {
      const swapped = takeOutputs(
        last,
        valuesOf(last, 2).flatMap((at) => [at + 1, at]),
      );
      return scale === 'sigmoid'
        ? swapped
        : mapOutputs(swapped, (output) => (output % 2 === 1 ? { offset: -OFFSET } : {}));
    },
  };
}

/** z = scale x + shift from [all shifts | all scales]. */
export function halves(): Univariate {
  return {
    transformer: new AffineTransformer({ scale: 'sigmoid', minimum: MINIMUM }),
    adapt: (last) => {
      const half = last.bias.length / 2;
      return takeOutputs(
        last,
        range(0, half).flatMap((value) => [value, value + half]),
      );
    },
  };
}

/** z = exp(s) x + shift from [shift, s] for each value, without any limit. */
export function unlimited(): Univariate {
  return { transformer: new AffineTransformer({ limit: 1e12 }), adapt: (last) => last };
}

/** zuko: [shift, scale] for each value, or a spline with smooth limits; both as ours. */
export function zukoUnivariate({ univariate: { kind, bins, bound } }: LayerConfig): Univariate {
  const same = (transformer: Transformer) => ({ transformer, adapt: (last: Dense) => last });
  if (kind === 'affine') return same(new AffineTransformer());
  if (kind === 'rq-spline') return same(new RationalQuadraticSpline({ bins, bound, limits: 'softclip' }));
  const spline = new RationalQuadraticSpline({ bins, bound, limits: 'softclip' });
  return same(new HalfTurn({ transformer: spline, bound }));
}

/** Where the outputs of each value begin. */
function valuesOf({ bias }: Dense, perValue: number): number[] {
  return range(0, bias.length / perValue).map((value) => value * perValue);
}

function range(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}
