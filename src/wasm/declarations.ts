import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { ChainAttributes } from './convolutionChain';
import type { Declaration, Expected } from './register';

/*
 * What the kernels of fused operations take. Everything is float32 but for what is said here.
 */

const like = ({ shape }: TensorInfo): Expected => ({ shape });

/** Vectors or images: more axes would be taken for fewer. */
const vectorsOrImages = ({ shape }: TensorInfo): Expected => ({ shape: shape.slice(0, 4) });

function lastOf({ shape }: TensorInfo): number {
  return shape[shape.length - 1];
}

function withChannels({ shape }: TensorInfo, channels: number): number[] {
  return [...shape.slice(0, -1), channels];
}

/** A number per channel. */
const perChannel = (tensor: TensorInfo): Expected => ({ shape: [lastOf(tensor)] });

/** A number per example. */
const perExample = ({ shape }: TensorInfo): Expected => ({ shape: [shape[0]] });

type Channels = 'input' | 'offset' | 'logScale';

export const scaledChannels: Declaration<Channels, unknown> = {
  inputs: ({ inputs: { input } }) => ({ offset: perChannel(input), logScale: perChannel(input) }),
};

export const scaledChannelsGradient: Declaration<'dy' | 'y' | 'logScale', unknown> = {
  inputs: ({ inputs: { dy } }) => ({ y: like(dy), logScale: perChannel(dy) }),
};

export const unscaledChannelsGradient: Declaration<'dx' | 'x' | 'offset' | 'logScale', unknown> = {
  inputs: ({ inputs: { dx } }) => ({ x: like(dx), offset: perChannel(dx), logScale: perChannel(dx) }),
};

interface Kept {
  kept: number;
}

function couplingParameters(x: TensorInfo, { kept }: Kept): Expected {
  return { shape: withChannels(x, 2 * (lastOf(x) - kept)) };
}

export const coupling: Declaration<'x' | 'parameters', Kept> = {
  inputs: ({ inputs: { x }, attrs }) => ({ parameters: couplingParameters(x, attrs) }),
};

export const couplingGradient: Declaration<'x' | 'parameters' | 'dy' | 'dLogDet', Kept> = {
  inputs: ({ inputs: { x }, attrs }) => ({
    parameters: couplingParameters(x, attrs),
    dy: like(x),
    dLogDet: perExample(x),
  }),
};

/**
 * The weights of layers on an input of this shape, and their outputs.
 *
 * @param tensors the weights that came, for what is free: sizes of filters, numbers of outputs, lines of offsets
 * @param last channels of the last output, where they are given
 */
function layers(
  shape: readonly number[],
  tensors: readonly (TensorInfo | undefined)[],
  { factors }: ChainAttributes,
  last?: number,
): { weights: Expected[]; outputs: Expected[] } {
  const positions = util.sizeFromShape(shape.slice(1, -1));
  let inputs = shape[shape.length - 1];
  const weights: Expected[] = [];
  const outputs: Expected[] = [];
  for (const [i, factor] of factors.entries()) {
    const [filter, offset] = tensors.slice(weights.length);
    const given = filter?.shape ?? [0, 0];
    const columns = (i === factors.length - 1 ? last : undefined) ?? given[given.length - 1];
    const lines = offset !== undefined && util.sizeFromShape(offset.shape) === columns ? 1 : positions;
    weights.push({ shape: [...given.slice(0, -2), inputs, columns] }, { size: lines * columns });
    if (factor !== 0) weights.push({ size: columns });
    outputs.push({ shape: [...shape.slice(0, -1), columns] });
    inputs = columns;
  }
  return { weights, outputs };
}

/** [input, ...weights] */
export const convolutions: Declaration<string, ChainAttributes> = {
  inputs({ inputs, attrs }) {
    const [input, ...tensors] = Object.values(inputs);
    return [vectorsOrImages(input), ...layers(input.shape, tensors, attrs).weights];
  },
};

/** [dy, input, ...weights, ...outputs] */
export const convolutionsGradient: Declaration<string, ChainAttributes> = {
  inputs({ inputs, attrs }) {
    const [, input, ...tensors] = Object.values(inputs);
    const { weights, outputs } = layers(input.shape, tensors, attrs);
    return [outputs[outputs.length - 1], vectorsOrImages(input), ...weights, ...outputs];
  },
};

/** The network of a coupling reads the channels that pass and gives the parameters of the others. */
function network(x: TensorInfo, tensors: readonly TensorInfo[], attrs: Kept & ChainAttributes) {
  return layers(withChannels(x, attrs.kept), tensors, attrs, 2 * (lastOf(x) - attrs.kept));
}

