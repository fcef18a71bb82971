import {
  backend_util,
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  type FusedConv2DAttrs,
} from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule';
import { correlate, correlateReversed, multiply, type Patches, type RightFactor } from './products';
import { type KernelCall, replaceKernel } from './register';

export type ConvInfo = backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];

/** The patches of the input that each output position sees. */
export function forwardPatches(info: ConvInfo, source: number): Patches {
  return {
    source,
    channels: info.inChannels,
    sourceSize: [info.inHeight, info.inWidth],
    gridSize: [info.outHeight, info.outWidth],
    taps: [info.filterHeight, info.filterWidth],
    multiply: [info.strideHeight, info.strideWidth],
    base: [-info.padInfo.top, -info.padInfo.left],
    step: [info.dilationHeight, info.dilationWidth],
    divide: [1, 1],
  };
}

/** The patches of the output gradient that each input position reaches, taps in reverse order. */
export function backwardPatches(info: ConvInfo, source: number): Patches {
  const { dilationHeight, dilationWidth } = info;
  return {
    source,
    channels: info.outChannels,
    sourceSize: [info.outHeight, info.outWidth],
    gridSize: [info.inHeight, info.inWidth],
    taps: [info.filterHeight, info.filterWidth],
    multiply: [1, 1],
    base: [
      info.padInfo.top - (info.filterHeight - 1) * dilationHeight,
      info.padInfo.left - (info.filterWidth - 1) * dilationWidth,
    ],
    step: [dilationHeight, dilationWidth],
    divide: [info.strideHeight, info.strideWidth],
  };
}

export function outputRows(info: ConvInfo): number {
  return info.batchSize * info.outHeight * info.outWidth;
}

export function inputRows(info: ConvInfo): number {
  return info.batchSize * info.inHeight * info.inWidth;
}

/** Null where the layout is not NHWC. */
function convolutionInfo(
  x: readonly number[],
  filter: readonly number[],
  attrs: Pick<Conv2DAttrs, 'strides' | 'pad' | 'dataFormat' | 'dimRoundingMode'> & {
    dilations?: Conv2DAttrs['dilations'];
  },
): ConvInfo | null {
  const format = backend_util.convertConv2DDataFormat(attrs.dataFormat ?? 'NHWC');
  if (format !== 'channelsLast') return null;
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    false,
    format,
  );
}

export function filterAsRight(info: ConvInfo, at: number): RightFactor {
  return {
    at,
    columns: info.outChannels,
    tapStride: info.inChannels * info.outChannels,
    depthStride: info.outChannels,
    columnStride: 1,
  };
}

/** The filter with inputs and outputs exchanged and its taps reversed, as the gradient in the input needs it. */
export function filterReversed(info: ConvInfo, at: number): RightFactor {
  const tapSize = info.inChannels * info.outChannels;
  const taps = info.filterHeight * info.filterWidth;
  return {
    at: at + (taps - 1) * tapSize * 4,
    columns: info.inChannels,
    tapStride: -tapSize,
    depthStride: 1,
    columnStride: info.outChannels,
  };
}

function conv2d({ inputs, attrs, backend, kernels }: KernelCall<'x' | 'filter', Conv2DAttrs>) {
  const { x, filter } = inputs;
  const info = convolutionInfo(x.shape, filter.shape, attrs);
  if (info === null) return null;
  const output = backend.makeOutput(info.outShape, 'float32');
  const patches = forwardPatches(info, kernels.pointer(x));
  multiply(
    kernels,
    patches,
    outputRows(info),
    filterAsRight(info, kernels.pointer(filter)),
    kernels.pointer(output),
  );
  return output;
}

function fusedConv2d({
  inputs,
  attrs,
  backend,
  kernels,
}: KernelCall<'x' | 'filter', FusedConv2DAttrs, 'bias' | 'preluActivationWeights'>) {
  const { x, filter, bias, preluActivationWeights } = inputs;
  const { activation } = attrs;
  if (preluActivationWeights !== undefined || (activation !== 'linear' && activation !== 'relu')) return null;
  const info = convolutionInfo(x.shape, filter.shape, attrs);
  if (info === null) return null;
  if (bias !== undefined && bias.shape.reduce((size, n) => size * n, 1) !== info.outChannels) return null;
  const output = backend.makeOutput(info.outShape, 'float32');
  multiply(
    kernels,
    forwardPatches(info, kernels.pointer(x)),
    outputRows(info),
    filterAsRight(info, kernels.pointer(filter)),
    kernels.pointer(output),
    { shift: bias === undefined ? 0 : kernels.pointer(bias), relu: activation === 'relu' },
  );
  return output;
}

function conv2dBackpropInput({
  inputs,
  attrs,
  backend,
  kernels,
}: KernelCall<'dy' | 'filter', Conv2DBackpropInputAttrs>) {
  const { dy, filter } = inputs;
  const info = convolutionInfo(attrs.inputShape, filter.shape, attrs);
  if (info === null) return null;
  const output = backend.makeOutput(info.inShape, 'float32');
  multiply(
    kernels,
    backwardPatches(info, kernels.pointer(dy)),
    inputRows(info),
    filterReversed(info, kernels.pointer(filter)),
    kernels.pointer(output),
  );
  return output;
}

function conv2dBackpropFilter({
  inputs,
  attrs,
  backend,
  kernels,
}: KernelCall<'x' | 'dy', Conv2DBackpropFilterAttrs>) {
  const { x, dy } = inputs;
  const info = convolutionInfo(x.shape, attrs.filterShape, attrs);
  if (info === null) return null;
  const output = backend.makeOutput(info.filterShape, 'float32');
  filterGradient(kernels, info, kernels.pointer(x), kernels.pointer(dy), kernels.pointer(output));
  return output;
}

/** Unfolds the side with fewer channels; a strided convolution has fewer positions on the output's side. */
export function filterGradient(
  kernels: KernelModule,
  info: ConvInfo,
  x: number,
  dy: number,
  output: number,
): void {
  const wide = info.inChannels > info.outChannels && info.strideHeight * info.strideWidth === 1;
  if (wide && info.filterHeight * info.filterWidth > 1) {
    const plain = { at: x, columns: info.inChannels };
    correlateReversed(kernels, backwardPatches(info, dy), plain, inputRows(info), output);
  } else {
    const plain = { at: dy, columns: info.outChannels };
    correlate(kernels, forwardPatches(info, x), plain, true, outputRows(info), output);
  }
}

/** Convolutions and their gradients, for any stride, padding and dilation. */
export function registerConvolutions(): void {
  replaceKernel('Conv2D', conv2d);
  replaceKernel('FusedConv2D', fusedConv2d);
  replaceKernel('Conv2DBackpropInput', conv2dBackpropInput);
  replaceKernel('Conv2DBackpropFilter', conv2dBackpropFilter);
}
