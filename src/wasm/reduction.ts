import {
  backend_util,
  type MeanAttrs,
  type SumAttrs,
  type TensorInfo,
  type UnsortedSegmentSumAttrs,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule';
import { type KernelCall, replaceKernel } from './register';

/** Values that one chunk sums. */
const CHUNK = 8192;

/** output[outer, inner] = factor * sum over the middle of input[outer, length, inner]. */
export function sumMiddle(
  kernels: KernelModule,
  input: number,
  [outer, length, inner]: readonly [number, number, number],
  output: number,
  factor: number,
): void {
  const block = Math.max(1, Math.ceil(CHUNK / inner));
  const blocks = Math.ceil(length / block);
  const outerBlock = blocks > 1 ? 1 : Math.max(1, Math.floor(CHUNK / (length * inner)));
  const [parts] = blocks > 1 ? kernels.scratch(outer * blocks * inner * 4) : [output];
  kernels.run('reduce', { input, outer, length, inner, outerBlock, block, parts, output, factor });
}

function reduction(
  { inputs: { x }, backend, kernels }: Pick<KernelCall<'x', unknown>, 'inputs' | 'backend' | 'kernels'>,
  axis: number | number[] | null,
  keepDims: boolean,
  average: boolean,
): TensorInfo | null {
  const axes = util.parseAxisParam(axis as number[], x.shape).sort((a, b) => a - b);
  const consecutive = axes.every((value, i) => i === 0 || value === axes[i - 1] + 1);
  if (!consecutive || axes.length === 0) return null;
  const outer = util.sizeFromShape(x.shape.slice(0, axes[0]));
  const length = util.sizeFromShape(axes.map((i) => x.shape[i]));
  const inner = util.sizeFromShape(x.shape.slice(axes[axes.length - 1] + 1));
  if (length === 0 && average) return null;
  const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const shape = keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
  const output = backend.makeOutput(shape, 'float32');
  if (outer * length * inner === 0) {
    kernels.clear(kernels.pointer(output), outer * inner * 4);
    return output;
  }
  const factor = average ? 1 / length : 1;
  sumMiddle(kernels, kernels.pointer(x), [outer, length, inner], kernels.pointer(output), factor);
  return output;
}

function unsortedSegmentSum({
  inputs,
  attrs,
  backend,
  kernels,
}: KernelCall<'x' | 'segmentIds', UnsortedSegmentSumAttrs>): TensorInfo | null {
  const { x, segmentIds } = inputs;
  const [rows, ...inner] = x.shape;
  const columns = util.sizeFromShape(inner);
  const segments = attrs.numSegments;
  const output = backend.makeOutput([segments, ...inner], 'float32');
  const to = kernels.pointer(output);
  kernels.clear(to, segments * columns * 4);
  kernels.exports.segmentSum(kernels.pointer(x), kernels.pointer(segmentIds), rows, columns, segments, to);
  return output;
}

/** Sums and means over consecutive axes, and sums by segment (the gradient of gather). */
export function registerReductions(): void {
  replaceKernel('UnsortedSegmentSum', unsortedSegmentSum, {
    types: { segmentIds: ['int32'] },
    check: ({ inputs: { x, segmentIds } }, checks) => checks.size('segmentIds', segmentIds, x.shape[0]),
  });
  replaceKernel<'x', SumAttrs>('Sum', (call) => {
    return reduction(call, call.attrs.axis, call.attrs.keepDims, false);
  });
  replaceKernel<'x', MeanAttrs>('Mean', (call) => {
    return reduction(call, call.attrs.axis, call.attrs.keepDims, true);
  });
}
