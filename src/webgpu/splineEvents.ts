import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { EventGradients, EventInputs } from './affineEvents';
import { addParts } from './partialSums';
import { type KernelCall, registerGpuKernel } from './register';
import {
  rowsOf,
  type SplineEvents,
  splineEventsGradientProgram,
  splineEventsProgram,
} from './splineEventsPrograms';
import { splineSizes } from './splineMap';
import { sumsOf } from './sumsPerExample';
import { flatGroups } from './wgsl';

function sizesOf({ shape }: TensorInfo, events: SplineEvents) {
  const channels = shape[shape.length - 1];
  const changed = channels - events.kept;
  const positions = util.sizeFromShape(shape.slice(1, -1));
  const perExample = positions * changed;
  const sizes = [shape[0], perExample, events.kept, changed, ...splineSizes(events)];
  return { examples: shape[0], perExample, passing: positions * events.kept, sizes };
}

type Call<Inputs extends Record<string, TensorInfo>> = KernelCall<
  Inputs & { passing?: TensorInfo },
  SplineEvents
>;

function splineEvents({ inputs: { x, parameters, passing: ofPassing }, attrs, gpu }: Call<EventInputs>) {
  const all = ofPassing !== undefined;
  const { examples, perExample, passing, sizes } = sizesOf(x, attrs);
  const mapped = perExample + (all ? passing : 0);
  const value = gpu.output(x.shape);
  const { size } = rowsOf(attrs);
  const lanes = Math.min(size, 2 ** Math.ceil(Math.log2(Math.max(mapped, 1))));
  const given = [x, parameters, ...(all ? [ofPassing] : [])];
  const logDet = sumsOf(gpu, examples, mapped, { lanes, size }, (logDets, shares, groups) => {
    gpu.run(splineEventsProgram(attrs, lanes, all), [...given, value, logDets], groups, [...sizes, shares]);
  });
  return [value, logDet];
}

function splineEventsGradient({ inputs, attrs, gpu }: Call<EventGradients>): TensorInfo[] {
  const { x, parameters, dy, dLogDet, passing: ofPassing } = inputs;
  const { examples, perExample, passing, sizes } = sizesOf(x, attrs);
  const { size, parameters: count } = rowsOf(attrs);
  const [dx, dParameters] = [x, parameters].map(({ shape }) => gpu.output(shape));
  const groups = Math.ceil((examples * perExample) / size);
  const given = [x, parameters, dy, dLogDet];
  if (ofPassing === undefined) {
    gpu.run(
      splineEventsGradientProgram(attrs, false),
      [...given, dx, dParameters],
      flatGroups(groups, 1),
      sizes,
    );
    return [dx, dParameters];
  }
  const dPassing = gpu.output(ofPassing.shape);
  const parts = Math.ceil(examples / size);
  const stride = passing * count;
  gpu.withScratch([parts * stride], (partial) => {
    const buffers = [...given, ofPassing, dx, dParameters, partial];
    gpu.run(
      splineEventsGradientProgram(attrs, true),
      buffers,
      flatGroups(groups + parts * passing, 1),
      sizes,
    );
    addParts(gpu, partial, [{ output: dPassing, at: 0, stride, parts, factor: 1 }]);
  });
  return [dx, dParameters, dPassing];
}

/** FlowSpline, FlowSplinesOfAll and their gradients. */
export function registerSplineEvents(): void {
  for (const name of ['FlowSpline', 'FlowSplinesOfAll']) {
    registerGpuKernel(name, splineEvents);
    registerGpuKernel(`${name}Gradient`, splineEventsGradient);
  }
}
