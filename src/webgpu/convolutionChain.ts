import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { largest } from '../core/lists';
import { convolve } from './convolution';
import { partsOf, writeParts } from './filterGradient';
import type { Gpu } from './gpu';
import { type Images, imagesOf, type Layer } from './images';
import { addParts, type Summed } from './partialSums';
import { type KernelCall, registerGpuKernel } from './register';
import { turnedFloats, turnFilters } from './turnedFilters';
import { offsetGradient, weightGradients } from './weightGradients';

/** Factors on the layers' logScales; 0 for a layer without. */
export interface ChainAttributes {
  factors: number[];
}

/** The layers of a chain, and the tensors that follow their weights. */
export function layersOf(
  tensors: readonly TensorInfo[],
  { factors }: ChainAttributes,
): { layers: Layer[]; others: TensorInfo[] } {
  let next = 0;
  const layers = factors.map((factor): Layer => {
    const filter = tensors[next++];
    const offset = tensors[next++];
    const logScale = factor === 0 ? undefined : tensors[next++];
    const [size, , inputs, outputs] = [1, 1, ...filter.shape].slice(-4);
    const offsetRows = util.sizeFromShape(offset.shape) / outputs;
    return { filter, offset, logScale, factor, size, inputs, outputs, offsetRows };
  });
  return { layers, others: tensors.slice(next) };
}

/** The outputs of the layers on the images, in their order. */
export function runLayers(gpu: Gpu, layers: readonly Layer[], images: Images): TensorInfo[] {
  const event = images.tensor.shape.slice(0, -1);
  let source = images;
  return layers.map((layer, i) => {
    const { filter, size, outputs: columns } = layer;
    const output = gpu.output([...event, columns]);
    const relu = i < layers.length - 1;
    convolve(gpu, source, { tensor: filter, size, columns }, output, { kind: 'layer', layer, relu });
    source = imagesOf(output);
    return output;
  });
}

/** What `runLayersGradient` starts from, and where it puts the gradient in the input. */
export interface LayersGradient {
  images: Images;
  outputs: readonly TensorInfo[];
  dy: TensorInfo;
  /** Like the images' tensor: its first channels are written, or added to. */
  dx: TensorInfo;
  adds: boolean;
}

/**
 * Gradients in the input and in every weight; those in the weights are returned, in their order.
 *
 * `gradient` below is that in a layer's output, as it was before the relu.
 */
export function runLayersGradient(
  gpu: Gpu,
  layers: readonly Layer[],
  { images, outputs, dy, dx, adds }: LayersGradient,
): TensorInfo[] {
  const last = layers.length - 1;
  const sources = layers.map((_, i) => (i === 0 ? images : imagesOf(outputs[i - 1])));
  const parts = layers.map((layer, i) => partsOf(gpu, layer, sources[i]));
  let floats = 0;
  const places = parts.map(({ count, stride }) => {
    const at = floats;
    floats += 4 * Math.ceil((count * stride) / 4);
    return at;
  });
  const hidden = sources.slice(1).map(({ tensor }) => util.sizeFromShape(tensor.shape));
  const rooms = hidden.slice(0, 2).map(() => largest(hidden));
  const sums: Summed[][] = [];
  const results: TensorInfo[][] = [];
  gpu.withScratch([floats, turnedFloats(layers), ...rooms], (partial, room, ...gradients) => {
    const turned = turnFilters(gpu, layers, room);
    let gradient = dy;
    for (let i = last; i >= 0; i--) {
      const layer = layers[i];
      const { size, inputs: columns } = layer;
      writeParts(
        gpu,
        layer,
        sources[i],
        parts[i],
        { dy: gradient, output: outputs[i], parts: partial },
        places[i],
      );
      const { tensors: ofWeights, sums: ofLayer } = weightGradients(gpu, layer, parts[i], places[i]);
      if (layer.offsetRows > 1) offsetGradient(gpu, layer, gradient, ofWeights[1]);
      results[i] = ofWeights;
      sums[i] = ofLayer;
      const to = i === 0 ? dx : { ...gradients[(i - 1) % 2], shape: sources[i].tensor.shape };
      const filters = { tensor: turned[i], size, columns };
      const made = sources[i].tensor;
      const ending =
        i > 0
          ? { kind: 'masked' as const, made }
          : { kind: adds ? ('added' as const) : ('written' as const) };
      convolve(gpu, imagesOf(gradient), filters, to, ending);
      gradient = to;
    }
    addParts(gpu, partial, sums.flat());
  });
  return results.flat();
}

/** FlowConvolutions and its gradient. */
export function registerConvolutions(): void {
  registerGpuKernel(
    'FlowConvolutions',
    ({ inputs: [x, ...weights], attrs, gpu }: KernelCall<TensorInfo[], ChainAttributes>) => {
      const { layers } = layersOf(weights, attrs);
      return runLayers(gpu, layers, imagesOf(x));
    },
  );
  registerGpuKernel(
    'FlowConvolutionsGradient',
    ({ inputs: [dy, x, ...tensors], attrs, gpu }: KernelCall<TensorInfo[], ChainAttributes>) => {
      const { layers, others: outputs } = layersOf(tensors, attrs);
      const dx = gpu.output(x.shape);
      const given = { images: imagesOf(x), outputs, dy, dx, adds: false };
      return [dx, ...runLayersGradient(gpu, layers, given)];
    },
  );
}
