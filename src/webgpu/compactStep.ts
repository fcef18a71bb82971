import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { CompactStep } from '../training/fusedCompactStep';
import { constantsOf, moved, STEP, stops } from './adaptiveStep';
import { listsInRow } from './arena';
import { stretchesOf } from './gathering';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

/** Upper 16 bits: second moment, a float32 without its sign and its last 15 bits. Lower: first moment, without its last 16. */
const MOMENTS = `
fn firstOf(moments: vec4u) -> vec4f { return bitcast<vec4f>(moments << vec4u(16u)); }
fn secondOf(moments: vec4u) -> vec4f { return bitcast<vec4f>((moments & vec4u(0xffff0000u)) >> vec4u(1u)); }`;

/** Chance by lowbias32 (Chris Wellons, 2018). NaN is one that rounding leaves NaN. */
const PACKING = `
fn scramble(value: vec4u) -> vec4u {
  var x = value;
  x = (x ^ (x >> vec4u(16u))) * 0x7feb352du;
  x = (x ^ (x >> vec4u(15u))) * 0x846ca68bu;
  return x ^ (x >> vec4u(16u));
}
fn bitsOf(value: vec4f) -> vec4u {
  let bits = bitcast<vec4u>(value);
  return select(bits, vec4u(0x7fc00000u), (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u));
}
fn packed(first: vec4f, second: vec4f, chance: vec4u) -> vec4u {
  let low = (bitsOf(first) + (chance & vec4u(0xffffu))) >> vec4u(16u);
  let high = (bitsOf(second) + (chance >> vec4u(17u))) >> vec4u(15u);
  return (high << vec4u(16u)) | low;
}`;

const MOVE = `
  let m = firstOf(after);
  let v = secondOf(after);
  ${moved('adam')}`;

const forward: Program = {
  key: 'compactStep',
  buffers: {
    weight: write('vec4f'),
    moments: write('vec4u'),
    gradient: write('vec4f'),
    constants: read('Step'),
    seed: read('vec2f'),
    gradientScale: read(),
  },
  sizes: ['fours: u32', 'start: u32'],
  code: () => `${STEP}${MOMENTS}${PACKING}
${flatMain(`
  let scale = gradientScale[0];
  if (at >= sizes.fours || ${stops('scale')}) { return; }
  let step = constants[0];
  let g = gradient[at] * scale;
  let before = moments[at];
  let place = vec4u(sizes.start + 4u * at) + vec4u(0u, 1u, 2u, 3u);
  let chance = scramble(place ^ vec4u((u32(seed[0].y) << 16u) | u32(seed[0].x)));
  let after = packed(
    firstOf(before) * step.beta1 + g * step.rest1,
    secondOf(before) * step.beta2 + g * g * step.rest2,
    chance);
  moments[at] = after;
  ${MOVE}`)}`,
};

const back: Program = {
  key: 'compactStepBack',
  buffers: { weight: write('vec4f'), moments: write('vec4u'), constants: read('Step') },
  sizes: ['fours: u32'],
  code: () => `${STEP}${MOMENTS}
${flatMain(`
  if (at >= sizes.fours) { return; }
  let step = constants[0];
  let after = moments[at];
  ${MOVE}`)}`,
};

function compactStep({
  inputs,
  attrs,
  gpu,
}: KernelCall<readonly TensorInfo[], CompactStep & { weights: number }>): TensorInfo[] {
  const tensors = Object.values(inputs);
  const { weights, seed } = attrs;
  const isBack = tensors.length === 2 * weights;
  const lists = listsInRow(tensors, isBack ? 2 : 3, weights);
  if (lists[0].length === 0) return [];
  gpu.withValues(constantsOf(attrs), (constants) => {
    // Halves are whole in float32.
    gpu.withValues([seed & 0xffff, seed >>> 16], (halves) => {
      let start = 0;
      for (const ranges of stretchesOf(gpu, ...lists)) {
        const fours = ranges[0].size / 16;
        if (isBack) gpu.run(back, [...ranges, constants], flatGroups(fours), [fours]);
        else {
          const buffers = [...ranges, constants, halves, tensors[3 * weights]];
          gpu.run(forward, buffers, flatGroups(fours), [fours, start]);
        }
        start += 4 * fours;
      }
    });
  });
  return [];
}

/** FlowCompactStep: one dispatch where all weights fit one buffer. A gradientScale that is NaN or infinite changes nothing. */
export function registerCompactStep(): void {
  registerGpuKernel('FlowCompactStep', compactStep);
}
