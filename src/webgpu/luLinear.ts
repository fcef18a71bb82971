import type { TensorInfo } from '@tensorflow/tfjs-core';
import { orderOnGpu } from './channelOrder';
import { type Program, read, remembered, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { FLAT, flatGroups, flatMain, groupMain } from './wgsl';

/*
 * y = L (U z) + b, z being x in an order. A workgroup takes a tile of rows; what is summed lies in its memory, each row in an odd number
 * of places, so that rows side by side meet different banks. All invocations beside each other read one weight.
 */

/** Rows of a tile forward, and back, where twice as many tiles share the memory. */
const ROWS = 32;
const ROWS_BACK = 16;
/** Parts that sums over all rows are taken in, at most. */
const MOST_PARTS = 64;

/** Places of a row in memory: few different numbers, as each is a program of its own. */
function strideFor(values: number): number {
  return [17, 33].find((stride) => values <= stride) ?? 63;
}

/** U times a row of `z`, its value in a column. */
const THROUGH_UPPER = (stride: number) => `
fn throughUpper(row: u32, column: u32) -> f32 {
  var sum = exp(logScale[column]) * z[row * ${stride}u + column];
  for (var k = column + 1u; k < sizes.n; k++) { sum += triangles[column * sizes.n + k] * z[row * ${stride}u + k]; }
  return sum;
}`;

/** Goes over the values of a tile, those of a column side by side. */
function byColumns(rows: number, body: string): string {
  return `for (var i = local; i < ${rows}u * sizes.n; i += ${FLAT}u) {
    let row = i % ${rows}u;
    let column = i / ${rows}u;
    ${body}
  }`;
}

/** Goes over the values of a tile as they lie in tensors. */
function byRows(rows: number, body: string): string {
  return `for (var i = local; i < ${rows}u * sizes.n; i += ${FLAT}u) {
    let row = i / sizes.n;
    let column = i % sizes.n;
    ${body}
  }`;
}

const forward = remembered((stride: number, biased: boolean): Program => {
  return {
    key: `luLinear ${stride} ${biased}`,
    buffers: {
      x: read(),
      order: read('u32'),
      triangles: read(),
      logScale: read(),
      ...(biased && { bias: read() }),
      value: write(),
      logDet: write(),
    },
    sizes: ['rows: u32', 'n: u32'],
    code: () => `
var<workgroup> z: array<f32, ${ROWS * stride}>;
var<workgroup> between: array<f32, ${ROWS * stride}>;
${THROUGH_UPPER(stride)}
${groupMain(`
  let first = thing * ${ROWS}u;
  ${byRows(
    ROWS,
    `var given = 0f;
    if (first + row < sizes.rows) { given = x[(first + row) * sizes.n + order[column]]; }
    z[row * ${stride}u + column] = given;`,
  )}
  workgroupBarrier();
  ${byColumns(ROWS, `between[row * ${stride}u + column] = throughUpper(row, column);`)}
  workgroupBarrier();
  ${byColumns(
    ROWS,
    `var sum = between[row * ${stride}u + column];
    for (var k = 0u; k < column; k++) { sum += triangles[column * sizes.n + k] * between[row * ${stride}u + k]; }
    z[row * ${stride}u + column] = sum${biased ? ' + bias[column]' : ''};`,
  )}
  workgroupBarrier();
  ${byRows(ROWS, `if (first + row < sizes.rows) { value[first * sizes.n + i] = z[row * ${stride}u + column]; }`)}
  if (local < ${ROWS}u && first + local < sizes.rows) {
    var sum = 0f;
    for (var k = 0u; k < sizes.n; k++) { sum += logScale[k]; }
    logDet[first + local] = sum;
  }`)}`,
  };
});

/**
 * The gradient in x, and parts [part, n n + n + 1] of sums over the rows: below the diagonal dy times what lies between both factors, on
 * and above it the gradient there times z; behind them the sums of dy, and that of dLogDet.
 */
const gradient = remembered((stride: number): Program => {
  return {
    key: `luLinearGradient ${stride}`,
    buffers: {
      given: read(),
      dLogDet: read(),
      x: read(),
      order: read('u32'),
      triangles: read(),
      logScale: read(),
      dx: write(),
      partial: write(),
    },
    sizes: ['rows: u32', 'n: u32', 'parts: u32'],
    code: () => `
var<workgroup> z: array<f32, ${ROWS_BACK * stride}>;
var<workgroup> between: array<f32, ${ROWS_BACK * stride}>;
var<workgroup> dy: array<f32, ${ROWS_BACK * stride}>;
var<workgroup> ofBetween: array<f32, ${ROWS_BACK * stride}>;
${THROUGH_UPPER(stride)}
fn sumOfTile(entry: u32, first: u32) -> f32 {
  let row = entry / sizes.n;
  let column = entry % sizes.n;
  var sum = 0f;
  if (row < sizes.n) {
    for (var at = 0u; at < ${ROWS_BACK * stride}u; at += ${stride}u) {
      sum += select(ofBetween[at + row] * z[at + column], dy[at + row] * between[at + column], row > column);
    }
  } else if (row == sizes.n) {
    for (var at = column; at < ${ROWS_BACK * stride}u; at += ${stride}u) { sum += dy[at]; }
  } else if (column == 0u) {
    for (var at = first; at < min(first + ${ROWS_BACK}u, sizes.rows); at++) { sum += dLogDet[at]; }
  }
  return sum;
}
${groupMain(`
  let entries = sizes.n * sizes.n + sizes.n + 1u;
  for (var first = thing * ${ROWS_BACK}u; first < sizes.rows; first += sizes.parts * ${ROWS_BACK}u) {
    workgroupBarrier();
    ${byRows(
      ROWS_BACK,
      `z[row * ${stride}u + column] = 0f;
    dy[row * ${stride}u + column] = 0f;
    if (first + row < sizes.rows) {
      z[row * ${stride}u + column] = x[(first + row) * sizes.n + order[column]];
      dy[row * ${stride}u + column] = given[first * sizes.n + i];
    }`,
    )}
    workgroupBarrier();
    ${byColumns(
      ROWS_BACK,
      `between[row * ${stride}u + column] = throughUpper(row, column);
    var sum = dy[row * ${stride}u + column];
    for (var k = column + 1u; k < sizes.n; k++) { sum += triangles[k * sizes.n + column] * dy[row * ${stride}u + k]; }
    ofBetween[row * ${stride}u + column] = sum;`,
    )}
    workgroupBarrier();
    ${byRows(
      ROWS_BACK,
      `if (first + row < sizes.rows) {
      var sum = exp(logScale[column]) * ofBetween[row * ${stride}u + column];
      for (var k = 0u; k < column; k++) { sum += triangles[k * sizes.n + column] * ofBetween[row * ${stride}u + k]; }
      dx[(first + row) * sizes.n + order[column]] = sum;
    }`,
    )}
    for (var entry = local; entry < entries; entry += ${FLAT}u) {
      var sum = sumOfTile(entry, first);
      if (first >= sizes.parts * ${ROWS_BACK}u) { sum += partial[thing * entries + entry]; }
      partial[thing * entries + entry] = sum;
    }
  }`)}`,
  };
});

/** Gradients of the weights from the parts. */
const reduction = remembered((biased: boolean): Program => {
  return {
    key: `luLinearSums ${biased}`,
    buffers: {
      partial: read(),
      logScale: read(),
      dTriangles: write(),
      dLogScale: write(),
      ...(biased && { dBias: write() }),
    },
    sizes: ['n: u32', 'parts: u32'],
    code: () => `
fn sumOf(entry: u32) -> f32 {
  var sum = 0f;
  for (var part = 0u; part < sizes.parts; part++) { sum += partial[part * (sizes.n * sizes.n + sizes.n + 1u) + entry]; }
  return sum;
}
${flatMain(`
  let row = at / sizes.n;
  let column = at % sizes.n;
  if (row > sizes.n) { return; }
  let sum = sumOf(at);
  if (row == sizes.n) {
    ${biased ? 'dBias[column] = sum;' : ''}
    return;
  }
  dTriangles[at] = select(sum, 0f, row == column);
  if (row == column) { dLogScale[row] = exp(logScale[row]) * sum + sumOf(sizes.n * sizes.n + sizes.n); }`)}`,
  };
});

type Call = KernelCall<TensorInfo[], { order: Int32Array | undefined; biased: boolean }>;

/** [x, triangles, logScale, bias?] -> value, logDet */
function luLinear({ inputs, attrs: { order, biased }, gpu }: Call): TensorInfo[] {
  const [x, ...weights] = inputs;
  const [rows, n] = x.shape;
  const outputs = [[rows, n], [rows]].map((shape) => gpu.output(shape));
  const buffers = [x, orderOnGpu(gpu, order, n), ...weights, ...outputs];
  gpu.run(forward(strideFor(n), biased), buffers, flatGroups(rows, ROWS), [rows, n]);
  return outputs;
}

/** [dy, dLogDet, x, triangles, logScale] -> gradients in x, the triangles, logScale and, where it has one, the bias */
function luLinearGradient({ inputs, attrs: { order, biased }, gpu }: Call): TensorInfo[] {
  const [dy, dLogDet, x, triangles, logScale] = inputs;
  const [rows, n] = x.shape;
  const shapes = [[rows, n], [n, n], [n], ...(biased ? [[n]] : [])];
  const [dx, ...ofWeights] = shapes.map((shape) => gpu.output(shape));
  const parts = Math.min(Math.ceil(rows / ROWS_BACK), MOST_PARTS);
  gpu.withScratch([parts * (n * n + n + 1)], (partial) => {
    const buffers = [dy, dLogDet, x, orderOnGpu(gpu, order, n), triangles, logScale, dx, partial];
    gpu.run(gradient(strideFor(n)), buffers, [parts, 1, 1], [rows, n, parts]);
    gpu.run(reduction(biased), [partial, logScale, ...ofWeights], flatGroups(n * n + n), [n, parts]);
  });
  return [dx, ...ofWeights];
}

/** FlowLuLinear and its gradient. */
export function registerLuLinear(): void {
  registerGpuKernel('FlowLuLinear', luLinear);
  registerGpuKernel('FlowLuLinearGradient', luLinearGradient);
}
