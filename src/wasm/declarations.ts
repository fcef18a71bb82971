import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { SweepAttributes } from '../layers/fusedSweep';
import { outputsOf, type PerceptronAttributes, valuesOf } from '../layers/networks/perceptronTensors';
import type { FusedAffine, FusedSpline, FusedTransformer } from '../layers/transformers/fusedTransformer';
import { DERIVATIVES } from '../layers/transformers/splineKnots';
import type { ChainAttributes } from './convolutionChain';
import type { InputChecks } from './inputChecks';
import { recordFloats } from './perceptronLayout';
import type { Declaration } from './register';

/*
 * What the kernels of fused operations take. Everything is float32 but for what is said here.
 */

function lastOf({ shape }: TensorInfo): number {
  return shape[shape.length - 1];
}

type Channels = 'input' | 'offset' | 'logScale';

export const scaledChannels: Declaration<Channels, unknown> = {
  check({ inputs: { input, offset, logScale } }, checks) {
    checks.vector('offset', offset, lastOf(checks.present('input', input)));
    checks.vector('logScale', logScale, lastOf(input));
  },
};

export const scaledChannelsGradient: Declaration<'dy' | 'y' | 'logScale', unknown> = {
  check({ inputs: { dy, y, logScale } }, checks) {
    checks.shape('y', y, checks.present('dy', dy).shape);
    checks.vector('logScale', logScale, lastOf(dy));
  },
};

export const unscaledChannelsGradient: Declaration<'dx' | 'x' | 'offset' | 'logScale', unknown> = {
  check({ inputs: { dx, x, offset, logScale } }, checks) {
    checks.shape('x', x, checks.present('dx', dx).shape);
    checks.vector('offset', offset, lastOf(dx));
    checks.vector('logScale', logScale, lastOf(dx));
  },
};

export const ordered: Declaration<'x', { order: Int32Array }> = {
  check({ inputs: { x }, attrs: { order } }, checks) {
    checks.channels('x', x, checks.present('x', x), order.length);
  },
};

interface Kept {
  kept: number;
}

/** Two numbers for each channel that does not pass. */
function parametersOf(x: TensorInfo, { kept }: Kept): number {
  return 2 * (lastOf(x) - kept);
}

type Events<Form> = Declaration<'x' | 'parameters', Form & Kept>;
type EventsGradient<Form> = Declaration<'x' | 'parameters' | 'dy' | 'dLogDet', Form & Kept>;

/** Events of a coupling or a transformer, each value that does not pass with so many parameters; and their gradient. */
function eventsOf<Form>(perValue: (form: Form) => number): [Events<Form>, EventsGradient<Form>] {
  const checkBoth: Events<Form>['check'] = ({ inputs: { x, parameters }, attrs }, checks) => {
    const changed = lastOf(checks.present('x', x)) - attrs.kept;
    checks.channels('parameters', parameters, x, changed * perValue(attrs));
  };
  return [
    { check: checkBoth },
    {
      check(call, checks) {
        checkBoth(call, checks);
        const { x, dy, dLogDet } = call.inputs;
        checks.shape('dy', dy, x.shape);
        checks.vector('dLogDet', dLogDet, x.shape[0]);
      },
    },
  ];
}

/** Numbers that steer a value. */
function parametersPerValue(form: FusedTransformer): number {
  return form.kind === 'affine' ? 2 : 3 * form.bins + DERIVATIVES[form.tails];
}

export const [coupling, couplingGradient] = eventsOf<unknown>(() => 2);
export const [spline, splineGradient] = eventsOf<FusedSpline>(parametersPerValue);
export const [affine, affineGradient] = eventsOf<FusedAffine>(parametersPerValue);

