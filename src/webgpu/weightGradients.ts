import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { Parts } from './filterGradient';
import type { Gpu } from './gpu';
import { type Layer, logScaleOf } from './images';
import type { Summed } from './partialSums';
import { type Program, read, write } from './program';
import { flatGroups, flatMain } from './wgsl';

/** New tensors for a layer's gradients in filter, offset and logScale, and of which parts from `at` on they are the sums. */
export function weightGradients(
  gpu: Gpu,
  { filter, offset, logScale, factor, outputs, offsetRows }: Layer,
  { count: parts, stride }: Parts,
  at: number,
): { tensors: TensorInfo[]; sums: Summed[] } {
  const part = { stride, parts };
  const ofFilter = stride - 2 * outputs;
  const dFilter = { output: gpu.output(filter.shape), at, ...part, factor: 1 };
  const dOffset = { output: gpu.output(offset.shape), at: at + ofFilter, ...part, factor: 1 };
  const dLogScale = logScale && {
    output: gpu.output(logScale.shape),
    at: at + ofFilter + outputs,
    ...part,
    factor,
  };
  const all = [dFilter, dOffset, ...(dLogScale === undefined ? [] : [dLogScale])];
  return {
    tensors: all.map(({ output }) => output),
    sums: all.filter((sum) => sum !== dOffset || offsetRows === 1),
  };
}

/** The gradient in an offset per position: sums over images. */
const ofOffset: Program = {
  key: 'convolution offset gradient',
  buffers: { dy: read(), logScale: read(), dOffset: write() },
  sizes: ['count: u32', 'columns: u32', 'images: u32', 'factor: f32'],
  code: () =>
    flatMain(`
  if (at >= sizes.count) { return; }
  var sum = 0f;
  for (var image = 0u; image < sizes.images; image++) { sum += dy[image * sizes.count + at]; }
  dOffset[at] = sum * exp(sizes.factor * logScale[at % sizes.columns]);`),
};

/** Writes the gradient in a layer's offset per position. */
export function offsetGradient(gpu: Gpu, layer: Layer, dy: TensorInfo, dOffset: TensorInfo): void {
  const count = layer.offsetRows * layer.outputs;
  const images = util.sizeFromShape(dy.shape) / count;
  const sizes = [count, layer.outputs, images, layer.factor];
  gpu.run(ofOffset, [dy, logScaleOf(layer), dOffset], flatGroups(count), sizes);
}
