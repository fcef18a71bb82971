import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain, groupMain, sumOfGroup } from './wgsl';

type Channels = Record<'input' | 'offset' | 'logScale', TensorInfo>;

const SIZES = ['count: u32', 'channels: u32'];

/** (input + offset) * exp(logScale), or back. */
function scaled(name: string, value: string): Program {
  return {
    key: name,
    buffers: { input: read(), offset: read(), logScale: read(), output: write() },
    sizes: SIZES,
    code: () =>
      flatMain(`
  if (at >= sizes.count) { return; }
  let channel = at % sizes.channels;
  output[at] = ${value};`),
  };
}

const scale = scaled('scaleChannels', '(input[at] + offset[channel]) * exp(logScale[channel])');
const unscale = scaled('unscaleChannels', 'input[at] * exp(-logScale[channel]) - offset[channel]');

function run(program: Program, { inputs, gpu }: KernelCall<Channels, unknown>): TensorInfo[] {
  const { input, offset, logScale } = inputs;
  const count = util.sizeFromShape(input.shape);
  const output = gpu.output(input.shape);
  gpu.run(program, [input, offset, logScale, output], flatGroups(count), [count, logScale.shape[0]]);
  return [output];
}

/** dx, and one workgroup for each channel's sums behind those of dx. */
function gradient(
  name: string,
  dx: string,
  ofOffset: string,
  ofLogScale: string,
  given: readonly string[],
): Program {
  const buffers = Object.fromEntries(given.map((input) => [input, read()]));
  return {
    key: name,
    buffers: { ...buffers, dx: write(), dOffset: write(), dLogScale: write() },
    sizes: ['count: u32', 'channels: u32'],
    code: () => `${sumOfGroup()}
${groupMain(`
  let channel = thing;
  if (channel >= sizes.channels) { return; }
  let factor = exp(logScale[channel]);
  var sum = 0f;
  var weighted = 0f;
  for (var at = channel + local * sizes.channels; at < sizes.count; at += 256u * sizes.channels) {
    dx[at] = ${dx};
    sum += dy[at];
    weighted += dy[at] * y[at];
  }
  sum = sumOfGroup(local, sum);
  weighted = sumOfGroup(local, weighted);
  if (local == 0u) {
    dOffset[channel] = ${ofOffset};
    dLogScale[channel] = ${ofLogScale};
  }`)}`,
  };
}

const scaleBack = gradient('scaleChannelsGradient', 'dy[at] * factor', 'sum * factor', 'weighted', [
  'dy',
  'y',
  'logScale',
]);
const unscaleBack = gradient(
  'unscaleChannelsGradient',
  'dy[at] / factor',
  '-sum',
  '-(weighted + offset[channel] * sum)',
  ['dy', 'y', 'offset', 'logScale'],
);

function runBack(
  program: Program,
  tensors: TensorInfo[],
  gpu: KernelCall<never, unknown>['gpu'],
): TensorInfo[] {
  const [dy] = tensors;
  const channels = dy.shape[dy.shape.length - 1];
  const outputs = [dy.shape, [channels], [channels]].map((shape) => gpu.output(shape));
  const count = util.sizeFromShape(dy.shape);
  gpu.run(program, [...tensors, ...outputs], flatGroups(channels, 1), [count, channels]);
  return outputs;
}

/** FlowScaleChannels, FlowUnscaleChannels and their gradients. */
export function registerScaleChannels(): void {
  registerGpuKernel('FlowScaleChannels', (call: KernelCall<Channels, unknown>) => run(scale, call));
  registerGpuKernel('FlowUnscaleChannels', (call: KernelCall<Channels, unknown>) => run(unscale, call));
  registerGpuKernel(
    'FlowScaleChannelsGradient',
    ({
      inputs: { dy, y, logScale },
      gpu,
    }: KernelCall<Record<'dy' | 'y' | 'logScale', TensorInfo>, unknown>) =>
      runBack(scaleBack, [dy, y, logScale], gpu),
  );
  registerGpuKernel(
    'FlowUnscaleChannelsGradient',
    ({
      inputs: { dx, x, offset, logScale },
      gpu,
    }: KernelCall<Record<'dx' | 'x' | 'offset' | 'logScale', TensorInfo>, unknown>) =>
      runBack(unscaleBack, [dx, x, offset, logScale], gpu),
  );
}
