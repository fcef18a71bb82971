import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { AFFINE_EXP, AFFINE_SIGMOID, AFFINE_SOFTCLIP, AFFINE_SOFTPLUS } from '../core/kernelConstants';
import type { FusedAffine, FusedEvents, FusedSpline } from '../layers/transformers/fusedTransformer';
import { DERIVATIVES } from '../layers/transformers/splineKnots';
import type { KernelCall } from './register';

/** Values that one chunk computes, about. */
const CHUNK_VALUES = 256;

const SCALES: Record<FusedAffine['scale'], number> = {
  softclip: AFFINE_SOFTCLIP,
  exp: AFFINE_EXP,
  softplus: AFFINE_SOFTPLUS,
  sigmoid: AFFINE_SIGMOID,
};

/** Which splines the kernels compute. */
export function splineForm({ bins, bound, tails, minimum }: FusedSpline) {
  return {
    bins,
    slopes: bins + DERIVATIVES[tails],
    firstSlope: tails === 'linear' ? 1 : 0,
    circular: tails === 'circular',
    beyond: tails === 'none' ? Number.NEGATIVE_INFINITY : 0,
    bound,
    minimum,
    one: Math.log(Math.expm1(1 - minimum)),
  };
}

/** Which affine maps. */
export function affineForm({ scale, bound }: FusedAffine) {
  return { scale: SCALES[scale], bound, one: scale === 'softplus' ? Math.log(Math.expm1(1 - bound)) : 0 };
}

type Call<Form> = KernelCall<'x' | 'parameters', Form & FusedEvents>;
type GradientCall<Form> = KernelCall<'x' | 'parameters' | 'dy' | 'dLogDet', Form & FusedEvents>;

/** How the events lie in tensors. */
function eventFields({ shape }: TensorInfo, { kept, inverse }: FusedEvents) {
  const positions = util.sizeFromShape(shape.slice(1, -1));
  const changed = shape[shape.length - 1] - kept;
  const chunkExamples = Math.max(1, Math.floor(CHUNK_VALUES / (positions * changed)));
  return { inverse, examples: shape[0], positions, kept, changed, chunkExamples };
}

/** The tensors of a value and its logDet, made here, and their fields. */
function forwardFields({ inputs, backend, kernels }: Call<object>) {
  const { x, parameters } = inputs;
  const value = backend.makeOutput(x.shape, 'float32');
  const logDet = backend.makeOutput([x.shape[0]], 'float32');
  const fields = {
    input: kernels.pointer(x),
    parameters: kernels.pointer(parameters),
    output: kernels.pointer(value),
    logDet: kernels.pointer(logDet),
    outputGradient: 0,
    logDetGradient: 0,
    parametersGradient: 0,
  };
  return { results: [value, logDet], fields };
}

/** The same for gradients in what was given and in the parameters. */
function gradientFields({ inputs, backend, kernels }: GradientCall<object>) {
  const { x, parameters, dy, dLogDet } = inputs;
  const [ofGiven, ofParameters] = [x, parameters].map(({ shape }) => backend.makeOutput(shape, 'float32'));
  const fields = {
    input: kernels.pointer(x),
    parameters: kernels.pointer(parameters),
    output: kernels.pointer(ofGiven),
    logDet: 0,
    outputGradient: kernels.pointer(dy),
    logDetGradient: kernels.pointer(dLogDet),
    parametersGradient: kernels.pointer(ofParameters),
  };
  return { results: [ofGiven, ofParameters], fields };
}

function splineFields({ inputs, attrs, kernels }: Call<FusedSpline>) {
  const [rooms] = kernels.scratch(kernels.exports.splineRoomBytes(attrs.bins) * kernels.threads);
  return { base: splineForm(attrs), ...eventFields(inputs.x, attrs), rooms };
}

export function spline(call: Call<FusedSpline>): TensorInfo[] {
  const { results, fields } = forwardFields(call);
  call.kernels.run('spline', { ...splineFields(call), ...fields });
  return results;
}

export function splineGradient(call: GradientCall<FusedSpline>): TensorInfo[] {
  const { results, fields } = gradientFields(call);
  call.kernels.run('splineGradient', { ...splineFields(call), ...fields });
  return results;
}

export function affine(call: Call<FusedAffine>): TensorInfo[] {
  const { results, fields } = forwardFields(call);
  const { inputs, attrs, kernels } = call;
  kernels.run('affine', { base: affineForm(attrs), ...eventFields(inputs.x, attrs), ...fields });
  return results;
}

export function affineGradient(call: GradientCall<FusedAffine>): TensorInfo[] {
  const { results, fields } = gradientFields(call);
  const { inputs, attrs, kernels } = call;
  kernels.run('affineGradient', { base: affineForm(attrs), ...eventFields(inputs.x, attrs), ...fields });
  return results;
}
