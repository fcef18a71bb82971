import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { AdaptiveStep, StepConstants } from '../training/fusedAdaptiveStep';
import { listsInRow } from './arena';
import { stretchesOf } from './gathering';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, flatMain } from './wgsl';

type Kind = AdaptiveStep['kind'];

/** Constants of a step, in the order of `constantsOf`. */
export const STEP = `
struct Step { beta1: f32, beta2: f32, rest1: f32, rest2: f32, correction1: f32, correction2: f32, learningRate: f32, epsilon: f32 };`;

/** The new weight, the moments being those of this step; zero moments move nothing, whatever epsilon is. */
const MOVE = {
  adam: 'let size = sqrt(v * step.correction2);',
  adamax: 'let size = v;',
};

export function moved(kind: Kind): string {
  return `
  ${MOVE[kind]}
  let direction = m * step.correction1 / (size + step.epsilon);
  weight[at] -= step.learningRate * select(direction, vec4f(0), m == vec4f(0));`;
}

/** Whether a scale is NaN or infinite, which stops the step. */
export function stops(scale: string): string {
  return `(bitcast<u32>(${scale}) & 0x7f800000u) == 0x7f800000u`;
}

const SECOND = {
  adam: 'second[at] * step.beta2 + g * g * step.rest2',
  adamax: 'max(second[at] * step.beta2, abs(g))',
};

/** Everything that it changes is declared as written, gradients too: a buffer may be bound for several writes, but not for reads beside. */
function forward(kind: Kind): Program {
  const changed = write('vec4f');
  return {
    key: `${kind}Step`,
    buffers: {
      weight: changed,
      first: changed,
      second: changed,
      gradient: changed,
      constants: read('Step'),
      gradientScale: read(),
    },
    sizes: ['fours: u32'],
    code: () => `${STEP}
${flatMain(`
  let scale = gradientScale[0];
  if (at >= sizes.fours || ${stops('scale')}) { return; }
  let step = constants[0];
  let g = gradient[at] * scale;
  let m = first[at] * step.beta1 + g * step.rest1;
  let v = ${SECOND[kind]};
  first[at] = m;
  second[at] = v;
  ${moved(kind)}`)}`,
  };
}

function back(kind: Kind): Program {
  const changed = write('vec4f');
  return {
    key: `${kind}StepBack`,
    buffers: { weight: changed, first: changed, second: changed, constants: read('Step') },
    sizes: ['fours: u32'],
    code: () => `${STEP}
${flatMain(`
  if (at >= sizes.fours) { return; }
  let step = constants[0];
  let m = first[at];
  let v = second[at];
  ${moved(kind)}`)}`,
  };
}

const programs = {
  adam: { forward: forward('adam'), back: back('adam') },
  adamax: { forward: forward('adamax'), back: back('adamax') },
};

export function constantsOf(step: StepConstants): number[] {
  const { beta1, beta2, bias1, bias2, learningRate, epsilon } = step;
  return [beta1, beta2, 1 - beta1, 1 - beta2, 1 / bias1, 1 / bias2, learningRate, epsilon];
}

function adaptiveStep({
  inputs,
  attrs,
  gpu,
}: KernelCall<readonly TensorInfo[], AdaptiveStep & { weights: number }>): TensorInfo[] {
  const tensors = Object.values(inputs);
  const { weights, kind } = attrs;
  const back = tensors.length === 3 * weights;
  const lists = listsInRow(tensors, back ? 3 : 4, weights);
  if (lists[0].length === 0) return [];
  gpu.withValues(constantsOf(attrs), (constants) => {
    for (const ranges of stretchesOf(gpu, ...lists)) {
      const fours = ranges[0].size / 16;
      const buffers = back ? [...ranges, constants] : [...ranges, constants, tensors[4 * weights]];
      gpu.run(programs[kind][back ? 'back' : 'forward'], buffers, flatGroups(fours), [fours]);
    }
  });
  return [];
}

/** FlowAdaptiveStep: one dispatch where all weights fit one buffer. A gradientScale that is NaN or infinite changes nothing. */
export function registerAdaptiveStep(): void {
  registerGpuKernel('FlowAdaptiveStep', adaptiveStep);
}
