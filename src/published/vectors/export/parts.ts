import type { Activation } from '../../../layers';
import type { Weights } from '../../rule';
import type { VectorLayer } from '../config';
import type { Config, Serialized } from './ownLayers';
import type { Need } from './reasons';

/** Least share of a spline's piece, least derivative and least scale in the libraries. */
export const MINIMUM = 1e-3;

/** A network of ours, as the libraries' descriptions have it. */
export interface NetworkParts {
  kind: 'perceptron' | 'residual' | 'other';
  masked: boolean;
  form: Pick<VectorLayer, 'network' | 'hiddenUnits' | 'blocks' | 'activation' | 'context'>;
  contextAs?: 'inputs' | 'shifts' | 'gates';
  preactivated: boolean;
}

const kinds: Record<string, Pick<NetworkParts, 'kind' | 'masked'>> = {
  FlowMultilayerPerceptron: { kind: 'perceptron', masked: false },
  FlowResidualPerceptron: { kind: 'residual', masked: false },
  FlowMaskedPerceptron: { kind: 'perceptron', masked: true },
  FlowMaskedResidualPerceptron: { kind: 'residual', masked: true },
};

/** A network as plain JSON. */
export function networkParts({ className, config }: Serialized, need: Need): NetworkParts {
  const { kind, masked } = kinds[className] ?? { kind: 'other', masked: false };
  need(kind !== 'other', `its network is a ${className}; perceptrons of this library are written`);
  need(config.periodic === undefined, 'its network reads sines and cosines');
  const context = config.context !== undefined;
  const residual = kind === 'residual';
  const units = config.hiddenUnits as number | number[];
  return {
    kind,
    masked,
    form: {
      network: residual ? 'residual' : 'perceptron',
      hiddenUnits: Array.isArray(units) ? units : [units],
      ...(residual && { blocks: config.blocks as number }),
      activation: config.activation as Activation,
      context,
    },
    ...(context && {
      contextAs: (config.contextAs ?? (residual ? 'gates' : 'inputs')) as NetworkParts['contextAs'],
    }),
    preactivated: config.preactivated !== false,
  };
}

/** What a spline of ours must be to be one of a library. */
export function checkSpline(config: Config, limits: 'minimum' | 'softclip', need: Need): void {
  need(config.tails === 'linear', `its splines have tails '${config.tails}', not 'linear'`);
  need(config.box === 'fixed', 'the boxes of its splines are learned');
  need(config.limits === limits, `its splines have limits '${config.limits}', not '${limits}'`);
  need(config.minimum === MINIMUM, `the minimum of its splines is ${config.minimum}, not ${MINIMUM}`);
}

/** Whether all scales are above one. @param name of the weight with their logs */
export function scalesAbove(weights: Weights, least: number, name = 'logScales'): boolean {
  return weights.get(name)?.data.every((log) => Math.exp(log) > least) ?? true;
}

/** Which values pass through a coupling. */
export function passingOf(passthrough: unknown, features: number): boolean[] {
  if (Array.isArray(passthrough)) return passthrough.map(Boolean);
  return Array.from({ length: features }, (_, i) => i < (passthrough as number));
}
