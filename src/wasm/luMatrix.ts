import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { LuWeights } from '../layers/fusedLuMatrix';
import type { KernelCall } from './register';

/** Room for so many channels, which starts with the diagonal of U. */
function roomOf({ kernels }: KernelCall<never, unknown>, diagonal: Float64Array): number {
  const [room] = kernels.scratch(kernels.exports.luBytes(diagonal.length));
  kernels.write(room, new Int32Array(diagonal.buffer));
  return room;
}

/** P L (U + diag(sign * exp(logScale))), log|det|, and both factors in one. */
export function luMatrix(call: KernelCall<keyof LuWeights, unknown>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const { permutation, lower, upper, sign, logScale } = inputs;
  const { shape } = permutation;
  const [signs, exponents] = [sign, logScale].map((tensor) => backend.typedArrayFromHeap(tensor));
  const n = exponents.length;
  const diagonal = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    diagonal[i] = signs[i] * Math.exp(exponents[i]);
    sum += exponents[i];
  }
  const [matrix, factors] = [0, 1].map(() => backend.makeOutput(shape, 'float32'));
  const logDet = backend.makeOutput([], 'float32');
  const room = roomOf(call, diagonal);
  const [p, l, u, output] = [permutation, lower, upper, matrix].map((tensor) => kernels.pointer(tensor));
  kernels.exports.luMatrix(n, p, l, u, room, output);
  backend.typedArrayFromHeap(logDet)[0] = sum;
  const [below, above, both] = [lower, upper, factors].map((tensor) => backend.typedArrayFromHeap(tensor));
  both.set(above);
  for (let i = 0; i < n; i++) {
    both.set(below.subarray(i * n, i * n + i), i * n);
    both[i * n + i] = diagonal[i];
  }
  return [matrix, logDet, factors];
}

/** Gradients in lower, upper and logScale, of those in the matrix and in log|det|. */
export function luMatrixGradient(
  call: KernelCall<'permutation' | 'factors' | 'dy' | 'dLogDet', unknown>,
): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const { permutation, factors, dy, dLogDet } = inputs;
  const [n] = factors.shape;
  const both = backend.typedArrayFromHeap(factors);
  const diagonal = Float64Array.from({ length: n }, (_, i) => both[i * n + i]);
  const outputs = [[n, n], [n, n], [n]].map((shape) => backend.makeOutput(shape, 'float32'));
  const room = roomOf(call, diagonal);
  const [ofLogDet] = backend.typedArrayFromHeap(dLogDet);
  const [p, f, given, ofLower, ofUpper, ofLogScale] = [permutation, factors, dy, ...outputs].map((tensor) =>
    kernels.pointer(tensor),
  );
  kernels.exports.luMatrixGradient(n, p, f, f, room, given, ofLogDet, ofLower, ofUpper, ofLogScale);
  return outputs;
}
