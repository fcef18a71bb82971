import { complaint, FormatError } from '../../core/errors';
import { sizeOf } from '../../core/shapes';
import type { Below } from './below';
import type { VectorLayer } from './config';
import {
  ACTIVATIONS,
  BOUNDS,
  commonSizes,
  except,
  type Others,
  type SizedLayer,
  type VectorLibrary,
} from './library';
import { placesIn, refuseGaps } from './lists';
import { binsOf, range } from './transformers';
import { inferZukoBase, zukoBase } from './zukoBases';
import { zukoLayer } from './zukoLayers';

/**
 * Flows of github.com/probabilists/zuko (1063ae4), also inside sbi: transforms under `transform`, their networks as lists of linear layers
 * under `hyper`, masks and orders beside them. Univariate maps are clipped smoothly; their parameters stand in our order.
 */
export const zuko: VectorLibrary = {
  fromData: true,
  recognizes: (file) => file.names.some((name) => name.startsWith('transform.')),
  infer: (file, how) => {
    const { base, features } = inferZukoBase(file.below('base'));
    const root = file.below('transform');
    const { places, gaps } = placesIn(root, 'transforms');
    if (how.gaps !== 'identity') refuseGaps(gaps);
    const circular = base.type === 'box';
    return { ...commonSizes(places.map(({ at }) => inferLayer(root.below(at), features, circular))), base };
  },
  layer: zukoLayer,
  base: zukoBase,
  ignores: () => false,
};

/** @param circular whether the values are angles: their splines lie on a circle that is turned from layer to layer */
function inferLayer(file: Below, features: number, circular: boolean): SizedLayer {
  const { names } = file;
  const at = file.prefix.slice(0, -1);
  const plain = (size: number, layer: Omit<VectorLayer, 'at'>): SizedLayer => ({
    layer: { at, ...layer },
    others: {},
    features: size,
    context: 0,
  });
  if (names.every((name) => name.startsWith('transform.'))) {
    const { layer, ...sizes } = inferLayer(file.below('transform'), features, circular);
    return { ...sizes, layer: { ...layer, inverted: !layer.inverted } };
  }
  if (names.some((name) => name.startsWith('hyper.'))) return inferSteered(file, features, circular);
  if (file.has('phi.0')) return inferFree(file, features, circular);
  const positional = !file.has('loc');
  const shift = positional ? '_0' : 'loc';
  if (file.has(shift)) {
    const { shape } = file.get(shift);
    return plain(sizeOf(shape), { type: 'standardize', ...(positional && { positional }) });
  }
  if (file.has('LU')) return plain(file.shape('LU', 2)[0], { type: 'linear' });
  if (file.has('order')) {
    const order = file.values('order');
    return plain(order.length, { type: 'permutation', order });
  }
  throw unsupported(at, names);
}

/** A layer whose parameters a network reads: in the values before each, in those that pass, or in the context alone. */
function inferSteered(file: Below, features: number, circular: boolean): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const other = file.names.filter((name) => !/^(hyper\..*|mask|order)$/.test(name));
  if (other.length > 0) throw unsupported(at, other);
  const network = inferNetwork(file.below('hyper'));
  const passes = file.has('mask') ? file.values('mask').map(Boolean) : undefined;
  const type = network.masked ? 'autoregressive' : passes === undefined ? 'elementwise' : 'coupling';
  const read = { autoregressive: features, elementwise: 0, coupling: passes?.filter(Boolean).length ?? 0 }[
    type
  ];
  const context = network.inputs - read;
  const mapped = type === 'coupling' ? features - read : features;
  const { map, others } = inferMap(at, network.outputs / mapped, circular);
  return {
    layer: {
      at,
      type,
      ...(passes && { passes }),
      ...map,
      ...network.form,
      activation: 'relu',
      context: context > 0,
    },
    others: { activation: except(ACTIVATIONS, 'relu'), ...others },
    features: passes?.length ?? features,
    context,
  };
}

