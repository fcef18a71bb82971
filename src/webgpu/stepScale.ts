import type { TensorInfo } from '@tensorflow/tfjs-core';
import { IS_FINITE } from './elementary';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';

/** Stands for no clipping: no norm is larger. */
const LARGEST = 3.4028234663852886e38;

const program: Program = {
  key: 'stepScale',
  buffers: { loss: read(), norm: read(), scale: write('u32') },
  sizes: ['clipNorm: f32'],
  code: () => `${IS_FINITE}
@compute @workgroup_size(1)
fn main() {
  var factor = 1f;
  if (norm[0] > sizes.clipNorm) { factor = sizes.clipNorm / norm[0]; }
  scale[0] = select(0x7fc00000u, bitcast<u32>(factor), isFinite(loss[0]) && isFinite(norm[0]));
}`,
};

type Inputs = Record<'loss' | 'norm', TensorInfo>;

function stepScale({ inputs, attrs, gpu }: KernelCall<Inputs, { clipNorm: number }>): TensorInfo[] {
  const scale = gpu.output([]);
  gpu.run(program, [inputs.loss, inputs.norm, scale], [1, 1, 1], [Math.min(attrs.clipNorm, LARGEST)]);
  return [scale];
}

/** FlowStepScale. */
export function registerStepScale(): void {
  registerGpuKernel('FlowStepScale', stepScale);
}
