import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { FusedCouplingOptions } from '../core/fused';
import { convolutionChain, convolutionChainGradient } from './convolutionChain';
import { PASS_ROWS, scaleAndSum } from './passes';
import { type KernelCall, replaceKernel } from './register';
import { scaledLinear, scaledLinearGradient } from './scaledLinear';
import { adaptiveStep, globalNorm } from './weights';

function couplingWords(
  call: KernelCall<'x' | 'parameters', FusedCouplingOptions>,
): [words: number[], shape: number[], batch: number] {
  const { inputs, attrs, kernels } = call;
  const { shape } = inputs.x;
  const [batch] = shape;
  const channels = shape[shape.length - 1];
  const positions = util.sizeFromShape(shape.slice(1, -1));
  const words = [
    batch,
    positions,
    attrs.kept,
    channels - attrs.kept,
    attrs.scale === 'sigmoid' ? 0 : 1,
    attrs.inverse ? 1 : 0,
    kernels.pointer(inputs.x),
    kernels.pointer(inputs.parameters),
  ];
  return [words, shape, batch];
}

function affineCoupling(call: KernelCall<'x' | 'parameters', FusedCouplingOptions>): TensorInfo[] {
  const { backend, kernels } = call;
  const [words, shape, batch] = couplingWords(call);
  const value = backend.makeOutput(shape, 'float32');
  const logDet = backend.makeOutput([batch], 'float32');
  kernels.run('couple', [...words, kernels.pointer(value), kernels.pointer(logDet)]);
  return [value, logDet];
}

function affineCouplingGradient(
  call: KernelCall<'x' | 'parameters' | 'dy' | 'dLogDet', FusedCouplingOptions>,
): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const [words, shape] = couplingWords(call);
  const dx = backend.makeOutput(shape, 'float32');
  const dParameters = backend.makeOutput(inputs.parameters.shape, 'float32');
  const pointers = [inputs.dy, inputs.dLogDet, dx, dParameters].map((tensor) => kernels.pointer(tensor));
  // The forward results are not needed again: their places stay empty.
  kernels.run('coupleGradient', [...words, 0, 0, ...pointers]);
  return [dx, dParameters];
}

function scaleChannels(call: KernelCall<'input' | 'offset' | 'logScale', unknown>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const columns = inputs.logScale.shape[0];
  const rows = util.sizeFromShape(inputs.input.shape) / columns;
  const output = backend.makeOutput(inputs.input.shape, 'float32');
  const [input, offset, logScale, to] = [inputs.input, inputs.offset, inputs.logScale, output].map((tensor) =>
    kernels.pointer(tensor),
  );
  const [scale, shift] = kernels.scratch(columns * 4, columns * 4);
  kernels.exports.exponentials(logScale, scale, columns);
  kernels.exports.scaleLines(offset, scale, shift, 1, columns);
  kernels.run('scaleChannels', [input, rows, columns, PASS_ROWS, scale, shift, to, 0, 0]);
  return [output];
}

/** dx = dy exp(logScale); the sums give d offset = exp(logScale) sum dy and d logScale = sum dy y. */
function scaleChannelsGradient(call: KernelCall<'dy' | 'y' | 'logScale', unknown>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const { shape } = inputs.dy;
  const columns = inputs.logScale.shape[0];
  const outputs = [shape, [columns], [columns]].map((size) => backend.makeOutput(size, 'float32'));
  const [dx, dOffset, dLogScale] = outputs.map((tensor) => kernels.pointer(tensor));
  const dy = kernels.pointer(inputs.dy);
  scaleAndSum(kernels, {
    input: dy,
    weights: kernels.pointer(inputs.y),
    rows: util.sizeFromShape(shape) / columns,
    columns,
    logScale: kernels.pointer(inputs.logScale),
    output: dx,
    dOffset,
    dLogScale,
  });
  return outputs;
}

/** The fused kernels of core/fused.ts. */
export function registerFlowKernels(): void {
  replaceKernel('FlowConvolutions', convolutionChain);
  replaceKernel('FlowConvolutionsGradient', convolutionChainGradient);
  replaceKernel('FlowAffineCoupling', affineCoupling);
  replaceKernel('FlowAffineCouplingGradient', affineCouplingGradient);
  replaceKernel('FlowScaleChannels', scaleChannels);
  replaceKernel('FlowScaleChannelsGradient', scaleChannelsGradient);
  replaceKernel('FlowScaledLinear', scaledLinear);
  replaceKernel('FlowScaledLinearGradient', scaledLinearGradient);
  replaceKernel('FlowAdaptiveStep', adaptiveStep);
  replaceKernel('FlowGlobalNorm', globalNorm);
}
