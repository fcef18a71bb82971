import { LOG_SCALE_LIMIT, SIGMOID_SHIFT } from '../core/kernelConstants';
import type { AffineScale, ScaleMap } from '../layers/scaleMaps';
import { exponentials, logOnePlus, sigmoids, softplus, tanhOf } from './elementary';

/*
 * How a parameter becomes a scale, in WGSL: `logScaleOf(raw)`, and its derivative `slopeOf(raw)`. See layers/scaleMaps.
 */

/** The log of a scale in the limits of a smooth clamp, and its derivative; `limit` in WGSL. */
function clamped(limit: string | number, type: string): string {
  return `${tanhOf(type)}
fn logScaleOf(raw: ${type}) -> ${type} { return tanhOf(raw / ${limit}) * ${limit}; }
fn slopeOf(raw: ${type}) -> ${type} { let t = tanhOf(raw / ${limit}); return 1f - t * t; }`;
}

/** How a coupling makes its scale; 'log': the parameter is its log. */
export type CouplingScale = ScaleMap | 'log';

const ofCouplings: Record<CouplingScale, (type: string) => string> = {
  sigmoid: (type) => `${logOnePlus(type)}${sigmoids(type)}
fn logScaleOf(raw: ${type}) -> ${type} { return logSigmoid(raw + ${SIGMOID_SHIFT}); }
fn slopeOf(raw: ${type}) -> ${type} { return sigmoid(-(raw + ${SIGMOID_SHIFT})); }`,
  exp: (type) => clamped(LOG_SCALE_LIMIT, type),
  log: (type) => `
fn logScaleOf(raw: ${type}) -> ${type} { return raw; }
fn slopeOf(raw: ${type}) -> ${type} { return ${type}(1); }`,
};

export function logScaleOfCoupling(map: CouplingScale, type: string): string {
  return ofCouplings[map](type);
}

const ofTransformers: Record<AffineScale, () => string> = {
  softclip: () => `
fn logScaleOf(raw: f32) -> f32 { return raw / (abs(raw) / sizes.bound + 1f); }
fn slopeOf(raw: f32) -> f32 { let shrink = abs(raw) / sizes.bound + 1f; return 1f / (shrink * shrink); }`,
  exp: () => clamped('sizes.bound', 'f32'),
  softplus: () => `${exponentials()}${logOnePlus()}${softplus()}${sigmoids()}
fn scaleOf(raw: f32) -> f32 { return softplus(raw + sizes.one) + sizes.bound; }
fn logScaleOf(raw: f32) -> f32 { return logOf(scaleOf(raw)); }
fn slopeOf(raw: f32) -> f32 { return sigmoid(raw + sizes.one) / scaleOf(raw); }`,
  sigmoid: () => `${exponentials()}${logOnePlus()}${sigmoids()}
fn scaleOf(raw: f32) -> f32 { return sigmoid(raw + ${SIGMOID_SHIFT}) + sizes.bound; }
fn logScaleOf(raw: f32) -> f32 { return logOf(scaleOf(raw)); }
fn slopeOf(raw: f32) -> f32 {
  return sigmoid(raw + ${SIGMOID_SHIFT}) * sigmoid(-(raw + ${SIGMOID_SHIFT})) / scaleOf(raw);
}`,
};

/** Reads the sizes `bound: f32` and `one: f32`, by which the scale of a parameter of 0 is 1. */
export function logScaleOfTransformer(scale: AffineScale): string {
  return ofTransformers[scale]();
}
