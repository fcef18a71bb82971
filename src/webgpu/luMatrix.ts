import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { LuWeights } from '../layers/fusedLuMatrix';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { sumOfGroup } from './wgsl';

/*
 * Products of triangular factors in tiles of 16 x 16, one value for each invocation. What lies on the other side of a factor's diagonal
 * counts as 0.
 */

const TILE = 16;

/** `rows[i]`: the row of W that is row `first + i` of L U; that column of the permutation says it. */
const FIND_ROWS = `
var<workgroup> rows: array<u32, ${TILE}>;
fn findRows(first: u32, local: u32) {
  let column = local % ${TILE}u;
  workgroupBarrier();
  if (local < ${TILE}u) { rows[local] = first + local; }
  workgroupBarrier();
  if (first + column < sizes.n) {
    for (var row = local / ${TILE}u; row < sizes.n; row += ${TILE}u) {
      if (permutation[row * sizes.n + first + column] == 1f) { rows[column] = row; }
    }
  }
  workgroupBarrier();
}`;

/** One tile of a product, over the inner places from one number to another: `left` and `right` give entries by row and column. */
function product(name: string, left: string, right: string, each = 'workgroupBarrier();'): string {
  return `
fn ${name}(first: vec2u, begin: u32, end: u32, local: vec2u) -> f32 {
  var sum = 0f;
  for (var k = begin; k < end; k += ${TILE}u) {
    ${each}
    leftTile[local.y][local.x] = ${left}(first.y + local.y, k + local.x);
    rightTile[local.y][local.x] = ${right}(k + local.y, first.x + local.x);
    workgroupBarrier();
    for (var i = 0u; i < ${TILE}u; i++) { sum += leftTile[local.y][i] * rightTile[i][local.x]; }
  }
  return sum;
}`;
}

const TILES = `
var<workgroup> leftTile: array<array<f32, ${TILE}>, ${TILE}>;
var<workgroup> rightTile: array<array<f32, ${TILE}>, ${TILE}>;`;

function tileMain(body: string): string {
  return `
@compute @workgroup_size(${TILE}, ${TILE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = sizes.n;
  let first = group.xy * ${TILE}u;
  let column = first.x + place.x;
  let row = first.y + place.y;
  ${body}
}`;
}

const forward: Program = {
  key: 'luMatrix',
  buffers: {
    permutation: read(),
    lower: read(),
    upper: read(),
    sign: read(),
    logScale: read(),
    matrix: write(),
    logDet: write(),
    factors: write(),
  },
  sizes: ['n: u32'],
  code: () => `${TILES}${FIND_ROWS}${sumOfGroup()}
fn lowerAt(row: u32, column: u32) -> f32 {
  if (row >= sizes.n || column > row) { return 0f; }
  if (column == row) { return 1f; }
  return lower[row * sizes.n + column];
}
fn upperAt(row: u32, column: u32) -> f32 {
  if (column >= sizes.n || row > column) { return 0f; }
  if (column == row) { return sign[row] * exp(logScale[row]); }
  return upper[row * sizes.n + column];
}
${product('tile', 'lowerAt', 'upperAt')}
${tileMain(`
  findRows(first.y, local);
  let sum = tile(first, 0u, min(min(first.x, first.y) + ${TILE}u, n), place.xy);
  if (row < n && column < n) {
    matrix[rows[place.y] * n + column] = sum;
    factors[row * n + column] = select(upperAt(row, column), lowerAt(row, column), column < row);
  }
  if (group.x + group.y > 0u) { return; }
  var logs = 0f;
  for (var at = local; at < n; at += ${TILE * TILE}u) { logs += logScale[at]; }
  logs = sumOfGroup(local, logs);
  if (local == 0u) { logDet[0] = logs; }`)}`,
};

/** In z 0 that of L, G U' below the diagonal, in z 1 those of U and logScale, L' G on and above it; G is P' dy. */
const gradient: Program = {
  key: 'luMatrixGradient',
  buffers: {
    permutation: read(),
    factors: read(),
    dy: read(),
    dLogDet: read(),
    dLower: write(),
    dUpper: write(),
    dLogScale: write(),
  },
  sizes: ['n: u32'],
  code: () => `${TILES}${FIND_ROWS}
fn given(row: u32, column: u32) -> f32 {
  if (row >= sizes.n || column >= sizes.n) { return 0f; }
  return dy[rows[row % ${TILE}u] * sizes.n + column];
}
fn upperTransposed(row: u32, column: u32) -> f32 {
  if (row >= sizes.n || column > row) { return 0f; }
  return factors[column * sizes.n + row];
}
fn lowerTransposed(row: u32, column: u32) -> f32 {
  if (column >= sizes.n || row > column) { return 0f; }
  if (row == column) { return 1f; }
  return factors[column * sizes.n + row];
}
${product('ofLower', 'given', 'upperTransposed')}
${product('ofUpper', 'lowerTransposed', 'given', `findRows(k, local.y * ${TILE}u + local.x);`)}
${tileMain(`
  let inside = row < n && column < n;
  let at = row * n + column;
  if (group.z == 0u) {
    findRows(first.y, local);
    let sum = ofLower(first, select(first.x, n, first.x > first.y), n, place.xy);
    if (inside) { dLower[at] = select(0f, sum, column < row); }
    return;
  }
  let sum = ofUpper(first, select(first.y, n, first.y > first.x), n, place.xy);
  if (!inside) { return; }
  dUpper[at] = select(0f, sum, column > row);
  if (column == row) { dLogScale[row] = factors[at] * sum + dLogDet[0]; }`)}`,
};

function groups(n: number, layers = 1): [number, number, number] {
  const tiles = Math.ceil(n / TILE);
  return [tiles, tiles, layers];
}

/** FlowLuMatrix and its gradient. */
export function registerLuMatrix(): void {
  registerGpuKernel(
    'FlowLuMatrix',
    ({ inputs, gpu }: KernelCall<Record<keyof LuWeights, TensorInfo>, unknown>) => {
      const { permutation, lower, upper, sign, logScale } = inputs;
      const [n] = logScale.shape;
      const outputs = [[n, n], [], [n, n]].map((shape) => gpu.output(shape));
      gpu.run(forward, [permutation, lower, upper, sign, logScale, ...outputs], groups(n), [n]);
      return outputs;
    },
  );
  registerGpuKernel(
    'FlowLuMatrixGradient',
    ({
      inputs: { permutation, factors, dy, dLogDet },
      gpu,
    }: KernelCall<Record<'permutation' | 'factors' | 'dy' | 'dLogDet', TensorInfo>, unknown>) => {
      const [n] = factors.shape;
      const outputs = [[n, n], [n, n], [n]].map((shape) => gpu.output(shape));
      gpu.run(gradient, [permutation, factors, dy, dLogDet, ...outputs], groups(n, 2), [n]);
      return outputs;
    },
  );
}