/** [y, ...kernel, offset and gate of each layer] */
export const sweep: Declaration<string, SweepAttributes> = {
  check({ inputs, attrs }, checks) {
    const tensors = Object.values(inputs);
    const { levels, layers } = attrs;
    const [rows] = checks.present(0, tensors[0]).shape;
    checks.shape(0, tensors[0], [rows, levels.length]);
    let before = levels.length;
    let at = 1;
    for (const { levels: units, gated } of layers) {
      const columns = units.length;
      checks.shape(at, tensors[at++], [before, columns]);
      const perRow = checks.present(at, tensors[at]).shape.length > 1;
      checks.shape(at, tensors[at++], perRow ? [rows, columns] : [columns]);
      if (gated) checks.shape(at, tensors[at++], [rows, columns]);
      before = columns;
    }
  },
};

/** A chain of layers among the tensors of a kernel. */
interface Layers extends ChainAttributes {
  tensors: readonly TensorInfo[];
  /** What they run on, and how many of its channels they read. */
  input: TensorInfo;
  channels: number;
  /** Channels of the last output, where they are given. */
  last?: number;
  /** Place of the first weight. */
  at: number;
  /** Whether the outputs of all layers stand behind the weights. */
  outputs: boolean;
}

/** Sizes of filters, numbers of outputs and lines of offsets are free. Returns the channels of the last output. */
function checkLayers(checks: InputChecks, layers: Layers): number {
  const { tensors, input, factors } = layers;
  let positions = 1;
  for (let axis = 1; axis < input.shape.length - 1; axis++) positions *= input.shape[axis];
  let channels = layers.channels;
  let at = layers.at;
  let output = at;
  for (const factor of factors) output += factor === 0 ? 2 : 3;
  for (let i = 0; i < factors.length; i++) {
    const filter = checks.present(at, tensors[at]);
    const columns = (i === factors.length - 1 ? layers.last : undefined) ?? lastOf(filter);
    checks.matrix(at++, filter, channels, columns);
    const offset = checks.present(at, tensors[at]);
    const lines = util.sizeFromShape(offset.shape) === columns ? 1 : positions;
    checks.size(at++, offset, lines * columns);
    if (factors[i] !== 0) checks.size(at, tensors[at++], columns);
    if (layers.outputs) checks.channels(output, tensors[output++], input, columns);
    channels = columns;
  }
  return channels;
}

/** [input, ...weights] */
export const convolutions: Declaration<string, ChainAttributes> = {
  check({ inputs, attrs: { factors } }, checks) {
    const tensors = Object.values(inputs);
    const input = tensors[0];
    checks.vectorsOrImages(0, input);
    checkLayers(checks, { tensors, input, channels: lastOf(input), factors, at: 1, outputs: false });
  },
};

/** [dy, input, ...weights, ...outputs] */
export const convolutionsGradient: Declaration<string, ChainAttributes> = {
  check({ inputs, attrs: { factors } }, checks) {
    const tensors = Object.values(inputs);
    const [dy, input] = tensors;
    checks.vectorsOrImages(1, input);
    const layers = { tensors, input, channels: lastOf(input), factors, at: 2, outputs: true };
    checks.channels(0, dy, input, checkLayers(checks, layers));
  },
};

/** Checks what both kernels of a perceptron take, from the place of x on; returns it. */
function checkPerceptron(
  checks: InputChecks,
  tensors: readonly TensorInfo[],
  { plan, share = 1 }: PerceptronAttributes,
  at: number,
): TensorInfo {
  const x = checks.present(at, tensors[at]);
  let next = at + 1;
  // It may have columns that the network does not read.
  checks.shape(at, x, [x.shape[0], Math.max(x.shape[1], valuesOf(plan))]);
  if (plan.context > 0) checks.channels(next, tensors[next++], x, plan.context);
  for (const { inputs, outputs, context } of plan.forms) {
    checks.shape(next, tensors[next++], [inputs, outputs]);
    checks.vector(next, tensors[next++], outputs);
    if (context === undefined) continue;
    checks.shape(next, tensors[next++], [plan.context, outputs]);
    checks.vector(next, tensors[next++], outputs);
  }
  if (plan.masked)
    for (const { inputs, outputs } of plan.forms) checks.shape(next, tensors[next++], [inputs, outputs]);
  if (share < 1)
    for (const { dropped, inputs } of plan.forms)
      if (dropped) checks.shape(next, tensors[next++], [x.shape[0], inputs]);
  return x;
}

