import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { largest } from '../core/lists';
import {
  backwardPatches,
  type ConvInfo,
  filterAsRight,
  filterGradient,
  filterReversed,
  forwardPatches,
} from './convolution';
import type { KernelModule } from './kernelModule';
import { placeSums, type SumPlaces, scaleAndSum } from './passes';
import { sumMiddle } from './reduction';
import type { KernelCall, Place } from './register';
import { convolutionChunks, convolve, convolveGradients } from './winograd';

type Shape4D = [number, number, number, number];

/** A layer's weights, and the geometry of its convolution. */
export interface Layer {
  filter: TensorInfo;
  offset: TensorInfo;
  logScale?: TensorInfo;
  /** On logScale. */
  factor: number;
  info: ConvInfo;
  /** Of the output, in the input's rank. */
  shape: number[];
  /** Output channels. */
  columns: number;
  /** Lines of the offset: 1, or the positions of an image. */
  offsetRows: number;
}

/** Factors on the layers' logScales; 0 for a layer without. */
export interface ChainAttributes {
  factors: number[];
}

/** [n, h, w, c] of images; vectors are images of one pixel. */
function imageShape(shape: readonly number[]): Shape4D {
  const [batch, ...event] = shape;
  return [batch, ...[1, 1, ...event].slice(-3)] as Shape4D;
}

/** The layers on an input of this shape, and the tensors that follow their weights. */
export function layersOf(
  shape: readonly number[],
  tensors: readonly TensorInfo[],
  { factors }: ChainAttributes,
): { layers: Layer[]; others: TensorInfo[] } {
  let next = 0;
  let inputShape = imageShape(shape);
  const layers = factors.map((factor): Layer => {
    const filter = tensors[next++];
    const offset = tensors[next++];
    const logScale = factor === 0 ? undefined : tensors[next++];
    const filterShape = [1, 1, ...filter.shape].slice(-4) as Shape4D;
    const info = backend_util.computeConv2DInfo(inputShape, filterShape, 1, 1, 'same');
    inputShape = info.outShape;
    const columns = info.outChannels;
    const offsetRows = util.sizeFromShape(offset.shape) / columns;
    const outputShape = [...shape.slice(0, -1), columns];
    return { filter, offset, logScale, factor, info, shape: outputShape, columns, offsetRows };
  });
  return { layers, others: tensors.slice(next) };
}

function rowsOf({ batchSize, inHeight, inWidth }: ConvInfo): number {
  return batchSize * inHeight * inWidth;
}

/** Address of factor * logScale, which is written to `room` where it does not lie anywhere; 0 for a layer without. */
function logScaleAt({ backend, kernels }: Place, { logScale, factor }: Layer, room: number): number {
  if (logScale === undefined || factor === 1) return logScale === undefined ? 0 : kernels.pointer(logScale);
  const scaled = (backend.typedArrayFromHeap(logScale) as Float32Array).map((value) => value * factor);
  kernels.write(room, new Int32Array(scaled.buffer));
  return room;
}

function widest(layers: readonly Layer[], sizeOf: (layer: Layer) => number): number {
  return largest(layers.map(sizeOf)) * 4;
}

/** The outputs of the layers, in their order. */
export function runLayers(place: Place, layers: readonly Layer[], input: number): TensorInfo[] {
  const { backend, kernels } = place;
  const line = widest(layers, ({ columns }) => columns);
  const lines = widest(layers, ({ columns, offsetRows }) => columns * offsetRows);
  const outputs: TensorInfo[] = [];
  kernels.withRoom([line, line, lines], (logScales, scale, shift) => {
    let source = input;
    layers.forEach((layer, i) => {
      const { info, shape, columns, offset, offsetRows, filter } = layer;
      const logScale = logScaleAt(place, layer, logScales);
      kernels.exports.exponentials(logScale, scale, columns);
      kernels.exports.scaleLines(kernels.pointer(offset), scale, shift, offsetRows, columns);
      const output = backend.makeOutput(shape, 'float32');
      const right = filterAsRight(info, kernels.pointer(filter));
      const relu = i < layers.length - 1;
      const epilogue = { scale: logScale && scale, shift, shiftRows: offsetRows, relu };
      const to = kernels.pointer(output);
      convolve(kernels, forwardPatches(info, source), rowsOf(info), right, to, epilogue);
      outputs.push(output);
      source = to;
    });
  });
  return outputs;
}

function layerFilterGradient(
  kernels: KernelModule,
  info: ConvInfo,
  source: number,
  gradient: number,
  output: number,
): void {
  const { batchSize: batch, inHeight: height, inWidth: width, inChannels, outChannels } = info;
  const input = { at: source, channels: inChannels };
  const outputGradient = { at: gradient, channels: outChannels };
  const square = info.filterHeight === 3 && info.filterWidth === 3;
  if (square && convolveGradients(kernels, { batch, height, width }, input, outputGradient, output)) return;
  filterGradient(kernels, info, source, gradient, output);
}

