import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { FusedCouplingOptions } from '../layers/fusedCoupling';
import { floats } from './elementary';
import type { Gpu } from './gpu';
import { logScaleOfCoupling } from './logScales';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { lanesFor, perExampleMain, sumsOf } from './sumsPerExample';
import { FLAT, flatGroups, flatMain, sumOfGroup } from './wgsl';

/** Where the parameters of a value lie; sizes count groups of values. */
const PLACES = `
  let position = at / sizes.channels;
  let channel = at % sizes.channels;
  let changed = sizes.channels - sizes.kept;
  let ofShift = position * 2u * changed + channel - sizes.kept;
  let ofRaw = ofShift + changed;`;

/** Value, and the log-determinant of each example or of its shares. */
function coupling({ scale, inverse }: FusedCouplingOptions, width: number, lanes: number): Program {
  const type = floats(width);
  return {
    key: `affineCoupling ${scale} ${inverse} ${width} ${lanes}`,
    buffers: { x: read(type), parameters: read(type), value: write(type), logDets: write() },
    sizes: ['examples: u32', 'perExample: u32', 'shares: u32', 'channels: u32', 'kept: u32'],
    code: () => `${logScaleOfCoupling(scale, type)}
${sumOfGroup(undefined, lanes)}
${perExampleMain(
  lanes,
  `${PLACES}
    var result = x[at];
    if (channel >= sizes.kept) {
      let logScale = logScaleOf(parameters[ofRaw]);
      result = ${inverse ? 'result * exp(-logScale) - parameters[ofShift]' : '(result + parameters[ofShift]) * exp(logScale)'};
      sum ${inverse ? '-=' : '+='} ${width === 1 ? 'logScale' : `dot(logScale, ${type}(1))`};
    }
    value[at] = result;`,
  'logDets',
)}`,
  };
}

function couplingGradient({ scale, inverse }: FusedCouplingOptions, width: number): Program {
  const type = floats(width);
  return {
    key: `affineCouplingGradient ${scale} ${inverse} ${width}`,
    buffers: {
      x: read(type),
      parameters: read(type),
      dy: read(type),
      dLogDet: read(),
      dx: write(type),
      dParameters: write(type),
    },
    sizes: ['count: u32', 'perExample: u32', 'channels: u32', 'kept: u32'],
    code: () => `${logScaleOfCoupling(scale, type)}
${flatMain(`
  if (at >= sizes.count) { return; }
  ${PLACES}
  var gradient = dy[at];
  if (channel >= sizes.kept) {
    let raw = parameters[ofRaw];
    let given = gradient;
    gradient = given * exp(${inverse ? '-' : ''}logScaleOf(raw));
    let ofLogScale = gradient * ${inverse ? 'x[at]' : '(x[at] + parameters[ofShift])'} + dLogDet[at / sizes.perExample];
    dParameters[ofShift] = ${inverse ? '-given' : 'gradient'};
    dParameters[ofRaw] = ${inverse ? '-' : ''}ofLogScale * slopeOf(raw);
  }
  dx[at] = gradient;`)}`,
  };
}

/** How many values programs take at once: as many as divide both parts of the channels. */
function widthOf(...counts: number[]): number {
  return [4, 2].find((width) => counts.every((count) => count % width === 0)) ?? 1;
}

function sizesOf({ shape }: TensorInfo, kept: number) {
  const channels = shape[shape.length - 1];
  const width = widthOf(channels, kept);
  const perExample = util.sizeFromShape(shape.slice(1)) / width;
  return { examples: shape[0], perExample, width, channels: channels / width, kept: kept / width };
}

/** Value and log-determinant [n] of x, coupled by parameters [shift | raw]. */
export function affineCoupling(
  gpu: Gpu,
  x: TensorInfo,
  parameters: TensorInfo,
  options: FusedCouplingOptions,
): TensorInfo[] {
  const { examples, perExample, width, channels, kept } = sizesOf(x, options.kept);
  const value = gpu.output(x.shape);
  const lanes = lanesFor(perExample);
  const logDet = sumsOf(gpu, examples, perExample, { lanes, size: FLAT }, (logDets, shares, groups) => {
    const sizes = [examples, perExample, shares, channels, kept];
    gpu.run(coupling(options, width, lanes), [x, parameters, value, logDets], groups, sizes);
  });
  return [value, logDet];
}

/** Gradients in x and in the parameters. */
export function affineCouplingGradient(
  gpu: Gpu,
  { x, parameters, dy, dLogDet }: Record<'x' | 'parameters' | 'dy' | 'dLogDet', TensorInfo>,
  options: FusedCouplingOptions,
): TensorInfo[] {
  const { examples, perExample, width, channels, kept } = sizesOf(x, options.kept);
  const [dx, dParameters] = [x, parameters].map(({ shape }) => gpu.output(shape));
  const count = examples * perExample;
  const buffers = [x, parameters, dy, dLogDet, dx, dParameters];
  gpu.run(couplingGradient(options, width), buffers, flatGroups(count), [count, perExample, channels, kept]);
  return [dx, dParameters];
}

/** FlowAffineCoupling and its gradient. */
export function registerAffineCoupling(): void {
  registerGpuKernel(
    'FlowAffineCoupling',
    ({ inputs, attrs, gpu }: KernelCall<Record<'x' | 'parameters', TensorInfo>, FusedCouplingOptions>) =>
      affineCoupling(gpu, inputs.x, inputs.parameters, attrs),
  );
  registerGpuKernel(
    'FlowAffineCouplingGradient',
    ({
      inputs,
      attrs,
      gpu,
    }: KernelCall<Record<'x' | 'parameters' | 'dy' | 'dLogDet', TensorInfo>, FusedCouplingOptions>) =>
      affineCouplingGradient(gpu, inputs, attrs),
  );
}
