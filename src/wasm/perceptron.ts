import type { TensorInfo } from '@tensorflow/tfjs-core';
import { PERCEPTRON_ROWS } from '../core/kernelConstants';
import type { PerceptronPlan } from '../layers/networks/fusedPerceptron';
import { type Fields, wordsOf } from './blocks';
import type { KernelModule } from './kernelModule';
import { layoutOf, type PerceptronLayout } from './perceptronLayout';
import { blockRows } from './products';
import type { KernelCall } from './register';

/** Chunks of the gradient, at most: each has sums of its own for all weights. */
const GRADIENT_CHUNKS = 8;

export interface PerceptronAttributes {
  plan: PerceptronPlan;
}

/** The weights of a layer, or of its context's. */
interface LayerTensors {
  kernel: TensorInfo;
  bias: TensorInfo;
  mask?: TensorInfo;
}

/** The inputs of a perceptron's kernels. */
export interface PerceptronTensors {
  /** x, and the context where there is one. */
  sources: readonly TensorInfo[];
  /** Kernels and biases, as they are given. */
  weights: readonly TensorInfo[];
  /** The same by layers, those of contexts first. */
  layers: readonly LayerTensors[];
  rest: readonly TensorInfo[];
}

/** Takes a list of inputs apart that begins with x. */
export function perceptronTensors(inputs: readonly TensorInfo[], plan: PerceptronPlan): PerceptronTensors {
  const { forms, masked } = plan;
  const first = plan.context > 0 ? 2 : 1;
  const ends = [first];
  for (const { context } of forms) ends.push(ends[ends.length - 1] + (context === undefined ? 2 : 4));
  const end = ends[forms.length];
  const layers = forms.flatMap(({ context }, i): LayerTensors[] => {
    const [kernel, bias, contextKernel, contextBias] = inputs.slice(ends[i], ends[i + 1]);
    const layer = { kernel, bias, mask: masked ? inputs[end + i] : undefined };
    return context === undefined ? [layer] : [{ kernel: contextKernel, bias: contextBias }, layer];
  });
  const rest = inputs.slice(masked ? end + forms.length : end);
  return { sources: inputs.slice(0, first), weights: inputs.slice(first, end), layers, rest };
}

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
  const words = layout.layers.length * LAYER_BYTES;
  const [layers, sources, packed, ranges, weights, turnedRanges, local, rest] = kernels.scratch(
    words,
    64,
    turned ? 0 : sizes.packed,
    sizes.ranges,
    turned ? sizes.turned : 0,
    turned ? sizes.turnedRanges : 0,
    localBytes * kernels.threads,
    other,
  );
  return { layers, sources, packed, ranges, turned: weights, turnedRanges, local, localBytes, other: rest };
}

/** Bytes of the record of a layer. */
const LAYER_BYTES = 128;

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
  const records = layout.layers.map(({ fields, places }, i): Fields<'PerceptronLayer'> => {
    const { kernel, bias, mask } = tensors[i];
    return {
      ...fields,
      kernel: kernels.pointer(kernel),
      bias: kernels.pointer(bias),
      mask: mask === undefined ? 0 : kernels.pointer(mask),
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

/** Writes where the inputs lie, and where the gradients by them go. */
function writeSources(
  kernels: KernelModule,
  sources: readonly TensorInfo[],
  room: Room,
  gradients?: readonly TensorInfo[],
): void {
  const records = sources.map((source, i) => ({
    at: kernels.pointer(source),
    columns: source.shape[1],
    gradient: gradients === undefined ? 0 : kernels.pointer(gradients[i]),
  }));
  kernels.write(room.sources, wordsOf('PerceptronSource', records));
}

function fieldsOf(layout: PerceptronLayout, room: Room, sources: readonly TensorInfo[]) {
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
    added: layout.added,
  };
}

/** Output, and the records where they are kept. */
export function perceptron(call: KernelCall<string, PerceptronAttributes & { kept: boolean }>): TensorInfo[] {
  const { attrs, backend, kernels } = call;
  const { sources, layers } = perceptronTensors(Object.values(call.inputs), attrs.plan);
  const layout = layoutOf(attrs.plan, sources[0].shape[1]);
  const [rows] = sources[0].shape;
  const output = backend.makeOutput([rows, attrs.plan.forms[attrs.plan.forms.length - 1].outputs], 'float32');
  const { recordBytes } = layout;
  const kept = attrs.kept
    ? backend.makeOutput([(Math.ceil(rows / 4) * 4 * recordBytes) / 4], 'float32')
    : undefined;
  const others = kept === undefined ? PERCEPTRON_ROWS * recordBytes * kernels.threads : 0;
  const room = roomFor(kernels, layout, false, others);
  writeLayers(kernels, layout, layers, room);
  writeSources(kernels, sources, room);
  kernels.run('perceptron', {
    ...fieldsOf(layout, room, sources),
    chunkRows: Math.max(blockRows(rows), Math.min(PERCEPTRON_ROWS, rows)),
    records: kept === undefined ? room.other : kernels.pointer(kept),
    kept: kept !== undefined,
    output: kernels.pointer(output),
    outputGradient: 0,
    parts: 0,
    partBytes: 0,
  });
  return kept === undefined ? [output] : [output, kept];
}

/** Gradients in x, the context and every weight. */
export function perceptronGradient(call: KernelCall<string, PerceptronAttributes>): TensorInfo[] {
  const { backend, kernels } = call;
  const { plan } = call.attrs;
  const [dy, ...inputs] = Object.values(call.inputs);
  const { sources, weights, layers, rest } = perceptronTensors(inputs, plan);
  const layout = layoutOf(plan, sources[0].shape[1]);
  const [rows] = sources[0].shape;
  const like = ({ shape }: TensorInfo) => backend.makeOutput(shape, 'float32');
  const ofSources = sources.map(like);
  const ofWeights = weights.map(like);
  const places = new Map(weights.map((weight, i) => [weight.dataId, kernels.pointer(ofWeights[i])]));
  const ofLayers = layers.map(
    ({ kernel, bias }): WeightGradients => [
      places.get(kernel.dataId) as number,
      places.get(bias.dataId) as number,
    ],
  );
  const blocks = Math.ceil(rows / PERCEPTRON_ROWS);
  const chunkRows = Math.max(1, Math.ceil(blocks / GRADIENT_CHUNKS)) * PERCEPTRON_ROWS;
  const partBytes = layout.part * 4;
  const room = roomFor(kernels, layout, true, Math.ceil(rows / chunkRows) * partBytes);
  writeLayers(kernels, layout, layers, room, ofLayers);
  writeSources(kernels, sources, room, ofSources);
  kernels.run('perceptronGradient', {
    ...fieldsOf(layout, room, sources),
    chunkRows,
    records: kernels.pointer(rest[0]),
    kept: true,
    output: 0,
    outputGradient: kernels.pointer(dy),
    parts: room.other,
    partBytes,
  });
  return [...ofSources, ...ofWeights];
}