/** A map of each value by parameters of its own: one list of numbers after another. */
function inferFree(file: Below, features: number, circular: boolean): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const parts = range(file.count('phi')).map((i) => file.get(`phi.${i}`).shape.slice(1));
  const lengths = parts.map(([length = 1]) => length);
  const { map, others } = inferMap(
    at,
    lengths.reduce((sum, length) => sum + length),
    circular,
  );
  const fits = parts.length === (map.transformer === 'additive' ? 1 : map.transformer === 'affine' ? 2 : 3);
  if (!fits) throw unsupported(at, file.names);
  return { layer: { at, type: 'elementwise', ...map }, others, features, context: 0 };
}

/** The map of single numbers by its number of parameters. */
function inferMap(
  at: string,
  parameters: number,
  circular: boolean,
): { map: Pick<VectorLayer, 'transformer' | 'bins' | 'bound'>; others: Others } {
  if (parameters === 1) return { map: { transformer: 'additive' }, others: {} };
  if (parameters === 2) return { map: { transformer: 'affine' }, others: {} };
  const bins = binsOf(parameters);
  if (bins === undefined) {
    const expected = `1, 2 or 3 K - 1 parameters for each value at ${at}, as affine maps and splines have`;
    const hint = "zuko's polynomials, monotone networks and Gaussianizations are not read.";
    throw new FormatError(complaint('importCheckpoint', expected, parameters, hint));
  }
  if (circular) return { map: { transformer: 'circularSpline', bins, bound: Math.PI }, others: {} };
  // As many numbers as of this spline steer a Bernstein polynomial, which is not read.
  const doubt = parameters === 17 ? { transformer: [] } : {};
  return { map: { transformer: 'spline', bins, bound: 5 }, others: { bound: except(BOUNDS, 5), ...doubt } };
}

/** Sizes of a network. */
interface NetworkSizes {
  inputs: number;
  outputs: number;
  masked: boolean;
  form: Pick<VectorLayer, 'network' | 'hiddenUnits' | 'blocks'>;
}

/** Linear layers stand at every second place, activations between them; blocks of two at places of their own. */
function inferNetwork(hyper: Below): NetworkSizes {
  const at = hyper.prefix.slice(0, -1);
  const places = hyper.places('');
  const isBlock = (place: number) => hyper.has(`${place}.0.weight`);
  const linear = places.filter((place) => !isBlock(place));
  const blocks = places.length - linear.length;
  const shapes = linear.map((place) => hyper.shape(`${place}.weight`, 2));
  const sizes = { inputs: shapes[0][1], outputs: shapes[shapes.length - 1][0], masked: hyper.has('0.mask') };
  const hiddenUnits = shapes.slice(0, -1).map(([outputs]) => outputs);
  if (blocks > 0) {
    const one = linear.length === 2 && places.every((place, i) => place === i) && sizes.masked;
    if (one) return { ...sizes, form: { network: 'residual', hiddenUnits, blocks } };
    throw new FormatError(
      complaint(
        'importCheckpoint',
        `blocks of one width between two layers at ${at}`,
        `layers ${places.join(', ')}`,
      ),
    );
  }
  if (places.some((place, i) => place !== 2 * i)) {
    const hint = 'Networks with normalize=True have a normalization there, and are not read.';
    const received = `layers ${places.join(', ')}`;
    throw new FormatError(
      complaint('importCheckpoint', `linear layers ${at}.0, .2, .4, ...`, received, hint),
    );
  }
  return { ...sizes, form: { network: 'perceptron', hiddenUnits } };
}

function unsupported(at: string, names: readonly string[]): FormatError {
  const hint =
    'Read are masked autoregressive, coupling and elementwise layers, affine and with rational-quadratic splines, standardizations, permutations and LU.';
  const received = `one with ${names.slice(0, 6).join(', ')}`;
  return new FormatError(
    complaint('importCheckpoint', `a layer of zuko at ${at} that is read`, received, hint),
  );
}
