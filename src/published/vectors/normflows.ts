import { complaint, FormatError } from '../../core/errors';
import { largest } from '../../core/lists';
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
import { inferMade } from './nflowsAutoregressive';
import { inferResidual } from './nflowsNetworks';
import { inferNormflowsBase, normflowsBase } from './normflowsBases';
import { normflowsLayer } from './normflowsLayers';
import { binsOf, range } from './transformers';

/** Bound of splines where none is given. */
const BOUND = 3;

/**
 * Flows of github.com/VincentStimper/normalizing-flows (c6616b1): layers under `flows`, from latents to data, and a base under `q0`. Splines
 * and masked networks have the names of nflows; contexts enter masked networks without an activation, and gate their blocks.
 */
export const normflows: VectorLibrary = {
  fromData: false,
  recognizes: (file) => file.names.some((name) => name.startsWith('flows.')),
  infer: (file) => {
    const layers = withGaps(file.places('flows').map((i) => [i, inferLayer(file.below(`flows.${i}`))]));
    return { ...commonSizes(layers), base: inferNormflowsBase(file.below('q0'), layers) };
  },
  layer: normflowsLayer,
  base: normflowsBase,
  ignores: (name) => /^flows\.\d+\.data_dep_init_done$/.test(name),
};

/** A layer, whatever names it has. */
function inferLayer(file: Below): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const plain = (features: number, layer: Omit<VectorLayer, 'at'>): SizedLayer => ({
    layer: { at, ...layer },
    others: {},
    features,
    context: 0,
  });
  const begins = (part: string) => file.names.some((name) => name.startsWith(`${part}.`));
  if (begins('flow')) {
    // Reverse
    const { layer, ...sizes } = inferLayer(file.below('flow'));
    return { ...sizes, layer: { ...layer, inverted: !layer.inverted } };
  }
  if (begins('prqct')) return inferSplineCoupling(file.below('prqct'));
  if (begins('mprqat')) return inferAutoregressive(file.below('mprqat'));
  if (begins('autoregressive_net')) {
    const { layer, ...sizes } = inferAutoregressive(file);
    return { ...sizes, layer: { ...layer, inverted: true } };
  }
  if (begins('flows.1.param_map')) return inferAffineCoupling(file.below('flows.1.param_map'));
  if (file.has('linear.unconstrained_upper_diag')) {
    const order = file.values('permutation._permutation');
    return plain(order.length, { type: 'linear', order });
  }
  if (file.has('inv_perm')) {
    const order = file.values('inv_perm');
    return plain(order.length, { type: 'permutation', order });
  }
  if (file.has('s') && file.has('t')) return plain(file.shape('s', 2)[1], { type: 'standardize' });
  throw unsupported(at, file.names);
}

/**
 * The layers with what stands where the list passes over a number: an exchange of halves (`Permute` with mode 'swap') has no parameters.
 * Where every other layer is one, so is the last, which no number tells.
 */
function withGaps(given: readonly (readonly [place: number, layer: SizedLayer])[]): SizedLayer[] {
  const places = new Map(given);
  const last = given[given.length - 1][0];
  const alternating = given.length > 1 && given.every(([place], i) => place === 2 * i);
  const features = largest(given.map(([, layer]) => layer.features));
  const gap = (place: number): SizedLayer => ({
    layer: { at: `flows.${place}`, type: 'gap', gaps: 'swap' },
    others: { gaps: ['identity'] },
    features,
    context: 0,
  });
  return range(last + (alternating ? 2 : 1)).map((place) => places.get(place) ?? gap(place));
}

/** A coupling of splines: a network for the values that are mapped, and a spline for each one that passes. */
function inferSplineCoupling(file: Below): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const mapped = new Set(file.values('transform_features'));
  const passing = file.values('identity_features').length;
  const features = mapped.size + passing;
  const { outputs, context, ...network } = inferResidual(file.below('transform_net'), passing);
  const { others, ...map } = inferSpline(file, outputs / mapped.size, passing);
  return {
    layer: {
      at,
      type: 'coupling',
      ...map,
      ...network,
      activation: 'relu',
      context: context > 0,
      divided: true,
      passes: range(features).map((i) => !mapped.has(i)),
      bendsPassed: file.has('unconditional_transform.unnormalized_widths'),
    },
    others: { activation: except(ACTIVATIONS, 'relu'), ...others },
    features,
    context,
  };
}

