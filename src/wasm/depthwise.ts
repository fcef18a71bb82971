import {
  backend_util,
  type DepthwiseConv2dNativeAttrs,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  depthwiseConv2d,
  pad as padTensor,
  slice,
  type Tensor4D,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule';
import { replaceKernel } from './register';

type Shape4D = [number, number, number, number];
type Attributes = Pick<
  DepthwiseConv2dNativeBackpropInputAttrs,
  'strides' | 'pad' | 'dilations' | 'dimRoundingMode'
>;

function geometry(input: readonly number[], filter: readonly number[], attrs: Attributes) {
  const { strides, pad, dilations, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    input as Shape4D,
    filter as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
}

/**
 * The convolution itself stays with the stock kernel, but for two geometries. A stride above the filter's size with 'same'
 * padding can leave its output untouched, and a number as padding of a filter that is not square makes it write past the
 * end of the output. There the input is cut to what is seen, which needs no padding any more.
 */
function depthwise(x: Tensor4D, filter: Tensor4D, attrs: DepthwiseConv2dNativeAttrs): Tensor4D | null {
  const { pad, strides, dilations } = attrs;
  const info = geometry(x.shape, filter.shape, { ...attrs, dilations: dilations ?? 1 });
  const { strideHeight, strideWidth, filterHeight, filterWidth, padInfo } = info;
  const wide = strideHeight > filterHeight || strideWidth > filterWidth;
  const uneven = filterHeight !== filterWidth || strideHeight !== strideWidth;
  if (!(pad === 'same' && wide) && !(typeof pad === 'number' && uneven)) return null;
  return tidy(() => {
    const height = (info.outHeight - 1) * strideHeight + info.effectiveFilterHeight;
    const width = (info.outWidth - 1) * strideWidth + info.effectiveFilterWidth;
    const padded = padTensor(x, [
      [0, 0],
      [padInfo.top, Math.max(0, height - padInfo.top - info.inHeight)],
      [padInfo.left, Math.max(0, width - padInfo.left - info.inWidth)],
      [0, 0],
    ]);
    const seen = slice(padded, [0, 0, 0, 0], [info.batchSize, height, width, info.inChannels]);
    return depthwiseConv2d(seen as Tensor4D, filter, strides, 'valid', 'NHWC', dilations ?? 1);
  });
}

function geometryFields(input: readonly number[], filter: readonly number[], attrs: Attributes) {
  const info = geometry(input, filter, attrs);
  return {
    batch: info.batchSize,
    height: info.inHeight,
    width: info.inWidth,
    channels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    multiplier: info.outChannels / info.inChannels,
    tapsHigh: info.filterHeight,
    tapsWide: info.filterWidth,
    strideY: info.strideHeight,
    strideX: info.strideWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
    dilationY: info.dilationHeight,
    dilationX: info.dilationWidth,
  };
}

function cleared(kernels: KernelModule, tensor: TensorInfo): number {
  const at = kernels.pointer(tensor);
  kernels.clear(
    at,
    tensor.shape.reduce((size, length) => size * length, 4),
  );
  return at;
}

/** Depthwise convolutions, and their gradients in input and filter, which stock wasm lacks. */
export function registerDepthwise(): void {
  replaceKernel<'x' | 'filter', DepthwiseConv2dNativeAttrs>(
    'DepthwiseConv2dNative',
    ({ inputs: { x, filter }, attrs }) => depthwise(x as Tensor4D, filter as Tensor4D, attrs),
  );
  replaceKernel<'dy' | 'filter', DepthwiseConv2dNativeBackpropInputAttrs>(
    'DepthwiseConv2dNativeBackpropInput',
    ({ inputs: { dy, filter }, attrs, backend, kernels }) => {
      const output = backend.makeOutput(attrs.inputShape, 'float32');
      const base = geometryFields(attrs.inputShape, filter.shape, attrs);
      kernels.run('depthwiseInput', {
        base,
        dy: kernels.pointer(dy),
        other: kernels.pointer(filter),
        output: cleared(kernels, output),
      });
      return output;
    },
  );
  replaceKernel<'x' | 'dy', DepthwiseConv2dNativeBackpropFilterAttrs>(
    'DepthwiseConv2dNativeBackpropFilter',
    ({ inputs: { x, dy }, attrs, backend, kernels }) => {
      const output = backend.makeOutput(attrs.filterShape, 'float32');
      const base = geometryFields(x.shape, attrs.filterShape, attrs);
      kernels.run('depthwiseFilter', {
        base,
        dy: kernels.pointer(dy),
        other: kernels.pointer(x),
        output: cleared(kernels, output),
      });
      return output;
    },
  );
}