/** [x, ...weights] */
export const networkCoupled: Declaration<string, Kept & ChainAttributes> = {
  inputs({ inputs, attrs }) {
    const [x, ...tensors] = Object.values(inputs);
    return [vectorsOrImages(x), ...network(x, tensors, attrs).weights];
  },
};

/** [dy, dLogDet, x, ...weights, ...outputs] */
export const networkCoupledGradient: Declaration<string, Kept & ChainAttributes> = {
  inputs({ inputs, attrs }) {
    const [, , x, ...tensors] = Object.values(inputs);
    const { weights, outputs } = network(x, tensors, attrs);
    return [like(x), perExample(x), vectorsOrImages(x), ...weights, ...outputs];
  },
};

type Factors = 'permutation' | 'lower' | 'upper' | 'sign' | 'logScale';

function luFactors({ logScale }: Record<Factors, TensorInfo>): Record<Factors, Expected> {
  const channels = util.sizeFromShape(logScale.shape);
  const square = { shape: [channels, channels] };
  const line = { shape: [channels] };
  return { permutation: square, lower: square, upper: square, sign: line, logScale: line };
}

export const lu: Declaration<Factors, unknown> = { inputs: ({ inputs }) => luFactors(inputs) };

export const luGradient: Declaration<Factors | 'dy' | 'dLogDet', unknown> = {
  inputs: ({ inputs }) => ({ ...luFactors(inputs), dy: like(inputs.permutation), dLogDet: { size: 1 } }),
};

type Linear = 'input' | 'offset' | 'logScale' | 'matrix';

function linearWeights(input: TensorInfo) {
  const channels = lastOf(input);
  return { offset: perChannel(input), logScale: perChannel(input), matrix: { shape: [channels, channels] } };
}

export const linear: Declaration<Linear | 'logDet', unknown> = {
  inputs: ({ inputs: { input } }) => ({ ...linearWeights(input), logDet: { size: 1 } }),
};

export const linearGradient: Declaration<Linear | 'dy' | 'dLogDet', unknown> = {
  inputs: ({ inputs: { input } }) => ({
    ...linearWeights(input),
    dy: like(input),
    dLogDet: perExample(input),
  }),
};

interface Count {
  weights: number;
}

/** Sizes of the weights, once per group that belongs to them. */
function groups(
  tensors: readonly TensorInfo[],
  { weights }: Count,
  more: readonly Partial<Expected>[],
): Expected[] {
  const sizes = tensors.slice(0, weights).map(({ shape }) => ({ size: util.sizeFromShape(shape) }));
  return [{}, ...more].flatMap((group) => sizes.map((size) => ({ ...size, ...group })));
}

const scalar: Expected = { shape: [] };

/** [...weights, ...first moments, ...second moments, ...gradients, gradientScale], the last two or none */
export const adaptive: Declaration<string, Count> = {
  inputs({ inputs, attrs }) {
    const tensors = Object.values(inputs);
    if (tensors.length <= 3 * attrs.weights) return groups(tensors, attrs, [{}, {}]);
    return [...groups(tensors, attrs, [{}, {}, {}]), scalar];
  },
};

/** [...weights, ...moments, ...gradients, gradientScale], the last two or none; in bfloat16 two gradients share an int32. */
function compactOf(dtype: 'float32' | 'int32'): Declaration<string, Count> {
  return {
    inputs({ inputs, attrs }) {
      const tensors = Object.values(inputs);
      const weights = groups(tensors, attrs, [{ dtypes: ['int32'] }]);
      if (tensors.length <= 2 * attrs.weights) return weights;
      const gradients = weights.slice(0, attrs.weights).map(({ size = 0 }): Expected => {
        return { dtypes: [dtype], size: dtype === 'int32' ? Math.ceil(size / 2) : size };
      });
      return [...weights, ...gradients, scalar];
    },
  };
}

export const compact = compactOf('float32');
export const compactBfloat16 = compactOf('int32');

export const bfloat16: Declaration<'x', { shape: number[] }> = {
  inputs: ({ attrs }) => ({
    x: { dtypes: ['int32'], size: Math.ceil(util.sizeFromShape(attrs.shape) / 2) },
  }),
};

/** Any number of tensors, of float32 or bfloat16. */
export const normBfloat16: Declaration<string, unknown> = { dtypes: ['float32', 'int32'] };
