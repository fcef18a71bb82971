import {
  backend_util,
  type ConcatAttrs,
  type GatherV2Attrs,
  type PadV2Attrs,
  type SliceAttrs,
  type SplitVAttrs,
  slice_util,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule';
import { type KernelCall, type Place, replaceKernel } from './register';

/** Floats per chunk of a copy: enough work to wake a thread for. */
const CHUNK_FLOATS = 16384;

/** Where columns lie: a matrix's address, the columns of its rows, and the first that counts. */
interface Columns {
  at: number;
  columns: number;
  first: number;
}

/** `count` columns of every row, from one matrix to another. */
export function copyColumns(
  kernels: KernelModule,
  rows: number,
  count: number,
  from: Columns,
  to: Columns,
): void {
  const blockRows = Math.max(1, Math.floor(CHUNK_FLOATS / Math.max(1, count)));
  const start = ({ at, first }: Columns) => at + first * 4;
  kernels.run('copyColumns', {
    rows,
    blockRows,
    count,
    from: start(from),
    fromColumns: from.columns,
    to: start(to),
    toColumns: to.columns,
  });
}

/** The channels of x in another order: of each the place where it stands. */
export function orderChannels(call: KernelCall<'x', { order: Int32Array }>): TensorInfo[] {
  return [orderedColumns(call, call.inputs.x, call.attrs.order)];
}

/** A new tensor of the same columns in another order. */
export function orderedColumns({ backend, kernels }: Place, x: TensorInfo, order: Int32Array): TensorInfo {
  const output = backend.makeOutput(x.shape, 'float32');
  const columns = order.length;
  const rows = util.sizeFromShape(x.shape) / columns;
  const [places] = kernels.scratch(columns * 4);
  kernels.write(
    places,
    order.map((place) => place * 4),
  );
  kernels.run('orderColumns', {
    rows,
    blockRows: Math.max(1, Math.floor(CHUNK_FLOATS / columns)),
    columns,
    from: kernels.pointer(x),
    to: kernels.pointer(output),
    places,
  });
  return output;
}

/** A tensor cut at an axis: rows before it, and what a step along the axis takes in the memory of a row. */
interface Cut {
  axis: number;
  rows: number;
  step: number;
  columns: number;
}

/** Null for a single value. */
function cutAt({ shape }: TensorInfo, axis: number): Cut | null {
  if (shape.length === 0) return null;
  const at = axis < 0 ? axis + shape.length : axis;
  const step = util.sizeFromShape(shape.slice(at + 1));
  return { axis: at, rows: util.sizeFromShape(shape.slice(0, at)), step, columns: shape[at] * step };
}

/** The only axis on which something happens, or null where there are several; the last where there is none. */
function onlyAxis(happens: readonly boolean[]): number | null {
  const axes = happens.flatMap((here, axis) => (here ? [axis] : []));
  return axes.length > 1 ? null : (axes[0] ?? happens.length - 1);
}

function slice({ inputs: { x }, attrs, backend, kernels }: KernelCall<'x', SliceAttrs>) {
  const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size);
  slice_util.assertParamsValid(x as never, begin, size);
  const axis = onlyAxis(size.map((length, i) => length !== x.shape[i]));
  const cut = axis === null ? null : cutAt(x, axis);
  if (cut === null) return null;
  const count = size[cut.axis] * cut.step;
  const output = backend.makeOutput(size, x.dtype);
  copyColumns(
    kernels,
    cut.rows,
    count,
    { at: kernels.pointer(x), columns: cut.columns, first: begin[cut.axis] * cut.step },
    { at: kernels.pointer(output), columns: count, first: 0 },
  );
  return output;
}

function splitV({ inputs: { x }, attrs, backend, kernels }: KernelCall<'x', SplitVAttrs>) {
  const cut = cutAt(x, attrs.axis);
  if (cut === null) return null;
  const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits, cut.axis);
  const shapeOf = (size: number) => x.shape.map((length, i) => (i === cut.axis ? size : length));
  const outputs = sizes.map((size) => backend.makeOutput(shapeOf(size), x.dtype));
  let first = 0;
  for (const [i, size] of sizes.entries()) {
    const count = size * cut.step;
    const from = { at: kernels.pointer(x), columns: cut.columns, first };
    const to = { at: kernels.pointer(outputs[i]), columns: count, first: 0 };
    copyColumns(kernels, cut.rows, count, from, to);
    first += count;
  }
  return outputs;
}

