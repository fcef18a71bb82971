import {
  backend_util,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule';
import { replaceKernel } from './register';

type Shape4D = [number, number, number, number];
type Attributes = Pick<
  DepthwiseConv2dNativeBackpropInputAttrs,
  'strides' | 'pad' | 'dilations' | 'dimRoundingMode'
>;

function geometryWords(input: readonly number[], filter: readonly number[], attrs: Attributes): number[] {
  const { strides, pad, dilations, dimRoundingMode } = attrs;
  const info = backend_util.computeConv2DInfo(
    input as Shape4D,
    filter as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
  return [
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    info.outChannels / info.inChannels,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.padInfo.top,
    info.padInfo.left,
    info.dilationHeight,
    info.dilationWidth,
  ];
}

function cleared(kernels: KernelModule, tensor: TensorInfo): number {
  const at = kernels.pointer(tensor);
  kernels.clear(
    at,
    tensor.shape.reduce((size, length) => size * length, 4),
  );
  return at;
}

/** Gradients of depthwise convolutions in their input and filter, which stock wasm lacks. */
export function registerDepthwiseGradients(): void {
  replaceKernel<'dy' | 'filter', DepthwiseConv2dNativeBackpropInputAttrs>(
    'DepthwiseConv2dNativeBackpropInput',
    ({ inputs: { dy, filter }, attrs, backend, kernels }) => {
      const output = backend.makeOutput(attrs.inputShape, 'float32');
      const words = geometryWords(attrs.inputShape, filter.shape, attrs);
      const pointers = [kernels.pointer(dy), kernels.pointer(filter), cleared(kernels, output)];
      kernels.run('depthwiseInput', [...words, ...pointers]);
      return output;
    },
  );
  replaceKernel<'x' | 'dy', DepthwiseConv2dNativeBackpropFilterAttrs>(
    'DepthwiseConv2dNativeBackpropFilter',
    ({ inputs: { x, dy }, attrs, backend, kernels }) => {
      const output = backend.makeOutput(attrs.filterShape, 'float32');
      const words = geometryWords(x.shape, attrs.filterShape, attrs);
      const pointers = [kernels.pointer(dy), kernels.pointer(x), cleared(kernels, output)];
      kernels.run('depthwiseFilter', [...words, ...pointers]);
      return output;
    },
  );
}
