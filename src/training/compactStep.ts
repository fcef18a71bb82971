import { SEGMENT } from '../core/kernelConstants';
import type { CompactStep } from './fusedCompactStep';

/** Values of one weight; the first two are changed where they lie. */
interface CompactState {
  weight: Float32Array;
  /** Upper 16 bits: second moment, a float32 without its sign and its last 15 bits. Lower: first moment, without its last 16. */
  moments: Int32Array;
  gradient: Float32Array;
}

/** One step of `CompactAdam` on all weights, on the host: the ordinary form of `fusedCompactStep`. */
export function compactStep(states: readonly CompactState[], step: CompactStep, gradientScale: number): void {
  const { beta1, beta2, bias1, bias2, epsilon, learningRate } = step;
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  const fromBits = (value: number) => {
    bits[0] = value;
    return float[0];
  };
  const toBits = (value: number) => {
    float[0] = value;
    return bits[0];
  };
  let start = 0;
  for (const { weight, moments, gradient } of states) {
    for (let i = 0; i < weight.length; i++) {
      const chance = scramble((start + i) ^ step.seed);
      const g = gradientScale * gradient[i];
      const m = beta1 * fromBits(moments[i] << 16) + (1 - beta1) * g;
      const v = beta2 * fromBits((moments[i] & 0xffff0000) >>> 1) + (1 - beta2) * g ** 2;
      const first = (toBits(m) + (chance & 0xffff)) >>> 16;
      const second = (toBits(v) + (chance >>> 17)) >>> 15;
      moments[i] = (second << 16) | first;
      const size = Math.sqrt(fromBits(second << 15) / bias2);
      weight[i] -= (learningRate * fromBits(first << 16)) / bias1 / (size + epsilon);
    }
    // Tensors start at multiples of a segment in the count that rounding goes by.
    start += Math.ceil(weight.length / SEGMENT) * SEGMENT;
  }
}

/** 32 bits that look random (lowbias32, Chris Wellons, 2018). */
function scramble(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
