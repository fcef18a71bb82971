import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type KernelCall, registerGpuKernel } from './register';
import { EXAMPLES, forward, gradient, reduction } from './scaledLinearPrograms';
import { type Form, formOf, ROWS } from './scaledLinearTiles';
import { flatGroups } from './wgsl';

/** Rows that a part of the gradient's sums is worth. */
const PART_ROWS = 256;
/** Parts of the gradient's sums, at most, and values of all of them. */
const MOST_PARTS = 256;
const MOST_PART_VALUES = 2 ** 20;

type Weight = 'offset' | 'logScale' | 'matrix';
type Call<Inputs extends string> = KernelCall<Record<Inputs | Weight, TensorInfo>, { inverse: boolean }>;

/** What the programs count: rows, channels, tiles of the rows, examples and their positions. */
function countsOf({ shape }: TensorInfo, { width }: Form) {
  const channels = shape[shape.length - 1];
  const rows = util.sizeFromShape(shape) / channels;
  const across = Math.ceil(channels / width);
  const [examples] = shape;
  return {
    rows,
    channels,
    across,
    tiles: Math.ceil(rows / ROWS) * across,
    examples,
    positions: examples === 0 ? 0 : rows / examples,
  };
}

function scaledLinear({ inputs, attrs, gpu }: Call<'input' | 'logDet'>): TensorInfo[] {
  const { input, offset, logScale, matrix, logDet: ofMatrix } = inputs;
  const form = formOf(logScale.shape[0], attrs.inverse);
  const { rows, channels, tiles, examples, positions } = countsOf(input, form);
  const outputs = [input.shape, [examples]].map((shape) => gpu.output(shape));
  const groups = flatGroups(tiles + Math.ceil(examples / EXAMPLES), 1);
  const buffers = [input, offset, logScale, matrix, ofMatrix, ...outputs];
  gpu.run(forward(form), buffers, groups, [rows, channels, tiles, examples, positions]);
  return outputs;
}

function scaledLinearGradient(call: Call<'dy' | 'dLogDet' | 'input'>): TensorInfo[] {
  const { inputs, attrs, gpu } = call;
  const { dy, dLogDet, input, offset, logScale, matrix } = inputs;
  const form = formOf(logScale.shape[0], attrs.inverse);
  const { rows, channels, across, tiles, examples, positions } = countsOf(input, form);
  const [dx, ...ofWeights] = [input.shape, offset.shape, logScale.shape, matrix.shape, []].map((shape) =>
    gpu.output(shape),
  );
  const slices = 64 / form.width;
  const valuesOfPart = slices * (channels + 1) * channels;
  const most = Math.max(1, Math.min(MOST_PARTS / slices, Math.floor(MOST_PART_VALUES / valuesOfPart)));
  const rowsOfPart = Math.ceil(Math.max(rows / most, PART_ROWS) / ROWS) * ROWS;
  const parts = Math.ceil(rows / rowsOfPart);
  gpu.withScratch([parts * valuesOfPart], (room) => {
    const groups = flatGroups(tiles + parts * across * across, 1);
    const buffers = [dy, input, offset, logScale, matrix, dx, room];
    gpu.run(gradient(form), buffers, groups, [rows, channels, tiles, rowsOfPart]);
    const counts = [channels, parts * slices, examples, positions];
    gpu.run(
      reduction(form),
      [room, logScale, matrix, dLogDet, ...ofWeights],
      flatGroups(channels, 1),
      counts,
    );
  });
  return [dx, ...ofWeights];
}

/** FlowScaledLinear and its gradient. */
export function registerScaledLinear(): void {
  registerGpuKernel('FlowScaledLinear', scaledLinear);
  registerGpuKernel('FlowScaledLinearGradient', scaledLinearGradient);
}
