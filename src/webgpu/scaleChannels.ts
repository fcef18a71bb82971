import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { orderOnGpu } from './channelOrder';
import type { Gpu } from './gpu';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain, groupMain, sumOfGroup } from './wgsl';

type Channels = Record<'input' | 'offset' | 'logScale', TensorInfo>;
type Ordered = { order: Int32Array | undefined };

/** Where the value that becomes the one at `at` stands before it is brought into the order. */
const BEFORE = 'at - channel + order[channel]';

const normalize: Program = {
  key: 'actnorm',
  buffers: {
    input: read(),
    order: read('u32'),
    offset: read(),
    logScale: read(),
    output: write(),
    logDet: write(),
  },
  sizes: ['count: u32', 'channels: u32', 'examples: u32', 'positions: f32'],
  code: () =>
    flatMain(`
  if (at >= sizes.count) { return; }
  let channel = at % sizes.channels;
  output[at] = (input[${BEFORE}] + offset[channel]) * exp(logScale[channel]);
  if (at >= sizes.examples) { return; }
  var sum = 0f;
  for (var i = 0u; i < sizes.channels; i++) { sum += logScale[i]; }
  logDet[at] = sizes.positions * sum;`),
};

const unscale: Program = {
  key: 'unscaleChannels',
  buffers: { input: read(), offset: read(), logScale: read(), output: write() },
  sizes: ['count: u32', 'channels: u32'],
  code: () =>
    flatMain(`
  if (at >= sizes.count) { return; }
  let channel = at % sizes.channels;
  output[at] = input[at] * exp(-logScale[channel]) - offset[channel];`),
};

/** How gradients come of dy, the sum of dy, and that of dy * y. */
interface Gradients {
  given: Program['buffers'];
  sizes?: readonly string[];
  /** Where dx goes. */
  place?: string;
  dx: string;
  ofOffset: string;
  ofLogScale: string;
  /** Another sum, `more`. */
  more?: string;
}

/** dx, and one workgroup for each channel's sums behind those of dx. */
function gradient(name: string, { given, sizes = [], place = 'at', more = '', ...code }: Gradients): Program {
  return {
    key: name,
    buffers: { ...given, dx: write(), dOffset: write(), dLogScale: write() },
    sizes: ['count: u32', 'channels: u32', ...sizes],
    code: () => `${sumOfGroup(256, 256, 'vec3f')}
${groupMain(`
  let channel = thing;
  if (channel >= sizes.channels) { return; }
  let factor = exp(logScale[channel]);
  var sum = 0f;
  var weighted = 0f;
  var more = 0f;
  for (var at = channel + local * sizes.channels; at < sizes.count; at += 256u * sizes.channels) {
    dx[${place}] = ${code.dx};
    sum += dy[at];
    weighted += dy[at] * y[at];
  }
  ${more}
  let sums = sumOfGroup(local, vec3f(sum, weighted, more));
  if (local == 0u) {
    dOffset[channel] = ${code.ofOffset};
    dLogScale[channel] = ${code.ofLogScale};
  }`)}`,
  };
}

const normalizeBack = gradient('actnormGradient', {
  given: { dy: read(), dLogDet: read(), y: read(), order: read('u32'), logScale: read() },
  sizes: ['examples: u32', 'positions: f32'],
  place: BEFORE,
  dx: 'dy[at] * factor',
  more: 'for (var at = local; at < sizes.examples; at += 256u) { more += dLogDet[at]; }',
  ofOffset: 'sums.x * factor',
  ofLogScale: 'sums.y + sizes.positions * sums.z',
});
const unscaleBack = gradient('unscaleChannelsGradient', {
  given: { dy: read(), y: read(), offset: read(), logScale: read() },
  dx: 'dy[at] / factor',
  ofOffset: '-sums.x',
  ofLogScale: '-(sums.y + offset[channel] * sums.x)',
});

/** Runs a gradient; sizes behind the first two. */
function runBack(
  gpu: Gpu,
  program: Program,
  tensors: Parameters<Gpu['run']>[1],
  dy: TensorInfo,
  sizes: number[],
) {
  const channels = dy.shape[dy.shape.length - 1];
  const outputs = [dy.shape, [channels], [channels]].map((shape) => gpu.output(shape));
  const given = [util.sizeFromShape(dy.shape), channels, ...sizes];
  gpu.run(program, [...tensors, ...outputs], flatGroups(channels, 1), given);
  return outputs;
}

/** Examples, and the positions of each. */
function examplesOf({ shape }: TensorInfo): [examples: number, positions: number] {
  return [shape[0], util.sizeFromShape(shape.slice(1, -1))];
}

/** FlowActNorm, FlowUnscaleChannels and their gradients. */
export function registerScaleChannels(): void {
  registerGpuKernel('FlowActNorm', ({ inputs, attrs, gpu }: KernelCall<Channels, Ordered>) => {
    const { input, offset, logScale } = inputs;
    const [count, channels] = [util.sizeFromShape(input.shape), logScale.shape[0]];
    const outputs = [input.shape, [input.shape[0]]].map((shape) => gpu.output(shape));
    const buffers = [input, orderOnGpu(gpu, attrs.order, channels), offset, logScale, ...outputs];
    gpu.run(normalize, buffers, flatGroups(count), [count, channels, ...examplesOf(input)]);
    return outputs;
  });
  registerGpuKernel(
    'FlowActNormGradient',
    ({
      inputs: { dy, dLogDet, y, logScale },
      attrs,
      gpu,
    }: KernelCall<Record<'dy' | 'dLogDet' | 'y' | 'logScale', TensorInfo>, Ordered>) => {
      const order = orderOnGpu(gpu, attrs.order, logScale.shape[0]);
      return runBack(gpu, normalizeBack, [dy, dLogDet, y, order, logScale], dy, examplesOf(dy));
    },
  );
  registerGpuKernel('FlowUnscaleChannels', ({ inputs, gpu }: KernelCall<Channels, unknown>) => {
    const { input, offset, logScale } = inputs;
    const count = util.sizeFromShape(input.shape);
    const output = gpu.output(input.shape);
    gpu.run(unscale, [input, offset, logScale, output], flatGroups(count), [count, logScale.shape[0]]);
    return [output];
  });
  registerGpuKernel(
    'FlowUnscaleChannelsGradient',
    ({
      inputs: { dx, x, offset, logScale },
      gpu,
    }: KernelCall<Record<'dx' | 'x' | 'offset' | 'logScale', TensorInfo>, unknown>) =>
      runBack(gpu, unscaleBack, [dx, x, offset, logScale], dx, []),
  );
}
