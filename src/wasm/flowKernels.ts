import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { fromBfloat16, toBfloat16 } from './bfloat16';
import { orderChannels } from './columns';
import { convolutionChain, convolutionChainGradient } from './convolutionChain';
import {
  affineCoupling,
  affineCouplingGradient,
  networkCoupling,
  networkCouplingGradient,
  networkCouplingReverse,
  perceptronCoupling,
  perceptronCouplingGradient,
} from './coupling';
import * as declare from './declarations';
import type { KernelModule } from './kernelModule';
import { luMatrix, luMatrixGradient } from './luMatrix';
import { PASS_ROWS, scaleAndSum } from './passes';
import { perceptron, perceptronGradient } from './perceptron';
import { type KernelCall, type Place, replaceKernel } from './register';
import { scaledLinear, scaledLinearGradient } from './scaledLinear';
import { sweep } from './sweep';
import { affine, affineGradient, spline, splineGradient } from './transformers';
import { adaptiveStep, compactStep, globalNorm } from './weights';

type Channels = 'input' | 'offset' | 'logScale';

function scaleChannels(call: KernelCall<Channels, unknown>): TensorInfo[] {
  return inOnePass(call, (scale, shift) => {
    const { inputs, kernels } = call;
    const columns = inputs.logScale.shape[0];
    kernels.exports.exponentials(kernels.pointer(inputs.logScale), scale, columns);
    kernels.exports.scaleLines(kernels.pointer(inputs.offset), scale, shift, 1, columns);
  });
}

function unscaleChannels(call: KernelCall<Channels, unknown>): TensorInfo[] {
  return inOnePass(call, (scale, shift) => {
    const { inputs, backend, kernels } = call;
    const [exponents, offsets] = [inputs.logScale, inputs.offset].map(
      (tensor) => backend.typedArrayFromHeap(tensor) as Float32Array,
    );
    writeFloats(
      kernels,
      scale,
      exponents.map((exponent) => Math.exp(-exponent)),
    );
    writeFloats(
      kernels,
      shift,
      offsets.map((offset) => -offset),
    );
  });
}

/** input * scale + shift, which `fill` writes to the addresses it gets. */
function inOnePass(
  { inputs, backend, kernels }: KernelCall<Channels, unknown>,
  fill: (scale: number, shift: number) => void,
): TensorInfo[] {
  const { shape } = inputs.input;
  const columns = inputs.logScale.shape[0];
  const rows = util.sizeFromShape(shape) / columns;
  const output = backend.makeOutput(shape, 'float32');
  const [scale, shift] = kernels.scratch(columns * 4, columns * 4);
  fill(scale, shift);
  kernels.run('scaleChannels', {
    input: kernels.pointer(inputs.input),
    rows,
    columns,
    blockRows: PASS_ROWS,
    scale,
    shift,
    output: kernels.pointer(output),
    weights: 0,
    sums: 0,
  });
  return [output];
}

function writeFloats(kernels: KernelModule, at: number, values: Float32Array): void {
  kernels.write(at, new Int32Array(values.buffer));
}

/** dx = dy exp(logScale); the sums give d offset = exp(logScale) sum dy and d logScale = sum dy y. */
function scaleChannelsGradient(call: KernelCall<'dy' | 'y' | 'logScale', unknown>): TensorInfo[] {
  const { inputs, kernels } = call;
  return summed(call, inputs.dy, inputs.y, kernels.pointer(inputs.logScale));
}

/** dy = dx exp(-logScale), d offset = -sum dx, d logScale = -sum dx (x + offset). */
function unscaleChannelsGradient(
  call: KernelCall<'dx' | 'x' | 'offset' | 'logScale', unknown>,
): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const values = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Float32Array;
  return kernels.withRoom([inputs.logScale.shape[0] * 4], (minus) => {
    writeFloats(
      kernels,
      minus,
      values(inputs.logScale).map((exponent) => -exponent),
    );
    const gradients = summed(call, inputs.dx, inputs.x, minus);
    const [dOffset, dLogScale] = gradients.slice(1).map(values);
    const [offset, logScale] = [inputs.offset, inputs.logScale].map(values);
    for (let i = 0; i < dOffset.length; i++) {
      dOffset[i] = -dOffset[i] * Math.exp(logScale[i]);
      dLogScale[i] = offset[i] * dOffset[i] - dLogScale[i];
    }
    return gradients;
  });
}

