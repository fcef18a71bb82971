import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

/** Most rows whose factors lie in a workgroup's memory while they are computed. */
const MOST_ROWS = 63;
/** Parts of a column that are searched for its pivot side by side. */
const PARTS = 16;
/** Invocations of a workgroup where rows are few; barriers cost less then. */
const FEW = 64;
const MANY = 256;
/** Columns of an inverse in one workgroup: none waits for another. */
const COLUMNS = 32;

/**
 * P L U = A with partial pivoting, in one workgroup, and log|det A|: the logarithm of the product of pivots, which is kept in [1, 2)
 * beside its exponent.
 */
function factorization(size: number, inMemory: boolean): Program {
  const work = inMemory ? 'work' : 'factors';
  const barrier = inMemory ? 'workgroupBarrier();' : 'storageBarrier(); workgroupBarrier();';
  return {
    key: `luFactors ${size}${inMemory ? ' in memory' : ''}`,
    buffers: { matrix: read(), order: write('u32'), permutation: write(), factors: write(), logDet: write() },
    sizes: ['n: u32'],
    code: () => `
${inMemory ? `var<workgroup> work: array<f32, ${MOST_ROWS * MOST_ROWS}>;` : ''}
var<workgroup> pivots: array<f32, ${PARTS}>;
var<workgroup> pivotRows: array<u32, ${PARTS}>;

// Magnitudes in their order, NaN above all.
fn magnitude(value: f32) -> u32 { return bitcast<u32>(value) & 0x7fffffffu; }

@compute @workgroup_size(${size})
fn main(@builtin(local_invocation_index) local: u32) {
  let n = sizes.n;
  for (var at = local; at < n * n; at += ${size}u) { ${work}[at] = matrix[at]; }
  for (var row = local; row < n; row += ${size}u) { order[row] = row; }
  var product = 1f;
  var exponent = 0i;
  storageBarrier();
  workgroupBarrier();
  for (var k = 0u; k < n; k++) {
    if (local < ${PARTS}u) {
      var best = min(k + local, n - 1u);
      for (var row = best; row < n; row += ${PARTS}u) {
        if (magnitude(${work}[row * n + k]) > magnitude(${work}[best * n + k])) { best = row; }
      }
      pivots[local] = ${work}[best * n + k];
      pivotRows[local] = best;
    }
    workgroupBarrier();
    var part = 0u;
    for (var other = 1u; other < ${PARTS}u; other++) {
      if (magnitude(pivots[other]) > magnitude(pivots[part])) { part = other; }
    }
    let pivot = pivots[part];
    let chosen = pivotRows[part];
    if (chosen != k) {
      for (var column = local; column < n; column += ${size}u) {
        if (column == k) { continue; }
        let held = ${work}[k * n + column];
        ${work}[k * n + column] = ${work}[chosen * n + column];
        ${work}[chosen * n + column] = held;
      }
    }
    for (var row = k + 1u + local; row < n; row += ${size}u) {
      var value = ${work}[row * n + k];
      if (row == chosen) {
        value = ${work}[k * n + k];
        ${work}[k * n + k] = pivot;
      }
      // Where the pivot is 0 the whole column is.
      if (magnitude(pivot) > 0u) { value = value / pivot; }
      ${work}[row * n + k] = value;
    }
    if (local == 0u) {
      let held = order[k];
      order[k] = order[chosen];
      order[chosen] = held;
      product *= abs(pivot);
      let bits = bitcast<u32>(product);
      let power = (bits >> 23u) & 0xffu;
      if (power > 0u && power < 0xffu) {
        product = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
        exponent += i32(power) - 127i;
      }
    }
    ${barrier}
    for (var row = k + 1u + local / 16u; row < n; row += ${size / 16}u) {
      let factor = ${work}[row * n + k];
      for (var column = k + 1u + local % 16u; column < n; column += 16u) {
        ${work}[row * n + column] -= factor * ${work}[k * n + column];
      }
    }
    ${barrier}
  }
  storageBarrier();
  for (var at = local; at < n * n; at += ${size}u) {
    permutation[at] = select(0f, 1f, order[at % n] == at / n);
    ${inMemory ? 'factors[at] = work[at];' : ''}
  }
  if (local > 0u) { return; }
  var minusInfinity = 0xff800000u;
  logDet[0] = log(product) + f32(exponent) * 0.6931471805599453f;
  if (magnitude(product) == 0u) { logDet[0] = bitcast<f32>(minusInfinity); }
  if (magnitude(product) > 0x7f7fffffu) { logDet[0] = product; }
}`,
  };
}

/** (P L U)^-1: each invocation solves for one column, L from above and U from below. */
const inverse: Program = {
  key: 'luInverse',
  buffers: { permutation: read(), factors: read(), inverse: write() },
  sizes: ['n: u32'],
  code: () =>
    flatMain(
      `
  let n = sizes.n;
  if (at >= n) { return; }
  var first = at;
  for (var k = 0u; k < n; k++) { if (permutation[at * n + k] == 1f) { first = k; } }
  for (var row = 0u; row < n; row++) {
    var rest = select(0f, 1f, row == first);
    for (var k = first; k < row; k++) { rest -= factors[row * n + k] * inverse[k * n + at]; }
    inverse[row * n + at] = rest;
  }
  for (var row = n; row > 0u; row--) {
    let line = (row - 1u) * n;
    var rest = inverse[line + at];
    for (var k = row; k < n; k++) { rest -= factors[line + k] * inverse[k * n + at]; }
    inverse[line + at] = rest / factors[line + row - 1u];
  }`,
      COLUMNS,
    ),
};

/** FlowLuFactors and FlowLuInverse. */
export function registerLuFactors(): void {
  registerGpuKernel('FlowLuFactors', ({ inputs, gpu }: KernelCall<Record<'matrix', TensorInfo>, unknown>) => {
    const [n] = inputs.matrix.shape;
    const outputs = [[n, n], [n, n], []].map((shape) => gpu.output(shape));
    const program = factorization(n <= 24 ? FEW : MANY, n <= MOST_ROWS);
    gpu.withScratch([n], (order) => gpu.run(program, [inputs.matrix, order, ...outputs], [1, 1, 1], [n]));
    return outputs;
  });
  registerGpuKernel(
    'FlowLuInverse',
    ({ inputs, gpu }: KernelCall<Record<'permutation' | 'factors', TensorInfo>, unknown>) => {
      const { permutation, factors } = inputs;
      const [n] = factors.shape;
      const output = gpu.output([n, n]);
      gpu.run(inverse, [permutation, factors, output], flatGroups(n, COLUMNS), [n]);
      return [output];
    },
  );
}
