import { type Bijector, Chain, Invert, Permutation, TransformerCoupling } from 'tfjs-flows';
import { readDense } from './dense';
import { perceptron } from './networks';
import { couplingLayer, type LayerSource, luLayer, normflowsAutoregressive } from './nflows';
import { nflowsSpline, scaleFirst, unlimited } from './univariates';

/** A layer of normflows, whose lists run from latents to data, from data to latents. */
export function normflowsLayer(source: LayerSource): Bijector {
  const { layer, arrays, features, name } = source;
  const inputShape = [features];
  const below = (part: string) => ({ ...source, arrays: arrays.below(part) });
  switch (layer.type) {
    case 'CoupledRationalQuadraticSpline':
    case 'CircularCoupledRationalQuadraticSpline':
      return couplingLayer(below('prqct'), nflowsSpline(layer));
    case 'AutoregressiveRationalQuadraticSpline':
      return normflowsAutoregressive(below('mprqat'), nflowsSpline(layer));
    case 'Reverse(MaskedAffineAutoregressive)':
      return normflowsAutoregressive(below('flow'), scaleFirst(layer));
    case 'MaskedAffineAutoregressive':
      return new Invert({ bijector: normflowsAutoregressive(source, scaleFirst(layer)), name });
    case 'LULinearPermute':
      return new Chain({
        name,
        bijectors: [
          new Permutation({ inputShape, order: arrays.values('permutation._permutation') }),
          luLayer(arrays.below('linear'), features, 'linear'),
        ],
      });
    case 'Permute shuffle':
      return new Permutation({ inputShape, order: arrays.values('inv_perm'), name });
    case 'Permute swap':
      return new Permutation({ inputShape, order: swapped(features), name });
    case 'AffineCouplingBlock':
      return new Invert({ bijector: couplingBlock(below('flows.1.param_map')), name });
    default:
      throw new Error(`no layer ${layer.type}`);
  }
}

/** Latents to data x2 = z2 exp(s) + shift. */
function couplingBlock({ arrays, features }: LayerSource): Bijector {
  const { transformer } = unlimited();
  return new TransformerCoupling({
    inputShape: [features],
    passthrough: Math.ceil(features / 2),
    transformer,
    network: perceptron(
      ['net.0', 'net.2', 'net.4'].map((part) => readDense(arrays.below(part))),
      { activation: 'relu', context: 0 },
    ),
  });
}

/** The second part of the values, then the first. */
function swapped(d: number): number[] {
  const half = Math.floor((d + 1) / 2);
  return Array.from({ length: d }, (_, i) => (i + half) % d);
}
