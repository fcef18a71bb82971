import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { FusedSplineOptions } from '../layers/transformers/fusedSpline';
import { DERIVATIVES } from '../layers/transformers/splineKnots';
import type { KernelModule } from './kernelModule';
import type { KernelCall } from './register';

/** Values that one chunk computes, about. */
const CHUNK_VALUES = 256;

/** What the kernels read beside addresses of tensors. */
function splineFields(kernels: KernelModule, { shape }: TensorInfo, options: FusedSplineOptions) {
  const { bins, bound, tails, minimum, inverse, kept } = options;
  const [rooms] = kernels.scratch(kernels.exports.splineRoomBytes(bins) * kernels.threads);
  const channels = shape[shape.length - 1];
  const changed = channels - kept;
  const positions = util.sizeFromShape(shape.slice(1, -1));
  return {
    base: {
      bins,
      slopes: bins + DERIVATIVES[tails],
      firstSlope: tails === 'linear' ? 1 : 0,
      circular: tails === 'circular',
      inverse,
      beyond: tails === 'none' ? Number.NEGATIVE_INFINITY : 0,
      bound,
      minimum,
      one: Math.log(Math.expm1(1 - minimum)),
    },
    examples: shape[0],
    positions,
    kept,
    changed,
    chunkExamples: Math.max(1, Math.floor(CHUNK_VALUES / (positions * changed))),
    rooms,
  };
}

/** Value and logDet. */
export function spline(call: KernelCall<'x' | 'parameters', FusedSplineOptions>): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const { x, parameters } = inputs;
  const value = backend.makeOutput(x.shape, 'float32');
  const logDet = backend.makeOutput([x.shape[0]], 'float32');
  kernels.run('spline', {
    ...splineFields(kernels, x, attrs),
    input: kernels.pointer(x),
    parameters: kernels.pointer(parameters),
    output: kernels.pointer(value),
    logDet: kernels.pointer(logDet),
    outputGradient: 0,
    logDetGradient: 0,
    parametersGradient: 0,
  });
  return [value, logDet];
}

/** Gradients in what was given and in the parameters. */
export function splineGradient(
  call: KernelCall<'x' | 'parameters' | 'dy' | 'dLogDet', FusedSplineOptions>,
): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const { x, parameters, dy, dLogDet } = inputs;
  const [ofGiven, ofParameters] = [x, parameters].map(({ shape }) => backend.makeOutput(shape, 'float32'));
  kernels.run('splineGradient', {
    ...splineFields(kernels, x, attrs),
    input: kernels.pointer(x),
    parameters: kernels.pointer(parameters),
    output: kernels.pointer(ofGiven),
    logDet: 0,
    outputGradient: kernels.pointer(dy),
    logDetGradient: kernels.pointer(dLogDet),
    parametersGradient: kernels.pointer(ofParameters),
  });
  return [ofGiven, ofParameters];
}
