import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { FusedAffine, FusedEvents } from '../layers/transformers/fusedTransformer';
import { logScaleOfTransformer } from './logScales';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { lanesFor, perExampleMain, sumsOf } from './sumsPerExample';
import { FLAT, flatGroups, flatMain, sumOfGroup } from './wgsl';

export type EventInputs = Record<'x' | 'parameters', TensorInfo>;
export type EventGradients = Record<'x' | 'parameters' | 'dy' | 'dLogDet', TensorInfo>;

type AffineEvents = FusedAffine & FusedEvents;

/** Sizes that the code of a scale reads, and their values. */
export const AFFINE_SIZES = ['bound: f32', 'one: f32'];

export function affineSizes({ scale, bound }: FusedAffine): number[] {
  return [bound, scale === 'softplus' ? Math.log(Math.expm1(1 - bound)) : 0];
}

/** The pair [shift, raw] of the value at `at`. */
const PLACE = `
  let channel = at % sizes.channels;
  let pair = at / sizes.channels * (sizes.channels - sizes.kept) + channel - sizes.kept;`;

function events({ scale, inverse }: AffineEvents, lanes: number): Program {
  return {
    key: `affine ${scale} ${inverse} ${lanes}`,
    buffers: { x: read(), parameters: read('vec2f'), value: write(), logDets: write() },
    sizes: ['examples: u32', 'perExample: u32', 'shares: u32', 'channels: u32', 'kept: u32', ...AFFINE_SIZES],
    code: () => `${logScaleOfTransformer(scale)}
${sumOfGroup(FLAT, lanes)}
${perExampleMain(
  lanes,
  `${PLACE}
    var result = x[at];
    if (channel >= sizes.kept) {
      let steering = parameters[pair];
      let logScale = logScaleOf(steering.y);
      result = ${inverse ? '(result - steering.x) * exp(-logScale)' : 'result * exp(logScale) + steering.x'};
      sum ${inverse ? '-=' : '+='} logScale;
    }
    value[at] = result;`,
  'logDets',
)}`,
  };
}

/** x = (y - shift) / s has the gradients of y = s x + shift at -dx / s. */
function gradient({ scale, inverse }: AffineEvents): Program {
  const given = ['x', 'dy', 'dLogDet'].map((name) => [name, read()]);
  const pairs = { parameters: read('vec2f'), dParameters: write('vec2f') };
  return {
    key: `affineGradient ${scale} ${inverse}`,
    buffers: { ...Object.fromEntries(given), ...pairs, dx: write() },
    sizes: ['count: u32', 'perExample: u32', 'channels: u32', 'kept: u32', ...AFFINE_SIZES],
    code: () => `${logScaleOfTransformer(scale)}
${flatMain(`
  if (at >= sizes.count) { return; }
  ${PLACE}
  let ofValue = dy[at];
  var result = ofValue;
  if (channel >= sizes.kept) {
    let raw = parameters[pair].y;
    let ofLog = dLogDet[at / sizes.perExample];
    result = ofValue * exp(${inverse ? '-' : ''}logScaleOf(raw));
    dParameters[pair] = ${
      inverse
        ? 'vec2f(-result, -(ofValue * x[at] + ofLog) * slopeOf(raw))'
        : 'vec2f(ofValue, (result * x[at] + ofLog) * slopeOf(raw))'
    };
  }
  dx[at] = result;`)}`,
  };
}

function sizesOf({ shape }: TensorInfo, events: AffineEvents) {
  const perExample = util.sizeFromShape(shape.slice(1));
  return {
    examples: shape[0],
    perExample,
    rest: [shape[shape.length - 1], events.kept, ...affineSizes(events)],
  };
}

/** FlowAffine and its gradient. */
export function registerAffineEvents(): void {
  registerGpuKernel('FlowAffine', ({ inputs, attrs, gpu }: KernelCall<EventInputs, AffineEvents>) => {
    const { x, parameters } = inputs;
    const { examples, perExample, rest } = sizesOf(x, attrs);
    const value = gpu.output(x.shape);
    const lanes = lanesFor(perExample);
    const logDet = sumsOf(gpu, examples, perExample, { lanes, size: FLAT }, (logDets, shares, groups) => {
      const sizes = [examples, perExample, shares, ...rest];
      gpu.run(events(attrs, lanes), [x, parameters, value, logDets], groups, sizes);
    });
    return [value, logDet];
  });
  registerGpuKernel(
    'FlowAffineGradient',
    ({ inputs, attrs, gpu }: KernelCall<EventGradients, AffineEvents>) => {
      const { x, parameters, dy, dLogDet } = inputs;
      const { examples, perExample, rest } = sizesOf(x, attrs);
      const [dx, dParameters] = [x, parameters].map(({ shape }) => gpu.output(shape));
      const count = examples * perExample;
      const buffers = [x, dy, dLogDet, parameters, dParameters, dx];
      gpu.run(gradient(attrs), buffers, flatGroups(count), [count, perExample, ...rest]);
      return [dx, dParameters];
    },
  );
}
