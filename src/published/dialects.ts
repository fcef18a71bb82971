import type { GlowOptions } from '../flows';
import { map, scaleLast, type Values, zeros } from './arrays';
import { channelsOf, type Structure, stepsOf, topPriorOf } from './structure';

/** A Glow's full configuration and its weights, on the way to another code's conventions. */
export interface HostGlow {
  config: Required<Omit<GlowOptions, 'seed'>>;
  weights: Map<string, Values>;
}

/**
 * The same density for images in another range, by the first actnorm: with v = a x + b, (v + bias) e^s = (x + (b + bias) / a) e^(s + ln a).
 */
export function withPreprocessing({ config, weights }: HostGlow, wanted: 'centered' | 'unit'): HostGlow {
  if (config.preprocessing === wanted) return { config, weights };
  const levels = 2 ** config.nBits;
  // centered = (unit - 1/2) (levels - 1) / levels
  const toCentered = (levels - 1) / levels;
  const [a, b] = wanted === 'unit' ? [toCentered, -toCentered / 2] : [1 / toCentered, 0.5];
  const [{ ours }] = stepsOf(config);
  const changed = new Map(weights);
  changed.set(
    `${ours}/actnorm/bias`,
    map(weights.get(`${ours}/actnorm/bias`)!, (bias) => (bias + b) / a),
  );
  changed.set(
    `${ours}/actnorm/logScale`,
    map(weights.get(`${ours}/actnorm/logScale`)!, (s) => s + Math.log(a)),
  );
  return { config: { ...config, preprocessing: wanted }, weights: changed };
}

/** Networks whose convolutions are followed by an actnorm: a bias is one with scale 1. */
export function withNetworkActnorm({ config, weights }: HostGlow): HostGlow {
  if (config.networkActnorm) return { config, weights };
  const changed = new Map(weights);
  for (const { layer } of hiddenLayers(config)) {
    const bias = weights.get(`${layer}/bias`)!;
    changed.set(`${layer}Norm/bias`, bias);
    changed.set(`${layer}Norm/logScale`, zeros(bias.shape));
  }
  return { config: { ...config, networkActnorm: true }, weights: changed };
}

/** Networks whose convolutions have a bias: an actnorm's scale goes into kernel and bias. */
export function withoutNetworkActnorm({ config, weights }: HostGlow): HostGlow {
  if (!config.networkActnorm) return { config, weights };
  const changed = new Map(weights);
  for (const { layer } of hiddenLayers(config)) {
    const scale = Float64Array.from(weights.get(`${layer}Norm/logScale`)!.data, Math.exp);
    changed.set(`${layer}/kernel`, scaleLast(weights.get(`${layer}/kernel`)!, scale));
    changed.set(`${layer}/bias`, scaleLast(weights.get(`${layer}Norm/bias`)!, scale));
  }
  return { config: { ...config, networkActnorm: false }, weights: changed };
}

/** A top prior with a part for the border: none, or one per channel, are cases of it. */
export function withBorderPrior({ config, weights }: HostGlow): HostGlow {
  const width = 2 * channelsOf(config, config.levels - 1);
  const prior = topPriorOf(config);
  const changed = new Map(weights);
  if (config.learnTop === false) changed.set(`${prior}/bias`, zeros([width]));
  if (config.learnTop !== 'border') changed.set(`${prior}/edgeKernel`, zeros([3, 3, 1, width]));
  return { config: { ...config, learnTop: 'border' }, weights: changed };
}

function hiddenLayers(structure: Structure): { layer: string }[] {
  return stepsOf(structure).flatMap(({ ours }) =>
    ['first', 'second'].map((name) => ({ layer: `${ours}/coupling/network/${name}` })),
  );
}