/** Records are the last input of a gradient. */
function checkRecords(
  checks: InputChecks,
  tensors: readonly TensorInfo[],
  x: TensorInfo,
  { plan }: PerceptronAttributes,
): void {
  checks.vector(tensors.length - 1, tensors[tensors.length - 1], recordFloats(plan, x.shape[0]));
}

/** [x, context?, ...weights, ...masks, ...dropout] */
export const perceptron: Declaration<string, PerceptronAttributes> = {
  check({ inputs, attrs }, checks) {
    checkPerceptron(checks, Object.values(inputs), attrs, 0);
  },
};

/** [dy, x, context?, ...weights, ...masks, ...dropout, records] */
export const perceptronGradient: Declaration<string, PerceptronAttributes> = {
  check({ inputs, attrs }, checks) {
    const tensors = Object.values(inputs);
    const x = checkPerceptron(checks, tensors, attrs, 1);
    checks.channels(0, tensors[0], x, outputsOf(attrs.plan));
    checkRecords(checks, tensors, x, attrs);
  },
};

/*
 * The network of a coupling reads the channels that pass and gives the parameters of the others.
 */

/** [x, ...weights] */
export const networkCoupled: Declaration<string, Kept & ChainAttributes> = {
  check({ inputs, attrs }, checks) {
    const tensors = Object.values(inputs);
    const input = tensors[0];
    checks.vectorsOrImages(0, input);
    const { kept: channels, factors } = attrs;
    const last = parametersOf(input, attrs);
    checkLayers(checks, { tensors, input, channels, factors, last, at: 1, outputs: false });
  },
};

/** The way back through a coupling with its network, its first three tensors in the order `first`. */
function networkCoupledBack(
  first: readonly ('input' | 'dy' | 'dLogDet')[],
  outputs: boolean,
): Declaration<string, Kept & ChainAttributes> {
  const [input, dy, dLogDet] = (['input', 'dy', 'dLogDet'] as const).map((name) => first.indexOf(name));
  return {
    check({ inputs, attrs }, checks) {
      const tensors = Object.values(inputs);
      const given = tensors[input];
      checks.vectorsOrImages(input, given);
      checks.shape(dy, tensors[dy], given.shape);
      checks.vector(dLogDet, tensors[dLogDet], given.shape[0]);
      const { kept: channels, factors } = attrs;
      const last = parametersOf(given, attrs);
      checkLayers(checks, { tensors, input: given, channels, factors, last, at: 3, outputs });
    },
  };
}

/** [dy, dLogDet, x, ...weights, ...outputs] */
export const networkCoupledGradient = networkCoupledBack(['dy', 'dLogDet', 'input'], true);

/** [y, dy, dLogDet, ...weights] */
export const networkCoupledReverse = networkCoupledBack(['input', 'dy', 'dLogDet'], false);

/** [x, context?, ...weights] */
export const perceptronCoupled: Declaration<string, Kept & PerceptronAttributes> = {
  check({ inputs, attrs }, checks) {
    checkPerceptron(checks, Object.values(inputs), attrs, 0);
  },
};

/** [dy, dLogDet, x, context?, ...weights, parameters, records] */
export const perceptronCoupledGradient: Declaration<string, Kept & PerceptronAttributes> = {
  check({ inputs, attrs }, checks) {
    const tensors = Object.values(inputs);
    const x = checkPerceptron(checks, tensors, attrs, 2);
    checks.shape(0, tensors[0], x.shape);
    checks.vector(1, tensors[1], x.shape[0]);
    checks.channels(tensors.length - 2, tensors[tensors.length - 2], x, parametersOf(x, attrs));
    checkRecords(checks, tensors, x, attrs);
  },
};

type Factors = 'permutation' | 'lower' | 'upper' | 'sign' | 'logScale';

