import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
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
import type { KernelCall } from './register';
import { convolutionChunks, convolve, convolveGradients } from './winograd';

type ChainCall = KernelCall<string, { scaled: number[] }>;
type Shape4D = [number, number, number, number];

/** A layer's weights, and the geometry of its convolution. */
interface Layer {
  filter: TensorInfo;
  offset: TensorInfo;
  logScale?: TensorInfo;
  info: ConvInfo;
  /** Output channels. */
  columns: number;
  /** Lines of the offset: 1, or the positions of an image. */
  offsetRows: number;
}

function layersOf({ inputs, attrs }: ChainCall): Layer[] {
  let next = 0;
  let shape = inputs.input.shape as Shape4D;
  return attrs.scaled.map((scaled) => {
    const filter = inputs[`parameters${next++}`];
    const offset = inputs[`parameters${next++}`];
    const logScale = scaled ? inputs[`parameters${next++}`] : undefined;
    const info = backend_util.computeConv2DInfo(shape, filter.shape as Shape4D, 1, 1, 'same');
    shape = info.outShape;
    const columns = info.outChannels;
    return {
      filter,
      offset,
      logScale,
      info,
      columns,
      offsetRows: util.sizeFromShape(offset.shape) / columns,
    };
  });
}

function rowsOf({ batchSize, inHeight, inWidth }: ConvInfo): number {
  return batchSize * inHeight * inWidth;
}

function pointerOrNull(kernels: KernelModule, tensor: TensorInfo | undefined): number {
  return tensor === undefined ? 0 : kernels.pointer(tensor);
}

/** The last layer's output and then the hidden ones, all of one pass each. */
export function convolutionChain(call: ChainCall): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const layers = layersOf(call);
  const outputs: TensorInfo[] = [];
  let source = inputs.input;
  layers.forEach(({ info, columns, offset, offsetRows, logScale, filter }, i) => {
    const output = backend.makeOutput(info.outShape, 'float32');
    kernels.withRoom([columns * 4, offsetRows * columns * 4], (scale, shift) => {
      kernels.exports.exponentials(pointerOrNull(kernels, logScale), scale, columns);
      kernels.exports.scaleLines(kernels.pointer(offset), scale, shift, offsetRows, columns);
      convolve(
        kernels,
        forwardPatches(info, kernels.pointer(source)),
        rowsOf(info),
        filterAsRight(info, kernels.pointer(filter)),
        kernels.pointer(output),
        {
          scale: logScale && scale,
          shift,
          shiftRows: offsetRows,
          relu: i < layers.length - 1,
        },
      );
    });
    outputs.push(output);
    source = output;
  });
  return [outputs[outputs.length - 1], ...outputs.slice(0, -1)];
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

/**
 * Gradients in the input and in every parameter, in their order.
 *
 * `gradient` below is that of a convolution's own result, before offset and scale. On the way back it is masked by the
 * relu, summed for offset and scale, and scaled, while the product that makes it is in the cache.
 */
export function convolutionChainGradient(call: ChainCall): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const layers = layersOf(call);
  const last = layers.length - 1;
  const outputOf = (i: number) => inputs[i === last ? 'outputs0' : `outputs${i + 1}`];
  const results = layers.map(({ filter, offset, logScale }) =>
    [filter, offset, logScale].map((tensor) =>
      tensor === undefined ? undefined : backend.makeOutput(tensor.shape, 'float32'),
    ),
  );
  const dx = backend.makeOutput(inputs.input.shape, 'float32');

  const rows = rowsOf(layers[0].info);
  const widest = Math.max(...layers.map(({ columns }) => columns));
  const chunksOf = (i: number) =>
    convolutionChunks(backwardPatches(layers[i].info, 0), rows, layers[i].info.inChannels);
  const chunks = Math.max(...layers.map((_, i) => chunksOf(i)));
  const bytes = rows * widest * 4;
  kernels.withRoom([bytes, bytes, chunks * 2 * widest * 4, widest * 4], (a, b, sums, scale) => {
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
      input: kernels.pointer(inputs.dy),
      weights: kernels.pointer(outputOf(last)),
      rows,
      columns: layers[last].columns,
      logScale: pointerOrNull(kernels, layers[last].logScale),
      output: gradient,
      ...placesOf(last),
    });
    for (let i = last; i >= 0; i--) {
      const { info, columns, filter, offsetRows } = layers[i];
      const [dFilter, dOffset] = results[i] as TensorInfo[];
      const source = kernels.pointer(i === 0 ? inputs.input : outputOf(i - 1));
      layerFilterGradient(kernels, info, source, gradient, kernels.pointer(dFilter));
      if (offsetRows > 1) {
        const perPosition = [1, info.batchSize, offsetRows * columns] as const;
        sumMiddle(kernels, gradient, perPosition, kernels.pointer(dOffset), 1);
      }
      const right = filterReversed(info, kernels.pointer(filter));
      if (i === 0) {
        convolve(kernels, backwardPatches(info, gradient), rows, right, kernels.pointer(dx));
        break;
      }
      const { columns: before, logScale } = layers[i - 1];
      kernels.clear(sums, 2 * before * 4);
      kernels.exports.exponentials(pointerOrNull(kernels, logScale), scale, before);
      const epilogue = { mask: source, sums, scale: logScale && scale };
      convolve(kernels, backwardPatches(info, gradient), rows, right, other, epilogue);
      kernels.exports.addParts(sums, chunksOf(i), 2 * before);
      placeSums(kernels, sums, scale, before, placesOf(i - 1));
      [gradient, other] = [other, gradient];
    }
  });
  return [dx, ...results.flat().filter((tensor) => tensor !== undefined)];
}