/** What `scaleAndSum` gives of a gradient, weighted by a tensor of its shape: of the input's shape, and two per channel. */
function summed(
  { backend, kernels }: Place,
  gradient: TensorInfo,
  weights: TensorInfo,
  logScale: number,
): TensorInfo[] {
  const { shape } = gradient;
  const columns = shape[shape.length - 1];
  const outputs = [shape, [columns], [columns]].map((size) => backend.makeOutput(size, 'float32'));
  const [output, dOffset, dLogScale] = outputs.map((tensor) => kernels.pointer(tensor));
  scaleAndSum(kernels, {
    input: kernels.pointer(gradient),
    weights: kernels.pointer(weights),
    rows: util.sizeFromShape(shape) / columns,
    columns,
    logScale,
    output,
    dOffset,
    dLogScale,
  });
  return outputs;
}

/** The fused operations of layers and optimizers. */
export function registerFlowKernels(): void {
  replaceKernel('FlowConvolutions', convolutionChain, declare.convolutions);
  replaceKernel('FlowConvolutionsGradient', convolutionChainGradient, declare.convolutionsGradient);
  replaceKernel('FlowPerceptron', perceptron, declare.perceptron);
  replaceKernel('FlowPerceptronGradient', perceptronGradient, declare.perceptronGradient);
  replaceKernel('FlowAffineCoupling', affineCoupling, declare.coupling);
  replaceKernel('FlowAffineCouplingGradient', affineCouplingGradient, declare.couplingGradient);
  replaceKernel('FlowNetworkCoupling', networkCoupling, declare.networkCoupled);
  replaceKernel('FlowNetworkCouplingGradient', networkCouplingGradient, declare.networkCoupledGradient);
  replaceKernel('FlowNetworkCouplingReverse', networkCouplingReverse, declare.networkCoupledReverse);
  replaceKernel('FlowSpline', spline, declare.spline);
  replaceKernel('FlowSplineGradient', splineGradient, declare.splineGradient);
  replaceKernel('FlowPerceptronCoupling', perceptronCoupling, declare.perceptronCoupled);
  replaceKernel(
    'FlowPerceptronCouplingGradient',
    perceptronCouplingGradient,
    declare.perceptronCoupledGradient,
  );
  replaceKernel('FlowAffine', affine, declare.affine);
  replaceKernel('FlowAffineGradient', affineGradient, declare.affineGradient);
  replaceKernel('FlowSweep', sweep, declare.sweep);
  replaceKernel('FlowScaleChannels', scaleChannels, declare.scaledChannels);
  replaceKernel('FlowScaleChannelsGradient', scaleChannelsGradient, declare.scaledChannelsGradient);
  replaceKernel('FlowUnscaleChannels', unscaleChannels, declare.scaledChannels);
  replaceKernel('FlowUnscaleChannelsGradient', unscaleChannelsGradient, declare.unscaledChannelsGradient);
  replaceKernel('FlowOrderChannels', orderChannels, declare.ordered);
  replaceKernel('FlowLuMatrix', luMatrix, declare.lu);
  replaceKernel('FlowLuMatrixGradient', luMatrixGradient, declare.luGradient);
  replaceKernel('FlowScaledLinear', scaledLinear, declare.linear);
  replaceKernel('FlowScaledLinearGradient', scaledLinearGradient, declare.linearGradient);
  replaceKernel('FlowAdaptiveStep', adaptiveStep, declare.adaptive);
  replaceKernel('FlowCompactStep', compactStep, declare.compact);
  replaceKernel('FlowCompactStepBfloat16', compactStep, declare.compactBfloat16);
  replaceKernel('FlowToBfloat16', toBfloat16);
  replaceKernel('FlowFromBfloat16', fromBfloat16, declare.bfloat16);
  replaceKernel('FlowGlobalNorm', globalNorm);
  replaceKernel('FlowGlobalNormBfloat16', globalNorm, declare.normBfloat16);
}
