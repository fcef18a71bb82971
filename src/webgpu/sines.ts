import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { IS_FINITE } from './elementary';
import { type Program, read, write } from './program';
import { type KernelCall, replaceGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

/** Where the parts of pi/2 below begin to lose digits. */
const LARGEST_ANGLE = 1e5;

/**
 * Sine and cosine to the last places of float32. WGSL's own may be wrong by 2^-11, which angles of a flow hand on from value to value.
 *
 * The angle is brought to [-pi/4, pi/4] by a multiple of pi/2 in three parts (Cody and Waite, 1980); there the series up to the eighth
 * power are exact to float32. Larger angles are left to WGSL's own.
 */
const SERIES = `
fn turned(angle: f32, quarter: i32) -> f32 {
  if (abs(angle) > ${LARGEST_ANGLE}) { return clamp(select(sin(angle), cos(angle), quarter == 1), -1f, 1f); }
  let turns = round(angle * 0.63661977);
  let rest = ((angle - turns * 1.5703125) - turns * 4.8375129e-4) - turns * 7.5497899e-8;
  let square = rest * rest;
  let sine = rest + rest * square * (-1.6666667e-1 + square * (8.3333333e-3 + square * (-1.9841270e-4 + square * 2.7557319e-6)));
  let cosine = 1.0 + square * (-0.5 + square * (4.1666667e-2 + square * (-1.3888889e-3 + square * 2.4801587e-5)));
  let place = (i32(turns) + quarter) & 3;
  let value = select(sine, cosine, (place & 1) == 1);
  return select(value, -value, place >= 2);
}`;

function programOf(name: string, quarter: number): Program {
  return {
    key: name,
    buffers: { x: read(), y: write() },
    sizes: ['count: u32'],
    code: () => `${IS_FINITE}${SERIES}
${flatMain(`
  if (at >= sizes.count) { return; }
  let angle = x[at];
  // A variable, as WGSL has no constant that is no number.
  var notNumber = 0x7fc00000u;
  y[at] = select(bitcast<f32>(notNumber), turned(angle, ${quarter}), isFinite(angle));`)}`,
  };
}

function register(kernelName: string, program: Program): void {
  replaceGpuKernel(kernelName, ({ inputs: { x }, gpu }: KernelCall<{ x: TensorInfo }, unknown>) => {
    const count = util.sizeFromShape(x.shape);
    const y = gpu.output(x.shape);
    gpu.run(program, [x, y], flatGroups(count), [count]);
    return y;
  });
}

/** Sin and Cos of the backend. */
export function registerSines(): void {
  register('Sin', programOf('sine', 0));
  register('Cos', programOf('cosine', 1));
}
