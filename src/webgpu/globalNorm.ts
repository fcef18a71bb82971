import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { stretchesOf } from './gathering';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { FLAT, groupMain, sumOfGroup } from './wgsl';

/** Most workgroups that share a stretch of values: enough for any GPU, few enough that one workgroup adds up what they found. */
const MOST_GROUPS = 1024;
/** Groups of four values that an invocation takes at least, where there are so many. */
const FOURS_EACH = 4;

/**
 * Squares are summed with all values scaled by a power of two near the largest, so that none overflows or vanishes. What is compared is
 * bits, as integers: there NaN is larger than infinity, and infinity than all numbers.
 */
const SCALING = `
const INFINITE = 0x7f800000u;
fn sizeOf(value: vec4f) -> vec4u { return bitcast<vec4u>(value) & vec4u(0x7fffffffu); }
/** The exponent to scale by, which keeps the scale and its inverse normal numbers. */
fn exponentOf(largest: u32) -> u32 { return clamp(largest >> 23u, 1u, 253u); }
fn powerOfTwo(exponent: u32) -> f32 { return bitcast<f32>(exponent << 23u); }
var<workgroup> largests: array<u32, ${FLAT}>;
fn largestOfGroup(local: u32, value: u32) -> u32 {
  workgroupBarrier();
  largests[local] = value;
  workgroupBarrier();
  for (var half = ${FLAT / 2}u; half > 0u; half = half / 2u) {
    if (local < half) { largests[local] = max(largests[local], largests[local + half]); }
    workgroupBarrier();
  }
  return largests[0];
}
${sumOfGroup()}`;

/** Of each workgroup's values: the largest, and the sum of the squares of all, scaled by its exponent. */
const sumSquares: Program = {
  key: 'globalNormShares',
  buffers: { values: read('vec4f'), shares: write('vec2u') },
  sizes: ['fours: u32', 'groups: u32', 'firstShare: u32'],
  code: () => `${SCALING}
${groupMain(`
  var largest = 0u;
  for (var at = thing * ${FLAT}u + local; at < sizes.fours; at += sizes.groups * ${FLAT}u) {
    let size = sizeOf(values[at]);
    largest = max(max(largest, max(size.x, size.y)), max(size.z, size.w));
  }
  largest = largestOfGroup(local, largest);
  let scale = powerOfTwo(254u - exponentOf(largest));
  var squares = 0f;
  for (var at = thing * ${FLAT}u + local; at < sizes.fours; at += sizes.groups * ${FLAT}u) {
    let scaled = values[at] * scale;
    squares += dot(scaled, scaled);
  }
  squares = sumOfGroup(local, squares);
  if (local == 0u) { shares[sizes.firstShare + thing] = vec2u(largest, bitcast<u32>(squares)); }`)}`,
};

/** The norm of all from those parts. */
const normOfParts: Program = {
  key: 'globalNorm',
  buffers: { shares: read('vec2u'), norm: write('u32') },
  sizes: ['count: u32'],
  code: () => `${SCALING}
${groupMain(`
  var largest = 0u;
  for (var at = local; at < sizes.count; at += ${FLAT}u) { largest = max(largest, shares[at].x); }
  largest = largestOfGroup(local, largest);
  let exponent = exponentOf(largest);
  var squares = 0f;
  for (var at = local; at < sizes.count; at += ${FLAT}u) {
    let share = shares[at];
    let below = exponent - exponentOf(share.x);
    if (below < 64u) {
      let scale = powerOfTwo(127u - below);
      squares += bitcast<f32>(share.y) * scale * scale;
    }
  }
  squares = sumOfGroup(local, squares);
  if (thing == 0u && local == 0u) {
    let found = bitcast<u32>(sqrt(squares) * powerOfTwo(exponent));
    norm[0] = select(found, 0x7fc00000u, largest >= INFINITE);
  }`)}`,
};

function globalNorm({ inputs, gpu }: KernelCall<readonly TensorInfo[], unknown>): TensorInfo[] {
  const given = Object.values(inputs).filter(({ shape }) => util.sizeFromShape(shape) > 0);
  if (given.length === 0) return [gpu.backend.makeTensorInfo([], 'float32', new Float32Array(1))];
  const norm = gpu.output([]);
  const stretches = stretchesOf(gpu, given).map(([values]) => {
    const fours = values.size / 16;
    return { values, fours, groups: Math.min(MOST_GROUPS, Math.ceil(fours / (FLAT * FOURS_EACH))) };
  });
  const count = stretches.reduce((sum, { groups }) => sum + groups, 0);
  gpu.withScratch([2 * count], (parts) => {
    let first = 0;
    for (const { values, fours, groups } of stretches) {
      gpu.run(sumSquares, [values, parts], [groups, 1, 1], [fours, groups, first]);
      first += groups;
    }
    gpu.run(normOfParts, [parts, norm], [1, 1, 1], [count]);
  });
  return [norm];
}

/** FlowGlobalNorm: two dispatches where all gradients fit one buffer. */
export function registerGlobalNorm(): void {
  registerGpuKernel('FlowGlobalNorm', globalNorm);
}
