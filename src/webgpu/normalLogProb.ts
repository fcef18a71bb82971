import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { HALF_LOG_TWO_PI } from '../distributions/fusedNormal';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { lanesFor, perExampleMain, sumsOf } from './sumsPerExample';
import { FLAT, flatGroups, flatMain, sumOfGroup } from './wgsl';

function logProb(lanes: number): Program {
  return {
    key: `normalLogProb ${lanes}`,
    buffers: { z: read(), sums: write() },
    sizes: ['examples: u32', 'perExample: u32', 'shares: u32'],
    code: () => `${sumOfGroup(FLAT, lanes)}
${perExampleMain(lanes, `sum -= 0.5f * z[at] * z[at] + ${HALF_LOG_TWO_PI};`, 'sums')}`,
  };
}

const gradient: Program = {
  key: 'normalLogProbGradient',
  buffers: { z: read(), dy: read(), dz: write() },
  sizes: ['count: u32', 'perExample: u32'],
  code: () =>
    flatMain(`
  if (at >= sizes.count) { return; }
  dz[at] = -z[at] * dy[at / sizes.perExample];`),
};

/** FlowNormalLogProb and its gradient. */
export function registerNormalLogProb(): void {
  registerGpuKernel('FlowNormalLogProb', ({ inputs: { z }, gpu }: KernelCall<{ z: TensorInfo }, unknown>) => {
    const [examples] = z.shape;
    const perExample = util.sizeFromShape(z.shape.slice(1));
    const sharing = { lanes: lanesFor(perExample), size: FLAT };
    const result = sumsOf(gpu, examples, perExample, sharing, (sums, shares, groups) => {
      gpu.run(logProb(sharing.lanes), [z, sums], groups, [examples, perExample, shares]);
    });
    return [result];
  });
  registerGpuKernel(
    'FlowNormalLogProbGradient',
    ({ inputs: { z, dy }, gpu }: KernelCall<Record<'z' | 'dy', TensorInfo>, unknown>) => {
      const dz = gpu.output(z.shape);
      const count = util.sizeFromShape(z.shape);
      const perExample = util.sizeFromShape(z.shape.slice(1));
      gpu.run(gradient, [z, dy, dz], flatGroups(count), [count, perExample]);
      return [dz];
    },
  );
}
