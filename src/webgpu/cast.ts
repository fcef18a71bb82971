import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { heldValues } from '../engine/hostValues';
import { type Program, read, write } from './program';
import { type KernelCall, replaceGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

const toFloats: Program = {
  key: 'integers as floats',
  buffers: { x: read('i32'), y: write() },
  sizes: ['count: u32'],
  code: () => flatMain('if (at < sizes.count) { y[at] = f32(x[at]); }'),
};

/**
 * Cast from integers and booleans to floats. The backend's own only gives the tensor another name of a type: its values go on lying there
 * as integers, which its own programs look up and ours would take for floats.
 */
export function registerCast(): void {
  replaceGpuKernel(
    'Cast',
    ({ inputs: { x }, attrs, gpu }: KernelCall<{ x: TensorInfo }, { dtype: DataType }>) => {
      if (attrs.dtype !== 'float32' || (x.dtype !== 'int32' && x.dtype !== 'bool')) return null;
      const onHost = heldValues(x);
      if (onHost !== undefined) {
        return gpu.backend.makeTensorInfo(x.shape, 'float32', Float32Array.from(onHost));
      }
      const count = util.sizeFromShape(x.shape);
      const y = gpu.output(x.shape);
      gpu.run(toFloats, [x, y], flatGroups(count), [count]);
      return y;
    },
  );
}
