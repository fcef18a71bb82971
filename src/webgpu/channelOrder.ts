import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { Range } from './backend';
import type { Gpu } from './gpu';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

const ordered: Program = {
  key: 'orderChannels',
  buffers: { x: read(), order: read('u32'), result: write() },
  sizes: ['count: u32', 'channels: u32'],
  code: () =>
    flatMain(`
  if (at >= sizes.count) { return; }
  let channel = at % sizes.channels;
  result[at] = x[at - channel + order[channel]];`),
};

/** Orders on the GPU, by what they are: an order that is joined of two is another object in every pass. */
const written = new WeakMap<Gpu, Map<string, Range>>();

/** An order of so many channels as programs read it; that in which they stand where there is none. */
export function orderOnGpu(gpu: Gpu, order: Int32Array | undefined, channels: number): Range {
  const ofGpu = written.get(gpu) ?? new Map<string, Range>();
  written.set(gpu, ofGpu);
  const key = order?.join() ?? `${channels} as they stand`;
  let range = ofGpu.get(key);
  if (range === undefined) {
    range = gpu.constant(Uint32Array.from(order ?? Array(channels).keys()));
    ofGpu.set(key, range);
  }
  return range;
}

/** result[..., j] = x[..., order[j]] */
export function orderedChannels(gpu: Gpu, x: TensorInfo, order: Int32Array): TensorInfo {
  const result = gpu.output(x.shape);
  const count = util.sizeFromShape(x.shape);
  const given = orderOnGpu(gpu, order, order.length);
  gpu.run(ordered, [x, given, result], flatGroups(count), [count, order.length]);
  return result;
}

/** FlowOrderChannels. */
export function registerChannelOrder(): void {
  registerGpuKernel(
    'FlowOrderChannels',
    ({ inputs: { x }, attrs: { order }, gpu }: KernelCall<{ x: TensorInfo }, { order: Int32Array }>) => [
      orderedChannels(gpu, x, order),
    ],
  );
}