export const lu: Declaration<Factors, unknown> = {
  check({ inputs: { permutation, lower, upper, sign, logScale } }, checks) {
    const channels = util.sizeFromShape(checks.present('logScale', logScale).shape);
    checks.shape('permutation', permutation, [channels, channels]);
    checks.shape('lower', lower, permutation.shape);
    checks.shape('upper', upper, permutation.shape);
    checks.vector('sign', sign, channels);
    checks.vector('logScale', logScale, channels);
  },
};

export const luGradient: Declaration<'permutation' | 'factors' | 'dy' | 'dLogDet', unknown> = {
  check({ inputs: { permutation, factors, dy, dLogDet } }, checks) {
    const [size] = checks.present('permutation', permutation).shape;
    checks.shape('permutation', permutation, [size, size]);
    checks.shape('factors', factors, [size, size]);
    checks.shape('dy', dy, [size, size]);
    checks.size('dLogDet', dLogDet, 1);
  },
};

type Linear = 'input' | 'offset' | 'logScale' | 'matrix';

function checkLinear(inputs: Record<Linear, TensorInfo>, checks: InputChecks): void {
  const channels = lastOf(checks.present('input', inputs.input));
  checks.vector('offset', inputs.offset, channels);
  checks.vector('logScale', inputs.logScale, channels);
  checks.shape('matrix', inputs.matrix, [channels, channels]);
}

export const linear: Declaration<Linear | 'logDet', unknown> = {
  check({ inputs }, checks) {
    checkLinear(inputs, checks);
    checks.size('logDet', inputs.logDet, 1);
  },
};

export const linearGradient: Declaration<Linear | 'dy' | 'dLogDet', unknown> = {
  check({ inputs }, checks) {
    checkLinear(inputs, checks);
    checks.shape('dy', inputs.dy, inputs.input.shape);
    checks.vector('dLogDet', inputs.dLogDet, inputs.input.shape[0]);
  },
};

interface Count {
  weights: number;
}

/** [...weights, ...first moments, ...second moments, ...gradients, gradientScale], the last two or none */
export const adaptive: Declaration<string, Count> = {
  check({ inputs, attrs: { weights } }, checks) {
    const tensors = Object.values(inputs);
    const groups = tensors.length <= 3 * weights ? 3 : 4;
    for (let i = 0; i < weights; i++) {
      const size = util.sizeFromShape(checks.present(i, tensors[i]).shape);
      for (let at = i + weights; at < groups * weights; at += weights) checks.size(at, tensors[at], size);
    }
    if (groups === 4) checks.shape(4 * weights, tensors[4 * weights], []);
  },
};

/** [...weights, ...moments, ...gradients, gradientScale], the last two or none; in bfloat16 two gradients share an int32. */
function compactOf(dtype: 'float32' | 'int32'): Declaration<string, Count> {
  const [floats, words, gradients] = [['float32'], ['int32'], [dtype]] as const;
  return {
    dtypes: ['float32', 'int32'],
    check({ inputs, attrs: { weights } }, checks) {
      const tensors = Object.values(inputs);
      const trained = tensors.length > 2 * weights;
      for (let i = 0; i < weights; i++) {
        checks.type(i, tensors[i], floats);
        const size = util.sizeFromShape(tensors[i].shape);
        checks.type(i + weights, tensors[i + weights], words);
        checks.size(i + weights, tensors[i + weights], size);
        if (!trained) continue;
        const at = i + 2 * weights;
        checks.type(at, tensors[at], gradients);
        checks.size(at, tensors[at], dtype === 'int32' ? Math.ceil(size / 2) : size);
      }
      if (!trained) return;
      checks.type(3 * weights, tensors[3 * weights], floats);
      checks.shape(3 * weights, tensors[3 * weights], []);
    },
  };
}

export const compact = compactOf('float32');
export const compactBfloat16 = compactOf('int32');

export const bfloat16: Declaration<'x', { shape: number[] }> = {
  dtypes: ['int32'],
  check({ inputs: { x }, attrs }, checks) {
    checks.size('x', x, Math.ceil(util.sizeFromShape(attrs.shape) / 2));
  },
};

/** Any number of tensors, of float32 or bfloat16. */
export const normBfloat16: Declaration<string, unknown> = { dtypes: ['float32', 'int32'] };
