import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { fromBfloat16, toBfloat16 } from './bfloat16';
import { convolutionChain, convolutionChainGradient } from './convolutionChain';
import { affineCoupling, affineCouplingGradient, networkCoupling, networkCouplingGradient } from './coupling';
import { luMatrix, luMatrixGradient } from './luMatrix';
import { PASS_ROWS, scaleAndSum } from './passes';
import { type KernelCall, replaceKernel } from './register';
import { scaledLinear, scaledLinearGradient } from './scaledLinear';
import { adaptiveStep, compactStep, globalNorm } from './weights';

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
  replaceKernel('FlowNetworkCoupling', networkCoupling);
  replaceKernel('FlowNetworkCouplingGradient', networkCouplingGradient);
  replaceKernel('FlowScaleChannels', scaleChannels);
  replaceKernel('FlowScaleChannelsGradient', scaleChannelsGradient);
  replaceKernel('FlowLuMatrix', luMatrix);
  replaceKernel('FlowLuMatrixGradient', luMatrixGradient);
  replaceKernel('FlowScaledLinear', scaledLinear);
  replaceKernel('FlowScaledLinearGradient', scaledLinearGradient);
  replaceKernel('FlowAdaptiveStep', adaptiveStep);
  replaceKernel('FlowCompactStep', compactStep);
  replaceKernel('FlowToBfloat16', toBfloat16);
  replaceKernel('FlowFromBfloat16', fromBfloat16);
  replaceKernel('FlowGlobalNorm', globalNorm);
}
