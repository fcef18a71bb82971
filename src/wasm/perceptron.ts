import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { PERCEPTRON_ROWS } from '../core/kernelConstants';
import type { PerceptronPlan } from '../layers/networks/fusedPerceptron';
import {
  type LayerTensors,
  outputsOf,
  type PerceptronAttributes,
  type PerceptronTensors,
  perceptronTensors,
} from '../layers/networks/perceptronTensors';
import { bytesOf, type Fields, wordsOf } from './blocks';
import type { KernelModule } from './kernelModule';
import { layoutOf, type PerceptronLayout, recordFloats } from './perceptronLayout';
import { blockRows } from './products';
import type { KernelCall, Place } from './register';

/** Chunks of the gradient, at most: each has sums of its own for all weights. */
const GRADIENT_CHUNKS = 8;

/** Scratch of a perceptron. */
interface Room {
  layers: number;
  sources: number;
  packed: number;
  ranges: number;
  turned: number;
  turnedRanges: number;
  local: number;
  localBytes: number;
  /** What else there is room for. */
  other: number;
}

function roomFor(kernels: KernelModule, layout: PerceptronLayout, turned: boolean, other: number): Room {
  const { sizes } = layout;
  const localBytes = kernels.exports.perceptronLocalBytes(layout.gradientBytes);
  const [layers, sources, packed, ranges, weights, turnedRanges, local, rest] = kernels.scratch(
    bytesOf('PerceptronLayer', layout.layers.length),
    // x and the context.
    bytesOf('PerceptronSource', 2),
    turned ? 0 : sizes.packed,
    sizes.ranges,
    turned ? sizes.turned : 0,
    turned ? sizes.turnedRanges : 0,
    localBytes * kernels.threads,
    other,
  );
  return { layers, sources, packed, ranges, turned: weights, turnedRanges, local, localBytes, other: rest };
}

/** Where the gradients by the weights of a layer go. */
type WeightGradients = readonly [dKernel: number, dBias: number];

/** Writes the records of all layers. */
function writeLayers(
  kernels: KernelModule,
  layout: PerceptronLayout,
  tensors: readonly LayerTensors[],
  room: Room,
  gradients?: readonly WeightGradients[],
): void {
  const placeOf = (tensor: TensorInfo | undefined) => (tensor === undefined ? 0 : kernels.pointer(tensor));
  const records = layout.layers.map(({ fields, places }, i): Fields<'PerceptronLayer'> => {
    const { kernel, bias, mask, dropout, sourceDropout } = tensors[i];
    return {
      ...fields,
      kernel: kernels.pointer(kernel),
      bias: kernels.pointer(bias),
      mask: placeOf(mask),
      dropout: placeOf(dropout),
      sourceDropout: placeOf(sourceDropout),
      packed: room.packed + places.packed,
      ranges: room.ranges + places.ranges,
      turned: room.turned + places.turned,
      turnedRanges: room.turnedRanges + places.turnedRanges,
      dKernel: gradients === undefined ? 0 : gradients[i][0],
      dBias: gradients === undefined ? 0 : gradients[i][1],
    };
  });
  kernels.write(room.layers, wordsOf('PerceptronLayer', records));
}

/** Writes where the inputs lie, and where the gradients by them go: that by x may be added to what is there. */
function writeSources(
  kernels: KernelModule,
  sources: readonly TensorInfo[],
  values: number,
  room: Room,
  gradients: readonly number[] = [],
  adds = false,
): void {
  const records = sources.map((source, i) => ({
    at: kernels.pointer(source),
    rowFloats: source.shape[1],
    columns: i === 0 ? values : source.shape[1],
    gradient: gradients[i] ?? 0,
    adds: adds && i === 0,
  }));
  kernels.write(room.sources, wordsOf('PerceptronSource', records));
}

function fieldsOf(layout: PerceptronLayout, room: Room, { sources, share }: PerceptronTensors) {
  return {
    rows: sources[0].shape[0],
    layers: room.layers,
    layerCount: layout.layers.length,
    sources: room.sources,
    sourceCount: sources.length,
    recordBytes: layout.recordBytes,
    local: room.local,
    localBytes: room.localBytes,
    gradientBytes: layout.gradientBytes,
    lastResult: layout.lastResult,
    inputGradient: layout.inputGradient,
    inputColumns: layout.inputColumns,
    clearInputs: layout.clearInputs,
    share,
    added: layout.added,
  };
}

