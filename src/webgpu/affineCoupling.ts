import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { FusedCouplingOptions } from '../layers/fusedCoupling';
import type { FusedStandardizeOptions } from '../layers/fusedStandardize';
import { floats } from './elementary';
import type { Gpu } from './gpu';
import { type CouplingScale, logScaleOfCoupling } from './logScales';
import { type Program, read, remembered, write } from './program';
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

/** Of programs that take all values alike, and their number. */
const SIZES = ['count: u32', 'perExample: u32', 'channels: u32', 'kept: u32'];

type CouplingInputs = Record<'x' | 'parameters', TensorInfo>;
type CouplingGradients = Record<'x' | 'parameters' | 'dy' | 'dLogDet', TensorInfo>;

/** A coupling as its programs have it. */
interface CouplingForm {
  scale: CouplingScale;
  inverse: boolean;
  kept: number;
}

/** Standardizing, (x - mean) exp(-logScale), is a coupling whose parameters are [mean | logScale] with their signs turned. */
const STANDARDIZING = 'log';

function signOf({ scale }: CouplingForm): '' | '-' {
  return scale === STANDARDIZING ? '-' : '';
}

/** Value, and the log-determinant of each example or of its shares. */
const coupling = remembered((form: CouplingForm, width: number, lanes: number): Program => {
  const { scale, inverse } = form;
  const sign = signOf(form);
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
      let shift = ${sign}parameters[ofShift];
      let logScale = logScaleOf(${sign}parameters[ofRaw]);
      result = ${inverse ? 'result * exp(-logScale) - shift' : '(result + shift) * exp(logScale)'};
      sum ${inverse ? '-=' : '+='} ${width === 1 ? 'logScale' : `dot(logScale, ${type}(1))`};
    }
    value[at] = result;`,
  'logDets',
)}`,
  };
});

const couplingGradient = remembered((form: CouplingForm, width: number): Program => {
  const { scale, inverse } = form;
  const sign = signOf(form);
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
    sizes: SIZES,
    code: () => `${logScaleOfCoupling(scale, type)}
${flatMain(`
  if (at >= sizes.count) { return; }
  ${PLACES}
  var gradient = dy[at];
  if (channel >= sizes.kept) {
    let raw = ${sign}parameters[ofRaw];
    let given = gradient;
    gradient = given * exp(${inverse ? '-' : ''}logScaleOf(raw));
    let ofLogScale = gradient * ${inverse ? 'x[at]' : `(x[at] + ${sign}parameters[ofShift])`} + dLogDet[at / sizes.perExample];
    dParameters[ofShift] = ${sign}(${inverse ? '-given' : 'gradient'});
    dParameters[ofRaw] = ${sign}(${inverse ? '-' : ''}ofLogScale * slopeOf(raw));
  }
  dx[at] = gradient;`)}`,
  };
});

/** From the value to what was coupled, and gradients in it and in the parameters. */
const reverse = remembered((scale: CouplingScale, width: number): Program => {
  const type = floats(width);
  return {
    key: `affineCouplingReverse ${scale} ${width}`,
    buffers: {
      value: read(type),
      parameters: read(type),
      dy: read(type),
      dLogDet: read(),
      x: write(type),
      dx: write(type),
      dParameters: write(type),
    },
    sizes: SIZES,
    code: () => `${logScaleOfCoupling(scale, type)}
${flatMain(`
  if (at >= sizes.count) { return; }
  ${PLACES}
  var before = value[at];
  var gradient = dy[at];
  if (channel >= sizes.kept) {
    let raw = parameters[ofRaw];
    let logScale = logScaleOf(raw);
    let ofLogScale = gradient * before + dLogDet[at / sizes.perExample];
    before = before * exp(-logScale) - parameters[ofShift];
    gradient = gradient * exp(logScale);
    dParameters[ofShift] = gradient;
    dParameters[ofRaw] = ofLogScale * slopeOf(raw);
  }
  x[at] = before;
  dx[at] = gradient;`)}`,
  };
});

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
  options: CouplingForm,
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
  { x, parameters, dy, dLogDet }: CouplingGradients,
  options: CouplingForm,
): TensorInfo[] {
  const { examples, perExample, width, channels, kept } = sizesOf(x, options.kept);
  const [dx, dParameters] = [x, parameters].map(({ shape }) => gpu.output(shape));
  const count = examples * perExample;
  const buffers = [x, parameters, dy, dLogDet, dx, dParameters];
  gpu.run(couplingGradient(options, width), buffers, flatGroups(count), [count, perExample, channels, kept]);
  return [dx, dParameters];
}

/** From the value of a coupling to x, and gradients in it and in the parameters. */
export function affineCouplingReverse(
  gpu: Gpu,
  { value, parameters, dy, dLogDet }: Record<'value' | 'parameters' | 'dy' | 'dLogDet', TensorInfo>,
  { kept: first, scale }: Pick<FusedCouplingOptions, 'kept' | 'scale'>,
): TensorInfo[] {
  const { examples, perExample, width, channels, kept } = sizesOf(value, first);
  const outputs = [value, value, parameters].map(({ shape }) => gpu.output(shape));
  const count = examples * perExample;
  const buffers = [value, parameters, dy, dLogDet, ...outputs];
  gpu.run(reverse(scale, width), buffers, flatGroups(count), [count, perExample, channels, kept]);
  return outputs;
}

/** FlowAffineCoupling, FlowStandardize and their gradients. */
export function registerAffineCoupling(): void {
  register('FlowAffineCoupling', (options: FusedCouplingOptions) => options);
  register('FlowStandardize', (options: FusedStandardizeOptions) => ({ ...options, scale: STANDARDIZING }));
}

function register<Options>(name: string, formOf: (options: Options) => CouplingForm): void {
  registerGpuKernel(name, ({ inputs, attrs, gpu }: KernelCall<CouplingInputs, Options>) =>
    affineCoupling(gpu, inputs.x, inputs.parameters, formOf(attrs)),
  );
  registerGpuKernel(`${name}Gradient`, ({ inputs, attrs, gpu }: KernelCall<CouplingGradients, Options>) =>
    affineCouplingGradient(gpu, inputs, formOf(attrs)),
  );
}