/** What `layersGradient` starts from, and where it puts the gradient in the input; addresses, but for the outputs. */
interface LayersGradient {
  input: number;
  outputs: readonly TensorInfo[];
  dy: number;
  dx: number;
  /** Like dx, added to it. */
  added?: number;
}

/**
 * Gradients in the input and in every weight; those in the weights are returned, in their order.
 *
 * `gradient` below is that of a convolution's own result, before offset and scale. On the way back it is masked by the
 * relu, summed for offset and scale, and scaled, while the product that makes it is in the cache.
 */
export function layersGradient(
  place: Place,
  layers: readonly Layer[],
  { input, outputs, dy, dx, added }: LayersGradient,
): TensorInfo[] {
  const { backend, kernels } = place;
  const last = layers.length - 1;
  const results = layers.map(({ filter, offset, logScale }) =>
    [filter, offset, logScale].map((tensor) =>
      tensor === undefined ? undefined : backend.makeOutput(tensor.shape, 'float32'),
    ),
  );
  const rows = rowsOf(layers[0].info);
  const line = widest(layers, ({ columns }) => columns);
  const chunksOf = (i: number) =>
    convolutionChunks(backwardPatches(layers[i].info, 0), rows, layers[i].info.inChannels);
  const chunks = largest(layers.map((_, i) => chunksOf(i)));
  const sizes = [rows * line, rows * line, chunks * 2 * line, line, line];
  kernels.withRoom(sizes, (a, b, sums, scale, logScales) => {
    let gradient = a;
    let other = b;
    const placesOf = (i: number): SumPlaces => {
      const [, offset, logScale] = results[i].map((tensor) => tensor && kernels.pointer(tensor));
      return {
        dOffset: layers[i].offsetRows === 1 ? (offset as number) : null,
        dLogScale: logScale ?? null,
      };
    };
    scaleAndSum(kernels, {
      input: dy,
      weights: kernels.pointer(outputs[last]),
      rows,
      columns: layers[last].columns,
      logScale: logScaleAt(place, layers[last], logScales),
      output: gradient,
      ...placesOf(last),
    });
    for (let i = last; i >= 0; i--) {
      const { info, columns, filter, offsetRows } = layers[i];
      const [dFilter, dOffset] = results[i] as TensorInfo[];
      const source = i === 0 ? input : kernels.pointer(outputs[i - 1]);
      layerFilterGradient(kernels, info, source, gradient, kernels.pointer(dFilter));
      if (offsetRows > 1) {
        const perPosition = [1, info.batchSize, offsetRows * columns] as const;
        sumMiddle(kernels, gradient, perPosition, kernels.pointer(dOffset), 1);
      }
      const right = filterReversed(info, kernels.pointer(filter));
      if (i === 0) {
        const epilogue = added === undefined ? {} : { shift: added, shiftRows: rows };
        convolve(kernels, backwardPatches(info, gradient), rows, right, dx, epilogue);
        break;
      }
      const { columns: before } = layers[i - 1];
      const logScale = logScaleAt(place, layers[i - 1], logScales);
      kernels.clear(sums, 2 * before * 4);
      kernels.exports.exponentials(logScale, scale, before);
      const epilogue = { mask: source, sums, scale: logScale && scale };
      convolve(kernels, backwardPatches(info, gradient), rows, right, other, epilogue);
      kernels.exports.addParts(sums, chunksOf(i), 2 * before);
      placeSums(kernels, sums, scale, before, placesOf(i - 1));
      [gradient, other] = [other, gradient];
    }
  });
  for (const [i, [, , dLogScale]] of results.entries()) {
    const { factor } = layers[i];
    if (dLogScale === undefined || factor === 1) continue;
    const values = backend.typedArrayFromHeap(dLogScale);
    values.set(values.map((value) => value * factor));
  }
  return results.flat().filter((tensor) => tensor !== undefined);
}

/** [input, ...weights] -> the outputs of the layers, in their order. */
export function convolutionChain(call: KernelCall<string, ChainAttributes>): TensorInfo[] {
  const [input, ...weights] = Object.values(call.inputs);
  const { layers } = layersOf(input.shape, weights, call.attrs);
  return runLayers(call, layers, call.kernels.pointer(input));
}

/** [dy, input, ...weights, ...outputs] -> gradients in the input and in every weight. */
export function convolutionChainGradient(call: KernelCall<string, ChainAttributes>): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const [dy, input, ...tensors] = Object.values(inputs);
  const { layers, others: outputs } = layersOf(input.shape, tensors, attrs);
  const dx = backend.makeOutput(input.shape, 'float32');
  const ofWeights = layersGradient(call, layers, {
    input: kernels.pointer(input),
    outputs,
    dy: kernels.pointer(dy),
    dx: kernels.pointer(dx),
  });
  return [dx, ...ofWeights];
}