/** Computes the output, [rows, outputs of the last layer] at `output`; returns the records where they are kept. */
export function runPerceptron(
  { backend, kernels }: Place,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  output: number,
  keep: boolean,
): TensorInfo | undefined {
  const { sources, layers } = tensors;
  const layout = layoutOf(plan);
  const { recordBytes } = layout;
  const [rows] = sources[0].shape;
  const kept = keep ? backend.makeOutput([recordFloats(plan, rows)], 'float32') : undefined;
  const room = roomFor(kernels, layout, false, keep ? 0 : PERCEPTRON_ROWS * recordBytes * kernels.threads);
  writeLayers(kernels, layout, layers, room);
  writeSources(kernels, sources, layout.values, room);
  kernels.run('perceptron', {
    ...fieldsOf(layout, room, tensors),
    chunkRows: Math.max(blockRows(rows), Math.min(PERCEPTRON_ROWS, rows)),
    records: kept === undefined ? room.other : kernels.pointer(kept),
    kept: keep,
    output,
    outputGradient: 0,
    parts: 0,
    partBytes: 0,
  });
  return kept;
}

/** Where the gradients by x and the context go, and whether that by x is added to what is there. */
interface SourceGradients {
  places: readonly number[];
  adds: boolean;
}

/** Gradients in every weight, and in the sources at their places, from that in the output at `dy`. */
export function runPerceptronGradient(
  { backend, kernels }: Place,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  records: TensorInfo,
  dy: number,
  { places, adds }: SourceGradients,
): TensorInfo[] {
  const { sources, weights, layers } = tensors;
  const layout = layoutOf(plan);
  const [rows] = sources[0].shape;
  const gradients = weights.map(({ shape }) => backend.makeOutput(shape, 'float32'));
  const placeOf = new Map(weights.map((weight, i) => [weight, kernels.pointer(gradients[i])]));
  const ofLayers = layers.map(
    ({ kernel, bias }): WeightGradients => [placeOf.get(kernel) as number, placeOf.get(bias) as number],
  );
  const blocks = Math.ceil(rows / PERCEPTRON_ROWS);
  const chunkRows = Math.max(1, Math.ceil(blocks / GRADIENT_CHUNKS)) * PERCEPTRON_ROWS;
  const partBytes = layout.part * 4;
  const room = roomFor(kernels, layout, true, Math.ceil(rows / chunkRows) * partBytes);
  writeLayers(kernels, layout, layers, room, ofLayers);
  writeSources(kernels, sources, layout.values, room, places, adds);
  kernels.run('perceptronGradient', {
    ...fieldsOf(layout, room, tensors),
    chunkRows,
    records: kernels.pointer(records),
    kept: true,
    output: 0,
    outputGradient: dy,
    parts: room.other,
    partBytes,
  });
  return gradients;
}

/** [x, context?, ...weights, ...masks, ...dropout] -> the output, and the records where they are kept. */
export function perceptron(
  call: KernelCall<string, PerceptronAttributes & { taped: boolean }>,
): TensorInfo[] {
  const { plan, taped } = call.attrs;
  const tensors = perceptronTensors(Object.values(call.inputs), call.attrs);
  const shape = [tensors.sources[0].shape[0], outputsOf(plan)];
  const output = call.backend.makeOutput(shape, 'float32');
  const records = runPerceptron(call, plan, tensors, call.kernels.pointer(output), taped);
  return records === undefined ? [output] : [output, records];
}

/** [dy, x, context?, ...weights, ...masks, ...dropout, records] -> gradients in x, the context and every weight. */
export function perceptronGradient(call: KernelCall<string, PerceptronAttributes>): TensorInfo[] {
  const { attrs, backend, kernels } = call;
  const [dy, ...inputs] = Object.values(call.inputs);
  const tensors = perceptronTensors(inputs, attrs);
  const ofSources = tensors.sources.map(({ shape }) => backend.makeOutput(shape, 'float32'));
  const places = ofSources.map((tensor) => kernels.pointer(tensor));
  // Columns that the network does not read.
  if (tensors.sources[0].shape[1] > layoutOf(attrs.plan).values)
    kernels.clear(places[0], util.sizeFromShape(ofSources[0].shape) * 4);
  const { rest } = tensors;
  const dyAt = kernels.pointer(dy);
  const ofWeights = runPerceptronGradient(call, attrs.plan, tensors, rest[0], dyAt, { places, adds: false });
  return [...ofSources, ...ofWeights];
}