/** On circles there are K + 1 derivatives. @param passing number of values that pass */
function inferSpline(
  file: Below,
  parameters: number,
  passing: number,
): Pick<VectorLayer, 'transformer' | 'bins' | 'bound'> & { others: Others } {
  const bins = binsOf(parameters);
  if (bins !== undefined) {
    return { transformer: 'spline', bins, bound: BOUND, others: { bound: except(BOUNDS, BOUND) } };
  }
  const angles = file.below('transform_net.preprocessing');
  if ((parameters - 1) % 3 === 0 && angles.has('ind') && angles.values('ind').length === passing) {
    const bound = Math.PI;
    return {
      transformer: 'circularSpline',
      bins: (parameters - 1) / 3,
      bound,
      // The values that are mapped may lie on the line there, which is not read.
      others: { bound: except(BOUNDS, bound), transformer: [] },
    };
  }
  const expected = `splines of ${file.prefix.slice(0, -1)} with linear tails, or all of them on circles`;
  throw new FormatError(complaint('importCheckpoint', expected, `${parameters} parameters per value`));
}

/** A masked autoregressive layer, affine or of splines. */
function inferAutoregressive(file: Below): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const net = file.below('autoregressive_net');
  const { perValue, features, context, ...network } = inferMade(net);
  if (network.network === 'perceptron') {
    // Two layers stand there without an activation between them.
    const expected = `residual blocks in the masked network at ${at}`;
    throw new FormatError(complaint('importCheckpoint', expected, 'layers one after another'));
  }
  const bins = binsOf(perValue);
  if (bins === undefined && perValue !== 2) {
    const expected = `affine maps or splines with linear tails at ${at}`;
    throw new FormatError(complaint('importCheckpoint', expected, `${perValue} parameters per value`));
  }
  const layer: VectorLayer = {
    at,
    type: 'autoregressive',
    ...network,
    activation: 'relu',
    context: context > 0,
  };
  const activation = except(ACTIVATIONS, 'relu');
  if (bins === undefined) {
    return {
      layer: { ...layer, transformer: 'affine', scale: 'sigmoid' },
      others: { activation },
      features,
      context,
    };
  }
  return {
    layer: { ...layer, transformer: 'spline', bins, bound: BOUND, divided: false },
    others: { activation, bound: except(BOUNDS, BOUND), divided: [true] },
    features,
    context,
  };
}

/** The coupling of a block that splits, maps the second part by what a perceptron reads in the first, and merges. */
function inferAffineCoupling(file: Below): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const places = file.places('net');
  if (places.length === 0 || places.some((place, i) => place !== 2 * i)) {
    const expected = `a perceptron at ${at}.net, linear layers at 0, 2, 4, ...`;
    const received = places.length === 0 ? file.names.slice(0, 4).join(', ') : `layers ${places.join(', ')}`;
    throw new FormatError(complaint('importCheckpoint', expected, received));
  }
  const shapes = places.map((place) => file.shape(`net.${place}.weight`, 2));
  const [passing, outputs] = [shapes[0][1], shapes[shapes.length - 1][0]];
  // The first part has the value in the middle, if there is one.
  const additive = outputs === passing || outputs === passing - 1;
  const mapped = additive ? outputs : outputs / 2;
  const features = passing + mapped;
  return {
    layer: {
      at,
      type: 'coupling',
      ...(additive ? { transformer: 'additive' } : { transformer: 'affine', scale: 'exp' }),
      network: 'perceptron',
      hiddenUnits: shapes.slice(0, -1).map(([width]) => width),
      activation: 'relu',
      context: false,
      passes: range(features).map((i) => i < passing),
      inverted: true,
    },
    others: { activation: ['leakyRelu'], ...(!additive && { scale: [] }) },
    features,
    context: 0,
  };
}

function unsupported(at: string, names: readonly string[]): FormatError {
  const hint =
    'Read are couplings and autoregressive layers with splines, masked affine ones, affine coupling blocks, LULinearPermute, Permute, AffineConstFlow and ActNorm.';
  const received = `one with ${names.slice(0, 6).join(', ')}`;
  return new FormatError(
    complaint('importCheckpoint', `a layer of normflows at ${at} that is read`, received, hint),
  );
}
