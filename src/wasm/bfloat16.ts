import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelCall } from './register';

/** The input's values, two in an int32; one past an odd number of them is 0. */
export function toBfloat16({ inputs, backend, kernels }: KernelCall<'x', unknown>): TensorInfo[] {
  const size = util.sizeFromShape(inputs.x.shape);
  const output = backend.makeOutput([Math.ceil(size / 2)], 'int32');
  const [from, to] = [inputs.x, output].map((tensor) => kernels.pointer(tensor));
  if (size % 2 === 1) kernels.write(to + 2 * (size - 1), Int32Array.of(0));
  kernels.run('toBfloat16', { from, to, count: size });
  return [output];
}

/** As many float32 values of the input as the shape takes. */
export function fromBfloat16(call: KernelCall<'x', { shape: number[] }>): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const output = backend.makeOutput(attrs.shape, 'float32');
  const [from, to] = [inputs.x, output].map((tensor) => kernels.pointer(tensor));
  kernels.run('fromBfloat16', { from, to, count: util.sizeFromShape(attrs.shape) });
  return [output];
}