function concat({ inputs, attrs, backend, kernels }: KernelCall<string, ConcatAttrs>) {
  const parts: TensorInfo[] = Object.values(inputs);
  const cuts = parts.map((part) => cutAt(part, attrs.axis));
  const [first] = cuts;
  if (first === null || cuts.includes(null) || parts.some(({ dtype }) => dtype !== parts[0].dtype))
    return null;
  const shapes = parts.map(({ shape }) => shape);
  backend_util.assertParamsConsistent(shapes, first.axis);
  const shape = backend_util.computeOutShape(shapes, first.axis);
  const output = backend.makeOutput(shape, parts[0].dtype);
  const to = { at: kernels.pointer(output), columns: shape[first.axis] * first.step, first: 0 };
  for (const [i, cut] of cuts.entries()) {
    const { rows, columns } = cut as Cut;
    copyColumns(kernels, rows, columns, { at: kernels.pointer(parts[i]), columns, first: 0 }, to);
    to.first += columns;
  }
  return output;
}

/** Zeros on both sides of an axis: the gradient of a slice. */
function padV2({ inputs: { x }, attrs, backend, kernels }: KernelCall<'x', PadV2Attrs>) {
  const { paddings, constantValue } = attrs;
  const axis = onlyAxis(paddings.map(([before, after]) => before + after > 0));
  const cut = axis === null ? null : cutAt(x, axis);
  if (cut === null || constantValue !== 0) return null;
  const [before, after] = paddings[cut.axis];
  const shape = x.shape.map((length, i) => (i === cut.axis ? before + length + after : length));
  const columns = shape[cut.axis] * cut.step;
  const output = backend.makeOutput(shape, x.dtype);
  kernels.clear(kernels.pointer(output), cut.rows * columns * 4);
  copyColumns(
    kernels,
    cut.rows,
    cut.columns,
    { at: kernels.pointer(x), columns: cut.columns, first: 0 },
    { at: kernels.pointer(output), columns, first: before * cut.step },
  );
  return output;
}

/** Columns in another order: runs of neighbours are copied at once. */
function gather({ inputs, attrs, backend, kernels }: KernelCall<'x' | 'indices', GatherV2Attrs>) {
  const { x, indices } = inputs;
  const last = x.shape.length - 1;
  const cut = cutAt(x, attrs.axis);
  if (cut?.axis !== last || attrs.batchDims !== 0) return null;
  const order = backend.typedArrayFromHeap(indices);
  const starts = [...order.keys()].filter((at) => at === 0 || order[at] !== order[at - 1] + 1);
  const inside = order.every((index) => index >= 0 && index < cut.columns);
  // A run of a few rows is copied faster by the stock kernel, which takes values one by one.
  if (!inside || starts.length > cut.rows) return null;
  const output = backend.makeOutput([...x.shape.slice(0, -1), ...indices.shape], x.dtype);
  const [from, to] = [kernels.pointer(x), kernels.pointer(output)];
  for (const [i, first] of starts.entries()) {
    const count = (starts[i + 1] ?? order.length) - first;
    copyColumns(
      kernels,
      cut.rows,
      count,
      { at: from, columns: cut.columns, first: order[first] },
      { at: to, columns: order.length, first },
    );
  }
  return output;
}

/** Slices, splits, joins, zero padding and selections along one axis. */
export function registerColumnCopies(): void {
  // Values of four bytes, whatever they mean.
  const words = { dtypes: ['float32', 'int32'] as const };
  replaceKernel('Slice', slice, words);
  replaceKernel('SplitV', splitV, words);
  replaceKernel('Concat', concat, words);
  replaceKernel('PadV2', padV2, words);
  replaceKernel('GatherV2', gather, { ...words, types: { indices: ['int32'] } });
}
