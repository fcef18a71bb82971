import type { TensorInfo } from '@tensorflow/tfjs-core';
import { listsInRow } from './arena';
import { stretchesOf } from './gathering';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

/** Weights are declared as written, as both lists may lie in one buffer: it may be bound for several writes, but not for reads beside. */
const program: Program = {
  key: 'moveAverages',
  buffers: { average: write('vec4f'), weight: write('vec4f'), rate: read() },
  sizes: ['fours: u32'],
  code: () =>
    flatMain(`
  if (at >= sizes.fours) { return; }
  let before = average[at];
  average[at] = before + rate[0] * (weight[at] - before);`),
};

function moveAverages({
  inputs,
  attrs,
  gpu,
}: KernelCall<readonly TensorInfo[], { rate: number }>): TensorInfo[] {
  const tensors = Object.values(inputs);
  const [averages, weights] = listsInRow(tensors, 2, tensors.length / 2);
  if (averages.length === 0) return [];
  gpu.withValues([attrs.rate], (rate) => {
    for (const [average, weight] of stretchesOf(gpu, averages, weights)) {
      const fours = average.size / 16;
      gpu.run(program, [average, weight, rate], flatGroups(fours), [fours]);
    }
  });
  return [];
}

/** FlowMoveAverages: one dispatch where all weights fit one buffer. */
export function registerMoveAverages(): void {
  registerGpuKernel('FlowMoveAverages', moveAverages);
}
