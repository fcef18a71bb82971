import * as tf from '@tensorflow/tfjs-core';

/**
 * Kernels that the stock wasm backend lacks and that training needs: the filter gradient of a convolution and the
 * gradient of gather. They are composed of ordinary ops, so they need nothing from the backend's package;
 * `tfjs-flows/wasm` replaces them with fast ones.
 */
export function registerMissingKernels(): void {
  registerIfMissing('Conv2DBackpropFilter', conv2dFilterGradient as unknown as tf.KernelFunc);
  registerIfMissing('UnsortedSegmentSum', unsortedSegmentSum as unknown as tf.KernelFunc);
}

function registerIfMissing(kernelName: string, kernelFunc: tf.KernelFunc): void {
  if (tf.getKernel(kernelName, 'wasm') === undefined) {
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
}

interface KernelCall<Inputs, Attributes> {
  inputs: Inputs;
  attrs: Attributes;
}

/**
 * The filter gradient is itself a convolution, with batch and channels exchanged: the input [c, h, w, n] by the output
 * gradient [oh, ow, n, oc] as filter, dilated by the stride, gives [c, fh, fw, oc].
 */
function conv2dFilterGradient(
  call: KernelCall<tf.Conv2DBackpropFilterInputs, tf.Conv2DBackpropFilterAttrs>,
): tf.Tensor {
  const x = call.inputs.x as tf.Tensor4D;
  const dy = call.inputs.dy as tf.Tensor4D;
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = call.attrs;
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
    false,
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
  if (info.dataFormat !== 'channelsLast') {
    throw new Error(`Conv2DBackpropFilter: the wasm backend takes NHWC data, got ${dataFormat}.`);
  }
  if (x.size === 0 || dy.size === 0) return tf.zeros(filterShape);
  return tf.tidy(() => {
    const { top, left } = info.padInfo;
    const height = (info.outHeight - 1) * info.strideHeight + info.filterHeight;
    const width = (info.outWidth - 1) * info.strideWidth + info.filterWidth;
    const below = Math.max(0, height - top - info.inHeight);
    const right = Math.max(0, width - left - info.inWidth);
    const padded = tf.pad4d(x, [
      [0, 0],
      [top, below],
      [left, right],
      [0, 0],
    ]);
    const seen = tf.slice4d(padded, [0, 0, 0, 0], [info.batchSize, height, width, info.inChannels]);
    const gradient = tf.conv2d(
      tf.transpose(seen, [3, 1, 2, 0]) as tf.Tensor4D,
      tf.transpose(dy, [1, 2, 0, 3]) as tf.Tensor4D,
      1,
      'valid',
      'NHWC',
      [info.strideHeight, info.strideWidth],
    );
    return tf.transpose(gradient, [1, 2, 0, 3]);
  });
}

/** Rows scattered and added; ids outside 0 .. numSegments - 1 are dropped into a row of their own, as tfjs does. */
function unsortedSegmentSum(
  call: KernelCall<tf.UnsortedSegmentSumInputs, tf.UnsortedSegmentSumAttrs>,
): tf.Tensor {
  const x = call.inputs.x as tf.Tensor;
  const ids = call.inputs.segmentIds as tf.Tensor1D;
  const { numSegments } = call.attrs;
  const shape = [numSegments, ...x.shape.slice(1)];
  if (x.size === 0) return tf.zeros(shape, x.dtype);
  return tf.tidy(() => {
    const inside = tf.logicalAnd(tf.greaterEqual(ids, 0), tf.less(ids, numSegments));
    const rows = tf.expandDims(tf.where(inside, ids, tf.fill(ids.shape, numSegments, 'int32')), 1);
    const sums = tf.scatterND(rows, x, [numSegments + 1, ...x.shape.slice(1)]);
    return tf.slice(sums, 0, numSegments);
  });
}
