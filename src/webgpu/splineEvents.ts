import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import type { FusedEvents, FusedSpline } from '../layers/transformers/fusedTransformer';
import type { EventGradients, EventInputs } from './affineEvents';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import {
  parametersOf,
  SPLINE_SIZES,
  type SplineCode,
  splineGradient,
  splineMap,
  splineSizes,
} from './splineMap';
import { sumsOf } from './sumsPerExample';
import { flatGroups, groupMain, sumOfGroup } from './wgsl';

type SplineEvents = FusedSpline & FusedEvents;

/** Values of a workgroup, at most, and floats of workgroup memory for their parameters. */
const MOST_VALUES = 64;
const ROOM = 3840;

/** Rows of parameters in workgroup memory, where tensors of them are read and written in one piece. */
export function rowsOf(form: SplineCode) {
  const parameters = parametersOf(form);
  // Odd, so that invocations side by side meet different banks.
  const stride = parameters + 1 - (parameters % 2);
  if (stride > ROOM) {
    const expected = `at most ${Math.floor(ROOM / 3)} pieces on webgpu`;
    throw new BackendError(complaint('RationalQuadraticSpline', expected, form.bins));
  }
  const size = Math.min(MOST_VALUES, 2 ** Math.floor(Math.log2(ROOM / stride)));
  return { parameters, stride, size };
}

/** Where a value lies among all channels. */
const PLACE = 'value / sizes.changed * (sizes.kept + sizes.changed) + sizes.kept + value % sizes.changed';

const EVENTS = ['examples: u32', 'perExample: u32', 'kept: u32', 'changed: u32', ...SPLINE_SIZES];

function events(form: SplineEvents, lanes: number): Program {
  const { parameters, stride, size } = rowsOf(form);
  const perGroup = size / lanes;
  return {
    key: `spline ${form.bins} ${form.tails} ${form.inverse} ${lanes}`,
    buffers: { x: read(), parameters: read(), values: write(), logDets: write() },
    sizes: [...EVENTS, 'shares: u32'],
    code: () => `
var<workgroup> room: array<f32, ${size * stride}>;
${splineMap(form, form.inverse)}
${sumOfGroup(size, lanes)}
${groupMain(
  `
  let firstExample = thing / sizes.shares * ${perGroup}u;
  let share = thing % sizes.shares;
  let step = sizes.shares * ${lanes}u;
  let example = firstExample + local / ${lanes}u;
  let lane = share * ${lanes}u + local % ${lanes}u;
  var sum = 0f;
  for (var first = 0u; first < sizes.perExample; first += step) {
    workgroupBarrier();
    for (var i = local; i < ${size * parameters}u; i += ${size}u) {
      let row = i / ${parameters}u;
      let ofExample = firstExample + row / ${lanes}u;
      let index = first + share * ${lanes}u + row % ${lanes}u;
      if (ofExample < sizes.examples && index < sizes.perExample) {
        let at = (ofExample * sizes.perExample + index) * ${parameters}u;
        room[row * ${stride}u + i % ${parameters}u] = parameters[at + i % ${parameters}u];
      }
    }
    workgroupBarrier();
    if (example < sizes.examples && first + lane < sizes.perExample) {
      let value = example * sizes.perExample + first + lane;
      let at = ${PLACE};
      let result = mapped(x[at], local * ${stride}u);
      values[at] = result.x;
      sum += result.y;
    }
  }
  if (example < sizes.examples) {
    let passing = sizes.perExample / sizes.changed * sizes.kept;
    for (var i = lane; i < passing; i += step) {
      let place = example * passing + i;
      let at = place / sizes.kept * (sizes.kept + sizes.changed) + place % sizes.kept;
      values[at] = x[at];
    }
  }
  sum = sumOfGroup(local, sum);
  if (local % ${lanes}u == 0u && example < sizes.examples) { logDets[example * sizes.shares + share] = sum; }`,
  size,
)}`,
  };
}

function gradient(form: SplineEvents): Program {
  const { parameters, stride, size } = rowsOf(form);
  const given = ['x', 'parameters', 'dy', 'dLogDet'].map((name) => [name, read()]);
  return {
    key: `splineGradient ${form.bins} ${form.tails} ${form.inverse}`,
    buffers: { ...Object.fromEntries(given), dx: write(), dParameters: write() },
    sizes: EVENTS,
    code: () => `
var<workgroup> room: array<f32, ${size * stride}>;
${splineGradient(form, form.inverse)}
${groupMain(
  `
  let values = sizes.examples * sizes.perExample;
  let first = thing * ${size * parameters}u;
  for (var i = local; i < ${size * parameters}u; i += ${size}u) {
    if (first + i < values * ${parameters}u) {
      room[i / ${parameters}u * ${stride}u + i % ${parameters}u] = parameters[first + i];
    }
  }
  workgroupBarrier();
  let value = thing * ${size}u + local;
  if (value < values) {
    let at = ${PLACE};
    dx[at] = gradientOf(x[at], local * ${stride}u, dy[at], dLogDet[value / sizes.perExample]);
  }
  workgroupBarrier();
  for (var i = local; i < ${size * parameters}u; i += ${size}u) {
    if (first + i < values * ${parameters}u) {
      dParameters[first + i] = room[i / ${parameters}u * ${stride}u + i % ${parameters}u];
    }
  }
  for (var i = value; i < values / sizes.changed * sizes.kept; i += groups.x * groups.y * ${size}u) {
    let at = i / sizes.kept * (sizes.kept + sizes.changed) + i % sizes.kept;
    dx[at] = dy[at];
  }`,
  size,
)}`,
  };
}

function sizesOf({ shape }: TensorInfo, events: SplineEvents) {
  const channels = shape[shape.length - 1];
  const changed = channels - events.kept;
  const perExample = (util.sizeFromShape(shape.slice(1)) / channels) * changed;
  const sizes = [shape[0], perExample, events.kept, changed, ...splineSizes(events)];
  return { examples: shape[0], perExample, sizes };
}

/** FlowSpline and its gradient. */
export function registerSplineEvents(): void {
  registerGpuKernel('FlowSpline', ({ inputs, attrs, gpu }: KernelCall<EventInputs, SplineEvents>) => {
    const { x, parameters } = inputs;
    const { examples, perExample, sizes } = sizesOf(x, attrs);
    const value = gpu.output(x.shape);
    const { size } = rowsOf(attrs);
    const lanes = Math.min(size, 2 ** Math.ceil(Math.log2(Math.max(perExample, 1))));
    const logDet = sumsOf(gpu, examples, perExample, { lanes, size }, (logDets, shares, groups) => {
      gpu.run(events(attrs, lanes), [x, parameters, value, logDets], groups, [...sizes, shares]);
    });
    return [value, logDet];
  });
  registerGpuKernel(
    'FlowSplineGradient',
    ({ inputs, attrs, gpu }: KernelCall<EventGradients, SplineEvents>) => {
      const { x, parameters, dy, dLogDet } = inputs;
      const { examples, perExample, sizes } = sizesOf(x, attrs);
      const [dx, dParameters] = [x, parameters].map(({ shape }) => gpu.output(shape));
      const groups = flatGroups(examples * perExample, rowsOf(attrs).size);
      gpu.run(gradient(attrs), [x, parameters, dy, dLogDet, dx, dParameters], groups, sizes);
      return [dx, dParameters];
    },
  );
}
