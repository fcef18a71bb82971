import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { LuWeights } from '../layers/fusedLuMatrix';
import type { KernelCall } from './register';

type Call<Inputs extends string, Attributes> = KernelCall<Inputs | keyof LuWeights, Attributes>;

/** Number of channels, the addresses of P, L and U, and room that starts with the diagonal sign * exp(logScale). */
function factors({ inputs, backend, kernels }: Call<never, unknown>) {
  const { permutation, lower, upper, sign, logScale } = inputs;
  const [signs, exponents] = [sign, logScale].map((tensor) => backend.typedArrayFromHeap(tensor));
  const diagonal = new Float64Array(exponents.length);
  for (let i = 0; i < diagonal.length; i++) diagonal[i] = signs[i] * Math.exp(exponents[i]);
  const [room] = kernels.scratch(kernels.exports.luBytes(diagonal.length));
  kernels.write(room, new Int32Array(diagonal.buffer));
  const [p, l, u] = [permutation, lower, upper].map((tensor) => kernels.pointer(tensor));
  return [diagonal.length, p, l, u, room] as const;
}

/** P L (U + diag(sign * exp(logScale))) */
export function luMatrix(call: Call<never, unknown>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const output = backend.makeOutput(inputs.permutation.shape, 'float32');
  kernels.exports.luMatrix(...factors(call), kernels.pointer(output));
  return [output];
}

/** Gradients in lower, upper and logScale, of those in the matrix and in log|det|. */
export function luMatrixGradient(call: Call<'dy' | 'dLogDet', unknown>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const { dy, lower, upper, logScale } = inputs;
  const outputs = [lower, upper, logScale].map(({ shape }) => backend.makeOutput(shape, 'float32'));
  const [ofLower, ofUpper, ofLogScale] = outputs.map((tensor) => kernels.pointer(tensor));
  const given = kernels.pointer(dy);
  const [ofLogDet] = backend.typedArrayFromHeap(inputs.dLogDet);
  kernels.exports.luMatrixGradient(...factors(call), given, ofLogDet, ofLower, ofUpper, ofLogScale);
  return outputs;
}
