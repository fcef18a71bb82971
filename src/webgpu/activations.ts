import { LEAK } from '../core/kernelConstants';
import type { Activation } from '../layers/networks/activations';
import { logOnePlus, sigmoids, tanhOf } from './elementary';

/** What an activation makes of x, and its slope there, in WGSL. NaN stays NaN: comparisons with it are false. */
const FORMS: Record<Activation, { value: string; slope: string }> = {
  relu: {
    value: 'select(x, NUMBER(0), x < NUMBER(0))',
    slope: 'select(NUMBER(1), NUMBER(0), x <= NUMBER(0))',
  },
  leakyRelu: {
    value: `select(x, ${LEAK} * x, x < NUMBER(0))`,
    slope: `select(NUMBER(1), NUMBER(${LEAK}), x <= NUMBER(0))`,
  },
  tanh: { value: 'tanhOf(x)', slope: '1f - tanhOf(x) * tanhOf(x)' },
  elu: {
    value: 'select(x, expLessOne(x), x < NUMBER(0))',
    slope: 'select(NUMBER(1), exp(min(x, NUMBER(0))), x <= NUMBER(0))',
  },
  softplus: { value: '-logSigmoid(-x)', slope: 'sigmoid(x)' },
  silu: { value: 'x * sigmoid(x)', slope: 'sigmoid(x) * (1f + x * sigmoid(-x))' },
  gelu: { value: 'x * normalShare(x)', slope: 'normalShare(x) + x * 0.39894228 * exp(-0.5 * x * x)' },
};

/** e^x - 1 for x <= 0, by tanh(x / 2), which keeps small ones exact. */
const EXP_LESS_ONE = `
fn expLessOne(x: NUMBER) -> NUMBER {
  let t = tanhOf(0.5 * x);
  return 2f * t / (1f - t);
}`;

/** P(N <= x): Abramowitz and Stegun, 7.1.26, as the ordinary op has it, to 1e-7. */
const NORMAL_SHARE = `
fn normalShare(x: NUMBER) -> NUMBER {
  let size = abs(x) * 0.70710678;
  let t = 1f / (1f + 0.3275911 * size);
  let p = (((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592;
  // Half of what lies beyond |x| on both sides.
  let beyond = 0.5 * p * t * exp(-size * size);
  return select(1f - beyond, beyond, x < NUMBER(0));
}`;

/** `activate(x)` and `slopeAt(x)` of an activation, beside `sigmoid(x)`. */
export function activationOf(activation: Activation, type = 'f32'): string {
  const { value, slope } = FORMS[activation];
  const own = `${EXP_LESS_ONE}${NORMAL_SHARE}
fn activate(x: NUMBER) -> NUMBER { return ${value}; }
fn slopeAt(x: NUMBER) -> NUMBER { return ${slope}; }`;
  return `${logOnePlus(type)}${tanhOf(type)}${sigmoids(type)}${own.replaceAll('NUMBER', type)}`;
}
