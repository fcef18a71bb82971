import { BackendError, complaint } from '../core/errors';
import type { FusedEvents, FusedSpline } from '../layers/transformers/fusedTransformer';
import { type Program, read, write } from './program';
import { parametersOf, SPLINE_SIZES, type SplineCode, splineGradient, splineMap } from './splineMap';
import { groupMain, sumOfGroup } from './wgsl';

export type SplineEvents = FusedSpline & FusedEvents;

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

/** `placeOf(example, index)`: where a value lies among all channels; those that pass are numbered behind those that do not. */
const PLACE = `
fn placeOf(example: u32, index: u32) -> u32 {
  let channels = sizes.kept + sizes.changed;
  let first = example * (sizes.perExample / sizes.changed) * channels;
  if (index < sizes.perExample) { return first + index / sizes.changed * channels + sizes.kept + index % sizes.changed; }
  let passing = index - sizes.perExample;
  return first + passing / sizes.kept * channels + passing % sizes.kept;
}`;

const EVENTS = ['examples: u32', 'perExample: u32', 'kept: u32', 'changed: u32', ...SPLINE_SIZES];

/** Values of events and their log-determinants. @param all whether the values that pass are mapped as well */
export function splineEventsProgram(form: SplineEvents, lanes: number, all: boolean): Program {
  const { parameters, stride, size } = rowsOf(form);
  const perGroup = size / lanes;
  return {
    key: `spline ${form.bins} ${form.tails} ${form.inverse} ${lanes} ${all}`,
    buffers: {
      x: read(),
      parameters: read(),
      ...(all && { ofPassing: read() }),
      values: write(),
      logDets: write(),
    },
    sizes: [...EVENTS, 'shares: u32'],
    code: () => `
var<workgroup> room: array<f32, ${size * stride}>;
${splineMap(form, form.inverse)}
${sumOfGroup(size, lanes)}${PLACE}
${groupMain(
  `
  let firstExample = thing / sizes.shares * ${perGroup}u;
  let share = thing % sizes.shares;
  let step = sizes.shares * ${lanes}u;
  let example = firstExample + local / ${lanes}u;
  let lane = share * ${lanes}u + local % ${lanes}u;
  let passing = sizes.perExample / sizes.changed * sizes.kept;
  let mappedValues = sizes.perExample${all ? ' + passing' : ''};
  var sum = 0f;
  for (var first = 0u; first < mappedValues; first += step) {
    workgroupBarrier();
    for (var i = local; i < ${size * parameters}u; i += ${size}u) {
      let row = i / ${parameters}u;
      let parameter = i % ${parameters}u;
      let ofExample = firstExample + row / ${lanes}u;
      let index = first + share * ${lanes}u + row % ${lanes}u;
      if (ofExample < sizes.examples && index < mappedValues) {
        let to = row * ${stride}u + parameter;
        ${
          all
            ? `if (index >= sizes.perExample) {
          room[to] = ofPassing[(index - sizes.perExample) * ${parameters}u + parameter];
          continue;
        }`
            : ''
        }
        room[to] = parameters[(ofExample * sizes.perExample + index) * ${parameters}u + parameter];
      }
    }
    workgroupBarrier();
    if (example < sizes.examples && first + lane < mappedValues) {
      let at = placeOf(example, first + lane);
      let result = mapped(x[at], local * ${stride}u);
      values[at] = result.x;
      sum += result.y;
    }
  }
  ${
    all
      ? ''
      : `if (example < sizes.examples) {
    for (var i = lane; i < passing; i += step) {
      let at = placeOf(example, sizes.perExample + i);
      values[at] = x[at];
    }
  }`
  }
  sum = sumOfGroup(local, sum);
  if (local % ${lanes}u == 0u && example < sizes.examples) { logDets[example * sizes.shares + share] = sum; }`,
  size,
)}`,
  };
}

/**
 * Gradients, each invocation's in one value. Where those that pass are mapped as well, some workgroups behind the others take one of
 * them each, in as many examples as they have invocations, and write the sums of its parameters' gradients over these.
 */
export function splineEventsGradientProgram(form: SplineEvents, all: boolean): Program {
  const { parameters, stride, size } = rowsOf(form);
  const given = ['x', 'parameters', 'dy', 'dLogDet'].map((name) => [name, read()]);
  return {
    key: `splineGradient ${form.bins} ${form.tails} ${form.inverse} ${all}`,
    buffers: {
      ...Object.fromEntries(given),
      ...(all && { ofPassing: read() }),
      dx: write(),
      dParameters: write(),
      ...(all && { partial: write() }),
    },
    sizes: EVENTS,
    code: () => `
var<workgroup> room: array<f32, ${size * stride}>;
${splineGradient(form, form.inverse)}${PLACE}
${groupMain(
  `
  let values = sizes.examples * sizes.perExample;
  let first = thing * ${size * parameters}u;
  let value = thing * ${size}u + local;
  var example = value / sizes.perExample;
  var index = value % sizes.perExample;
  ${
    all
      ? `let passing = sizes.perExample / sizes.changed * sizes.kept;
  let before = (values + ${size - 1}u) / ${size}u;
  let isPassing = thing >= before;
  if (isPassing) {
    example = (thing - before) / passing * ${size}u + local;
    index = sizes.perExample + (thing - before) % passing;
  }`
      : ''
  }
  for (var i = local; i < ${size * parameters}u; i += ${size}u) {
    let to = i / ${parameters}u * ${stride}u + i % ${parameters}u;
    ${all ? `if (isPassing) { room[to] = ofPassing[(index - sizes.perExample) * ${parameters}u + i % ${parameters}u]; continue; }` : ''}
    if (first + i < values * ${parameters}u) { room[to] = parameters[first + i]; }
  }
  workgroupBarrier();
  if (example < sizes.examples) {
    let at = placeOf(example, index);
    dx[at] = gradientOf(x[at], local * ${stride}u, dy[at], dLogDet[example]);
  }${
    all
      ? ` else if (isPassing) {
    for (var i = 0u; i < ${parameters}u; i++) { room[local * ${stride}u + i] = 0f; }
  }`
      : ''
  }
  workgroupBarrier();
  ${
    all
      ? `if (isPassing) {
    let part = (thing - before) / passing;
    if (part * ${size}u >= sizes.examples) { return; }
    for (var i = local; i < ${parameters}u; i += ${size}u) {
      var sum = 0f;
      for (var row = 0u; row < ${size}u; row++) { sum += room[row * ${stride}u + i]; }
      partial[(part * passing + index - sizes.perExample) * ${parameters}u + i] = sum;
    }
    return;
  }`
      : ''
  }
  for (var i = local; i < ${size * parameters}u; i += ${size}u) {
    if (first + i < values * ${parameters}u) {
      dParameters[first + i] = room[i / ${parameters}u * ${stride}u + i % ${parameters}u];
    }
  }
  ${
    all
      ? ''
      : `for (var i = value; i < values / sizes.changed * sizes.kept; i += groups.x * groups.y * ${size}u) {
    let at = i / sizes.kept * (sizes.kept + sizes.changed) + i % sizes.kept;
    dx[at] = dy[at];
  }`
  }`,
  size,
)}`,
  };
}
