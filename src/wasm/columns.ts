import {
  backend_util,
  type ConcatAttrs,
  type PadV2Attrs,
  type SliceAttrs,
  type SplitVAttrs,
  slice_util,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule';
import { type KernelCall, replaceKernel } from './register';

/** Floats per chunk of a copy: enough work to wake a thread for. */
const CHUNK_FLOATS = 16384;

/** Where columns lie: a matrix's address, the columns of its rows, and the first that counts. */
interface Columns {
  at: number;
  columns: number;
  first: number;
}

function copyColumns(kernels: KernelModule, rows: number, count: number, from: Columns, to: Columns): void {
  const blockRows = Math.max(1, Math.floor(CHUNK_FLOATS / Math.max(1, count)));
  const start = ({ at, first }: Columns) => at + first * 4;
  kernels.run('copyColumns', [rows, blockRows, count, start(from), from.columns, start(to), to.columns]);
}

/** A float32 tensor as a matrix whose columns are its last axis. */
function matrixOf({ shape, dtype }: TensorInfo): { rows: number; columns: number } | null {
  if (dtype !== 'float32' || shape.length === 0) return null;
  return { rows: util.sizeFromShape(shape.slice(0, -1)), columns: shape[shape.length - 1] };
}

function isLast(axis: number, { shape }: TensorInfo): boolean {
  return axis === -1 || axis === shape.length - 1;
}

function slice({ inputs: { x }, attrs, backend, kernels }: KernelCall<'x', SliceAttrs>) {
  const matrix = matrixOf(x);
  if (matrix === null) return null;
  const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size);
  slice_util.assertParamsValid(x as never, begin, size);
  const last = x.shape.length - 1;
  if (size.some((length, axis) => axis !== last && length !== x.shape[axis])) return null;
  const output = backend.makeOutput(size, 'float32');
  copyColumns(
    kernels,
    matrix.rows,
    size[last],
    { at: kernels.pointer(x), columns: matrix.columns, first: begin[last] },
    { at: kernels.pointer(output), columns: size[last], first: 0 },
  );
  return output;
}

function splitV({ inputs: { x }, attrs, backend, kernels }: KernelCall<'x', SplitVAttrs>) {
  const matrix = matrixOf(x);
  if (matrix === null || !isLast(attrs.axis, x)) return null;
  const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits, x.shape.length - 1);
  const outputs = sizes.map((count) => backend.makeOutput([...x.shape.slice(0, -1), count], 'float32'));
  let first = 0;
  for (const [i, count] of sizes.entries()) {
    const from = { at: kernels.pointer(x), columns: matrix.columns, first };
    copyColumns(kernels, matrix.rows, count, from, {
      at: kernels.pointer(outputs[i]),
      columns: count,
      first: 0,
    });
    first += count;
  }
  return outputs;
}

function concat({ inputs, attrs, backend, kernels }: KernelCall<string, ConcatAttrs>) {
  const parts: TensorInfo[] = Object.values(inputs);
  const matrices = parts.map(matrixOf);
  if (parts.length < 2 || matrices.includes(null) || !isLast(attrs.axis, parts[0])) return null;
  const shapes = parts.map(({ shape }) => shape);
  backend_util.assertParamsConsistent(shapes, parts[0].shape.length - 1);
  const shape = backend_util.computeOutShape(shapes, parts[0].shape.length - 1);
  const output = backend.makeOutput(shape, 'float32');
  const to = { at: kernels.pointer(output), columns: shape[shape.length - 1], first: 0 };
  for (const [i, matrix] of matrices.entries()) {
    const { rows, columns } = matrix as { rows: number; columns: number };
    copyColumns(kernels, rows, columns, { at: kernels.pointer(parts[i]), columns, first: 0 }, to);
    to.first += columns;
  }
  return output;
}

/** Zeros beside the channels: the gradient of a slice. */
function padV2({ inputs: { x }, attrs, backend, kernels }: KernelCall<'x', PadV2Attrs>) {
  const matrix = matrixOf(x);
  const last = x.shape.length - 1;
  const { paddings, constantValue } = attrs;
  if (matrix === null || constantValue !== 0) return null;
  if (paddings.some(([before, after], axis) => axis !== last && before + after > 0)) return null;
  const columns = matrix.columns + paddings[last][0] + paddings[last][1];
  const output = backend.makeOutput([...x.shape.slice(0, -1), columns], 'float32');
  kernels.clear(kernels.pointer(output), matrix.rows * columns * 4);
  copyColumns(
    kernels,
    matrix.rows,
    matrix.columns,
    { at: kernels.pointer(x), columns: matrix.columns, first: 0 },
    { at: kernels.pointer(output), columns, first: paddings[last][0] },
  );
  return output;
}

/** Slices, splits, joins and zero padding along the channels; every other axis stays with the stock kernels. */
export function registerColumnCopies(): void {
  replaceKernel('Slice', slice);
  replaceKernel('SplitV', splitV);
  replaceKernel('Concat', concat);
  replaceKernel('PadV2', padV2);
}
