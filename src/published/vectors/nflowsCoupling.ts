import { complaint, FormatError } from '../../core/errors';
import type { Activation } from '../../layers';
import type { Values } from '../arrays';
import type { Rule } from '../rule';
import type { Below } from './below';
import type { VectorLayer } from './config';
import { coupling, elementwise } from './couplings';
import { ACTIVATIONS, BOUNDS, except, type InferHow, type SizedLayer } from './library';
import { type Form, type NetworkPiece, perceptron, residualNetwork } from './networks';
import { contextLayers, inferNetwork, plainLayers } from './nflowsNetworks';
import { constant, integers, type LayerPiece, type Scene } from './piece';
import {
  additive,
  binsOf,
  halves,
  minimumSpline,
  range,
  SOFTPLUS_OFFSET,
  type Univariate,
} from './transformers';

/*
 * Couplings of nflows: indices of the values that pass and of those that are mapped, a network `transform_net` (nflowsNetworks.ts), and where
 * the values that pass are bent too, parameters of a spline for each of them.
 */

/** Bound of splines where none is given: in nflows itself, and in the builders of sbi. */
export function defaultBound({ sbi }: InferHow): number {
  return sbi ? 3 : 1;
}

/** What the shapes of a coupling tell. */
export function inferCoupling(file: Below, how: InferHow): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const mapped = new Set(file.values('transform_features'));
  const passing = file.values('identity_features').length;
  const features = mapped.size + passing;
  const net = file.below('transform_net');
  const { outputs, context, ...network } = inferNetwork(net, passing);
  const layer: VectorLayer = {
    at,
    type: passing === 0 ? 'elementwise' : 'coupling',
    activation: 'relu',
    ...network,
    context: context > 0,
    passes: range(features).map((i) => !mapped.has(i)),
  };
  const isPlain = network.network === 'perceptron';
  const { others, ...map } = inferMap(at, outputs / mapped.size, { ...how, isPlain });
  const bendsPassed = file.has('unconditional_transform.unnormalized_widths');
  return {
    layer: { ...layer, ...map, ...(bendsPassed && { bendsPassed }) },
    others: { activation: except(ACTIVATIONS, 'relu'), ...others },
    features,
    context,
  };
}

/** Splines are divided by the root of a width where the network tells it, which plain ones do not. */
function inferMap(
  at: string,
  perValue: number,
  how: InferHow & { isPlain: boolean },
): Partial<VectorLayer> & Pick<SizedLayer, 'others'> {
  if (perValue === 1) return { transformer: 'additive', others: {} };
  if (perValue === 2) return { transformer: 'affine', scale: 'sigmoid', others: {} };
  const bound = defaultBound(how);
  return {
    transformer: 'spline',
    bins: splineBins(at, perValue),
    bound,
    divided: !how.isPlain,
    others: { bound: except(BOUNDS, bound), ...(!how.isPlain && { divided: [false] }) },
  };
}

/**
 * Bins of a rational-quadratic spline with linear tails.
 *
 * @throws FormatError where there are no such
 */
export function splineBins(at: string, perValue: number): number {
  const bins = binsOf(perValue);
  if (bins !== undefined) return bins;
  const expected = `a rational-quadratic spline with linear tails at ${at}, of 3 bins - 1 parameters per value`;
  throw new FormatError(
    complaint(
      'importCheckpoint',
      expected,
      `${perValue}`,
      'Splines of other kinds and without tails are not read.',
    ),
  );
}

/** A coupling by its description. */
export function couplingPiece(layer: VectorLayer, scene: Scene): LayerPiece {
  const { type, passes = [], activation, context, bendsPassed, bins = 0, hiddenUnits = [] } = layer;
  const places = range(passes.length);
  const [passing, mapped] = [places.filter((i) => passes[i]), places.filter((i) => !passes[i])];
  const univariate = univariateOf(layer);
  const head = univariate.head(mapped.length);
  const form = { activation: activation as Activation, context: context ? scene.context : 0, head };
  const indices = [
    constant('identity_features', [passing.length], () => integers(passing)),
    constant('transform_features', [mapped.length], () => integers(mapped)),
  ];
  const parts = { univariate, networkAt: 'transform_net', beside: indices };
  if (type === 'elementwise') {
    const layers = contextLayers(hiddenUnits.length);
    const network = perceptron(layers, [scene.context, ...hiddenUnits], { ...form, context: 0 });
    return elementwise(scene, { ...parts, network });
  }
  const passed = bendsPassed && passedSpline(passing.length, bins, layer.transformer === 'circularSpline');
  return coupling(layer, scene, {
    ...parts,
    network: networkOf(layer, passing.length, form),
    ...(passed && { passed }),
  });
}

function networkOf(layer: VectorLayer, inputs: number, form: Form): NetworkPiece {
  const { network, hiddenUnits = [], blocks = 0, transformer, bound } = layer;
  if (network === 'perceptron')
    return perceptron(plainLayers(hiddenUnits.length), [inputs, ...hiddenUnits], form);
  const periodic = transformer === 'circularSpline' && bound !== undefined ? 2 * bound : undefined;
  return residualNetwork({ inputs, hidden: hiddenUnits[0], blocks, periodic }, form);
}

function univariateOf(layer: VectorLayer): Univariate {
  if (layer.transformer === 'additive') return additive();
  return layer.transformer === 'affine' ? halves(layer) : minimumSpline(layer);
}

/** Parameters of the spline that each value that passes goes through: [values, p] from three arrays; see `minimumSpline`. */
function passedSpline(values: number, bins: number, circular: boolean): Rule {
  const theirs = (part: string) => `unconditional_transform.unnormalized_${part}`;
  const ours = [bins, bins, circular ? bins : bins - 1];
  const given = [bins, bins, circular ? bins + 1 : bins - 1];
  const perValue = ours[0] + ours[1] + ours[2];
  const offsets = [0, 0, -SOFTPLUS_OFFSET];
  const visit = (each: (part: number, from: number, to: number) => void) => {
    let to = 0;
    for (let value = 0; value < values; value++) {
      ours.forEach((size, part) => {
        for (let i = 0; i < size; i++) each(part, value * given[part] + i, to++);
      });
    }
  };
  return {
    theirs: Object.fromEntries(
      ['widths', 'heights', 'derivatives'].map((part, i) => [theirs(part), [values, given[i]]]),
    ),
    ours: ['parameters'],
    read: (arrays) => {
      const joined = new Float32Array(values * perValue);
      visit((part, from, to) => {
        joined[to] = arrays[part].data[from] + offsets[part];
      });
      return [{ shape: [values, perValue], data: joined }];
    },
    write: ([joined]) => {
      const arrays = given.map(
        (size): Values => ({ shape: [values, size], data: new Float32Array(values * size) }),
      );
      visit((part, from, to) => {
        arrays[part].data[from] = joined.data[to] - offsets[part];
      });
      return arrays;
    },
  };
}
