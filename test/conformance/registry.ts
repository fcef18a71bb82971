import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  ActNorm,
  AdditiveCoupling,
  AdditiveTransformer,
  type Adjacency,
  AffineCoupling,
  AffineTransformer,
  type Bijector,
  Bounded,
  Categorical,
  Chain,
  Circular,
  type ConditionerBuilder,
  type ContextOption,
  ConvolutionNetwork,
  Dequantize,
  Elementwise,
  Factorized,
  Flatten,
  HeavyTails,
  InvConv1x1,
  Invert,
  LayersNetwork,
  LearnedPrior,
  Linear,
  MarginalQuantiles,
  MaskedAutoregressive,
  MaskedPerceptron,
  type MaskedPerceptronOptions,
  MaskedResidualPerceptron,
  type MaskedResidualPerceptronOptions,
  MultilayerPerceptron,
  MultiScale,
  Ordered,
  type Padding,
  Permutation,
  type RandomStream,
  RationalQuadraticSpline,
  ResidualPerceptron,
  type Shape,
  Simplex,
  Split,
  Squeeze,
  Standardize,
  TransformerCoupling,
} from 'tfjs-flows';
import type { CheckOptions } from 'tfjs-flows/testing';
import { transformers } from '../support/transformers';

const image: Shape = [2, 4, 4];
const vector: Shape = [5];

const perceptronOf =
  (context?: ContextOption): ConditionerBuilder =>
  (inputShape, [units]) =>
    new MultilayerPerceptron({ inputShape, units, hiddenUnits: [8], activation: 'tanh', context, seed: 3 });
const perceptron = perceptronOf();

const masked =
  (options: Omit<MaskedPerceptronOptions, 'adjacency'>) => (adjacency: Adjacency, outputsPerValue: number) =>
    new MaskedPerceptron({
      hiddenUnits: [8, 8],
      activation: 'tanh',
      seed: 3,
      ...options,
      adjacency,
      outputsPerValue,
    });

const maskedResidual =
  (options: Omit<MaskedResidualPerceptronOptions, 'adjacency'>) =>
  (adjacency: Adjacency, outputsPerValue: number) =>
    new MaskedResidualPerceptron({
      hiddenUnits: 8,
      blocks: 1,
      activation: 'gelu',
      seed: 3,
      ...options,
      adjacency,
      outputsPerValue,
    });

const convolutions =
  (options: { actnorm: boolean; padding: Padding }): ConditionerBuilder =>
  (inputShape, outputShape) =>
    new ConvolutionNetwork({ inputShape, filters: outputShape[2], hiddenChannels: 6, seed: 3, ...options });

const conditioned =
  (context: ContextOption): ConditionerBuilder =>
  (inputShape, outputShape) =>
    new ConvolutionNetwork({ inputShape, filters: outputShape[2], hiddenChannels: 6, seed: 3, context });

const layersWithContext: ConditionerBuilder = ([d], [units]) => {
  const dense = (to: number, options: object) =>
    tfl.layers.dense({
      units: to,
      kernelInitializer: tfl.initializers.glorotNormal({ seed: 5 }),
      ...options,
    });
  const inputs = [tfl.input({ shape: [d] }), tfl.input({ shape: [3] })];
  const joined = tfl.layers.concatenate().apply(inputs) as tfl.SymbolicTensor;
  const hidden = dense(6, { activation: 'tanh' }).apply(joined);
  const outputs = dense(units, {}).apply(hidden) as tfl.SymbolicTensor;
  return new LayersNetwork({ model: tfl.model({ inputs, outputs }) });
};

const layersNetwork: ConditionerBuilder = ([d], [units]) =>
  new LayersNetwork({
    model: tfl.sequential({
      layers: [
        tfl.layers.dense({
          inputShape: [d],
          units: 6,
          activation: 'tanh',
          kernelInitializer: tfl.initializers.glorotNormal({ seed: 5 }),
        }),
        tfl.layers.dense({ units, kernelInitializer: 'zeros' }),
      ],
    }),
  });

const labels = (n: number): tf.Tensor =>
  tf.tidy(() =>
    tf.cast(
      tf.oneHot(
        tf.tensor1d(
          Array.from({ length: n }, (_, i) => i % 3),
          'int32',
        ),
        3,
      ),
      'float32',
    ),
  );

const level = (inputShape: Shape, last: boolean) =>
  Chain.from(
    inputShape,
    [
      (shape) => new Squeeze({ inputShape: shape }),
      (shape) => new ActNorm({ inputShape: shape }),
      (shape) => new InvConv1x1({ inputShape: shape, parameterization: 'lu', seed: 4 }),
      (shape) =>
        new AffineCoupling({ inputShape: shape, network: convolutions({ actnorm: true, padding: 'zero' }) }),
      (shape) =>
        last ? new LearnedPrior({ inputShape: shape, classes: 3 }) : new Split({ inputShape: shape }),
    ],
    last ? 'level1' : 'level0',
  );

/** Levels that nBits allows, moved into their bins; away from the ends, where the logit is steep. */
const levelsOf = (nBits: number, shape: Shape) => (n: number, random: RandomStream) =>
  random.uniform([n, ...shape], 1, 2 ** nBits - 1);

/** Every transformer in every layer that takes one. */
const transformed: Record<string, CheckOptions> = Object.fromEntries(
  Object.entries(transformers).flatMap(([name, { make, draw }]) => {
    const inputShape = [3];
    const sample =
      draw &&
      ((n: number, random: RandomStream) =>
        tf.tensor2d(
          Array.from({ length: 3 * n }, () => draw(random)),
          [n, 3],
        ));
    const layers: Record<string, () => Bijector> = {
      TransformerCoupling: () =>
        new TransformerCoupling({ inputShape, passthrough: 1, transformer: make(), network: perceptron }),
      MaskedAutoregressive: () =>
        new MaskedAutoregressive({ inputShape, transformer: make(), network: masked({}) }),
      Elementwise: () => new Elementwise({ inputShape, transformer: make() }),
    };
    return Object.entries(layers).map(([layer, create]) => [`${layer}, ${name}`, { create, sample }]);
  }),
);

/** Categories as points of their bins, away from the ends. */
const categories =
  (...counts: number[]) =>
  (n: number, random: RandomStream) =>
    tf.tidy(() =>
      tf.concat(
        counts.map((count) =>
          tf.add(tf.floor(random.uniform([n, 1], 0, count)), random.uniform([n, 1], 0.1, 0.9)),
        ),
        1,
      ),
    );

/** Shares of a whole, of two magnitudes. */
const shares = (n: number, count: number, random: RandomStream) =>
  tf.tidy(() => tf.softmax(random.normal([n, count], 0, 2)));

/** One line per bijector and variant: the conformance sweep runs every check on each. */
export const registry: Record<string, CheckOptions> = {
  ...transformed,
  'ActNorm, image': { create: () => new ActNorm({ inputShape: image }) },
  'ActNorm, vector': { create: () => new ActNorm({ inputShape: vector }) },
  'InvConv1x1, full, image': { create: () => new InvConv1x1({ inputShape: image, seed: 2 }) },
  'InvConv1x1, full, vector': { create: () => new InvConv1x1({ inputShape: vector, seed: 2 }) },
  'InvConv1x1, lu, image': {
    create: () => new InvConv1x1({ inputShape: image, parameterization: 'lu', seed: 2 }),
  },
  'InvConv1x1, lu, vector': {
    create: () => new InvConv1x1({ inputShape: vector, parameterization: 'lu', seed: 2 }),
  },
  'Linear, lu': { create: () => new Linear({ inputShape: vector }) },
  'Linear, lu, one dimension, no bias': { create: () => new Linear({ inputShape: [1], bias: false }) },
  'Linear, householder': {
    create: () => new Linear({ inputShape: vector, form: 'householder', reflections: 3, seed: 2 }),
  },
  'Linear, rotation': { create: () => new Linear({ inputShape: vector, form: 'rotation' }) },
  'Chain, actnorm and linear': {
    create: () =>
      Chain.from(vector, [
        (inputShape) => new ActNorm({ inputShape }),
        (inputShape) => new Linear({ inputShape }),
      ]),
  },
  'Permutation, reverse': { create: () => new Permutation({ inputShape: image }) },
  'Permutation, shuffle': { create: () => new Permutation({ inputShape: image, order: 'shuffle', seed: 2 }) },
  'Permutation, given': { create: () => new Permutation({ inputShape: vector, order: [4, 0, 3, 1, 2] }) },
  'AffineCoupling, sigmoid, image': {
    create: () =>
      new AffineCoupling({ inputShape: image, network: convolutions({ actnorm: true, padding: 'zero' }) }),
  },
  'AffineCoupling, exp, image, edge padding': {
    create: () =>
      new AffineCoupling({
        inputShape: image,
        scale: 'exp',
        network: convolutions({ actnorm: false, padding: 'edge' }),
      }),
  },
  'AffineCoupling, sigmoid, image, padding with ones': {
    create: () =>
      new AffineCoupling({ inputShape: image, network: convolutions({ actnorm: false, padding: 'one' }) }),
  },
  'AffineCoupling, exp, vector': {
    create: () =>
      new AffineCoupling({ inputShape: vector, passthrough: 2, scale: 'exp', network: perceptron }),
  },
  'AffineCoupling, tfjs-layers model': {
    create: () => new AffineCoupling({ inputShape: [4], network: layersNetwork }),
  },
  'AffineCoupling, with context': {
    create: () =>
      new AffineCoupling({
        inputShape: [4],
        network: perceptronOf(3),
      }),
    context: labels,
  },
  'AffineCoupling, image, vector as context': {
    create: () => new AffineCoupling({ inputShape: image, network: conditioned(3) }),
    context: labels,
  },
  'AdditiveCoupling, image, image as context': {
    create: () => new AdditiveCoupling({ inputShape: image, network: conditioned([2, 4, 2]) }),
    context: (n, random) => random.normal([n, 2, 4, 2]),
  },
  'AffineCoupling, image, vectors and image by name': {
    create: () =>
      new AffineCoupling({
        inputShape: image,
        scale: 'exp',
        network: conditioned({ pose: 2, edges: [2, 4, 1], light: 1 }),
      }),
    context: (n, random) => ({
      edges: random.normal([n, 2, 4, 1]),
      light: random.normal([n, 1]),
      pose: random.normal([n, 2]),
    }),
  },
  'AffineCoupling, tfjs-layers model with a context': {
    create: () => new AffineCoupling({ inputShape: [4], network: layersWithContext }),
    context: labels,
  },
  'AdditiveCoupling, image': {
    create: () =>
      new AdditiveCoupling({ inputShape: image, network: convolutions({ actnorm: true, padding: 'edge' }) }),
  },
  'AdditiveCoupling, vector': {
    create: () => new AdditiveCoupling({ inputShape: vector, passthrough: 3, network: perceptron }),
  },
  'AffineCoupling, sigmoid, image, scattered channels': {
    create: () =>
      new AffineCoupling({
        inputShape: image,
        passthrough: [false, true, false, true],
        network: convolutions({ actnorm: true, padding: 'zero' }),
      }),
  },
  'AdditiveCoupling, vector, scattered channels': {
    create: () =>
      new AdditiveCoupling({
        inputShape: vector,
        passthrough: [true, false, true, true, false],
        network: perceptron,
      }),
  },
  'TransformerCoupling, passed values transformed': {
    create: () =>
      new TransformerCoupling({
        inputShape: vector,
        passthrough: 2,
        transformer: new RationalQuadraticSpline({ bins: 4, bound: 3 }),
        passed: new RationalQuadraticSpline({ bins: 5, bound: 2 }),
        network: perceptron,
      }),
  },
  'TransformerCoupling, scattered values, passed ones transformed, with context': {
    create: () =>
      new TransformerCoupling({
        inputShape: vector,
        passthrough: [false, true, true, false, true],
        transformer: new AffineTransformer(),
        passed: new RationalQuadraticSpline({ bins: 4, bound: 3 }),
        network: perceptronOf(3),
      }),
    context: labels,
  },
  'TransformerCoupling, image': {
    create: () =>
      new TransformerCoupling({
        inputShape: image,
        transformer: new RationalQuadraticSpline({ bins: 3 }),
        passed: new AffineTransformer({ scale: 'softplus' }),
        network: convolutions({ actnorm: false, padding: 'zero' }),
      }),
  },
  'TransformerCoupling, image, network set by the first batch': {
    create: () =>
      new TransformerCoupling({
        inputShape: image,
        transformer: new AffineTransformer({ scale: 'sigmoid' }),
        passed: new AdditiveTransformer(),
        network: convolutions({ actnorm: true, padding: 'edge' }),
      }),
  },
  'Elementwise, image': {
    create: () =>
      new Elementwise({ inputShape: image, transformer: new RationalQuadraticSpline({ bins: 3 }) }),
  },
  'Elementwise, one value, parts of a context by name': {
    create: () =>
      new Elementwise({
        inputShape: [1],
        transformer: new RationalQuadraticSpline({ bins: 4, bound: 3 }),
        context: { map: [2, 2], pose: 2 },
        network: perceptron,
      }),
    context: (n, random) => ({ pose: random.normal([n, 2]), map: random.normal([n, 2, 2]) }),
  },
  'Elementwise, image, with context': {
    create: () =>
      new Elementwise({
        inputShape: image,
        transformer: new AffineTransformer({ scale: 'exp', limit: 2 }),
        context: 3,
        network: perceptron,
      }),
    context: labels,
  },
  'MaskedAutoregressive, two passes, another order, with context': {
    create: () =>
      new MaskedAutoregressive({
        inputShape: vector,
        order: [3, 0, 4, 1, 2],
        passes: 2,
        transformer: new RationalQuadraticSpline({ bins: 3 }),
        network: masked({ context: 3 }),
      }),
    context: labels,
  },
  'MaskedAutoregressive, given adjacency, turned round': {
    create: () =>
      new Invert({
        bijector: new MaskedAutoregressive({
          inputShape: [3],
          adjacency: [
            [0, 0, 1],
            [1, 0, 0],
            [0, 0, 0],
          ],
          transformer: new RationalQuadraticSpline({ bins: 3, bound: 4 }),
          network: masked({}),
        }),
      }),
  },
  'MaskedAutoregressive, residual network, context by names, dropout': {
    create: () =>
      new MaskedAutoregressive({
        inputShape: vector,
        transformer: new RationalQuadraticSpline({ bins: 3 }),
        network: maskedResidual({ context: { map: [2, 2], pose: 2 }, dropout: 0.3 }),
      }),
    context: (n, random) => ({ pose: random.normal([n, 2]), map: random.normal([n, 2, 2]) }),
  },
  'MaskedAutoregressive, residual network without activations between blocks, turned round': {
    create: () =>
      new Invert({
        bijector: new MaskedAutoregressive({
          inputShape: [3],
          order: [1, 2, 0],
          transformer: new AffineTransformer({ scale: 'exp', limit: 2 }),
          network: maskedResidual({
            activation: 'elu',
            preactivated: false,
            contextAs: 'inputs',
            blocks: 2,
            context: 3,
          }),
        }),
      }),
    context: labels,
  },
  'MaskedAutoregressive, circle, periodic network, context that shifts': {
    create: () =>
      new MaskedAutoregressive({
        inputShape: [3],
        transformer: new RationalQuadraticSpline({ bins: 3, bound: Math.PI, tails: 'circular' }),
        network: masked({ periodic: 2 * Math.PI, contextAs: 'shifts', context: 3, activation: 'silu' }),
      }),
    context: labels,
    sample: (n, random) => random.uniform([n, 3], -3, 3),
  },
  'MaskedAutoregressive, one value, with context': {
    create: () =>
      new MaskedAutoregressive({
        inputShape: [1],
        transformer: new RationalQuadraticSpline({ bins: 3 }),
        network: maskedResidual({ context: 3 }),
      }),
    context: labels,
  },
  'AffineCoupling, residual network with context': {
    create: () =>
      new AffineCoupling({
        inputShape: [4],
        network: (inputShape, [units]) =>
          new ResidualPerceptron({
            inputShape,
            units,
            hiddenUnits: 8,
            activation: 'silu',
            dropout: 0.3,
            context: 3,
            seed: 3,
          }),
      }),
    context: labels,
  },
  Squeeze: { create: () => new Squeeze({ inputShape: [4, 2, 3] }) },
  Flatten: { create: () => new Flatten({ inputShape: [2, 3, 2] }) },
  'Split, image': { create: () => new Split({ inputShape: image }) },
  'Split, with context': {
    create: () => new Split({ inputShape: image, network: conditioned(2) }),
    context: (n, random) => random.normal([n, 2]),
  },
  'Split, vector': { create: () => new Split({ inputShape: [6] }) },
  'LearnedPrior, per channel': { create: () => new LearnedPrior({ inputShape: image }) },
  'LearnedPrior, border': { create: () => new LearnedPrior({ inputShape: image, kind: 'border' }) },
  'LearnedPrior, spatial, classes': {
    create: () => new LearnedPrior({ inputShape: image, kind: 'spatial', classes: 3 }),
    context: labels,
  },
  'LearnedPrior, constant, classes': {
    create: () => new LearnedPrior({ inputShape: vector, kind: 'constant', classes: 3 }),
    context: labels,
  },
  'Dequantize, centered': {
    create: () => new Dequantize({ inputShape: [2, 2, 3], nBits: 3 }),
    sample: levelsOf(3, [2, 2, 3]),
  },
  'Dequantize, unit': {
    create: () => new Dequantize({ inputShape: [2, 2, 3], nBits: 3, preprocessing: 'unit' }),
    sample: levelsOf(3, [2, 2, 3]),
  },
  'Dequantize, logit': {
    create: () => new Dequantize({ inputShape: [2, 2, 3], nBits: 3, preprocessing: 'logit' }),
    sample: levelsOf(3, [2, 2, 3]),
  },
  'LearnedPrior, classes by name': {
    create: () => new LearnedPrior({ inputShape: image, classes: { labels: 3 } }),
    context: (n) => ({ labels: labels(n) }),
  },
  'Chain, parts of a context by name': {
    create: () =>
      Chain.from(vector, [
        (inputShape) => new ActNorm({ inputShape }),
        (inputShape) =>
          new Invert({
            bijector: new AffineCoupling({
              inputShape,
              passthrough: 2,
              network: perceptronOf({ map: [2, 2], pose: 2 }),
            }),
          }),
        (inputShape) => new LearnedPrior({ inputShape, classes: { labels: 3 } }),
      ]),
    context: (n, random) => ({
      pose: random.normal([n, 2]),
      labels: labels(n),
      map: random.normal([n, 2, 2]),
    }),
  },
  Chain: {
    create: () =>
      Chain.from(vector, [
        (inputShape) => new ActNorm({ inputShape }),
        (inputShape) => new InvConv1x1({ inputShape, seed: 6 }),
        (inputShape) => new AffineCoupling({ inputShape, passthrough: 2, network: perceptron }),
      ]),
  },
  Invert: {
    create: () =>
      new Invert({
        bijector: new AffineCoupling({ inputShape: vector, passthrough: 2, network: perceptron }),
      }),
  },
  MultiScale: {
    create: () => new MultiScale({ levels: [level([4, 4, 1], false), level([2, 2, 2], true)] }),
    context: labels,
  },
  'Bounded, above an end': {
    create: () => new Bounded({ inputShape: vector, low: -1 }),
    sample: (n, random) => random.uniform([n, 5], -0.9, 8),
  },
  'Bounded, above 0 by logarithms, image': {
    create: () => new Bounded({ inputShape: image, low: 0, map: 'log' }),
    sample: (n, random) => random.uniform([n, ...image], 0.3, 3),
  },
  'Bounded, below an end': {
    create: () => new Bounded({ inputShape: vector, high: 2 }),
    sample: (n, random) => random.uniform([n, 5], -8, 1.9),
  },
  'Bounded, between two': {
    create: () => new Bounded({ inputShape: vector, low: -1, high: 3 }),
    sample: (n, random) => random.uniform([n, 5], -0.9, 2.9),
  },
  MarginalQuantiles: { create: () => new MarginalQuantiles({ inputShape: vector, bins: 6 }) },
  'HeavyTails, asinh': { create: () => new HeavyTails({ inputShape: vector }) },
  'HeavyTails, Yeo-Johnson': { create: () => new HeavyTails({ inputShape: vector, map: 'yeoJohnson' }) },
  Ordered: {
    create: () => new Ordered({ inputShape: [4] }),
    sample: (n, random) =>
      tf.tidy(() =>
        tf.add(random.uniform([n, 4], 0.1, 0.9), tf.mul(tf.range(0, 4), random.uniform([n, 1], 1, 3))),
      ),
  },
  Simplex: {
    create: () => new Simplex({ inputShape: [4] }),
    sample: (n, random) => shares(n, 4, random),
    free: [0, 1, 2],
  },
  Standardize: { create: () => new Standardize({ inputShape: vector }) },
  Categorical: { create: () => new Categorical({ categories: 4 }), sample: categories(4) },
  'Categorical, with context': {
    create: () => new Categorical({ categories: 3, context: { '': 3, before: 2 }, network: perceptron }),
    sample: categories(3),
    context: (n, random) => ({ '': labels(n), before: random.normal([n, 2]) }),
  },
  Circular: {
    create: () => new Circular({ low: 0, high: 24 }),
    sample: (n, random) => random.uniform([n, 1], 2, 22),
  },
  'Circular, with context': {
    create: () => new Circular({ bins: 4, context: 3, network: perceptron }),
    sample: (n, random) => random.uniform([n, 1], -2.5, 2.5),
    context: labels,
  },
  'Factorized, heads, context, one column fewer': {
    create: () =>
      new Factorized({
        inputShape: [6],
        factors: [
          { columns: [4], bijector: new Categorical({ categories: 3, context: 3, network: perceptron }) },
          {
            columns: [1],
            bijector: new Circular({ bins: 4, context: { '': 3, before: 3 }, network: perceptron }),
          },
          { columns: [5, 0, 3], bijector: new Simplex({ inputShape: [3] }) },
          {
            columns: [2],
            bijector: new Categorical({
              categories: 2,
              context: { before: 5 },
              network: perceptron,
              name: 'last',
            }),
          },
        ],
      }),
    sample: (n, random) =>
      tf.tidy(() => {
        const [first, second, third] = tf.split(shares(n, 3, random), 3, 1);
        const kind = categories(3)(n, random);
        return tf.concat(
          [second, random.uniform([n, 1], -2.5, 2.5), categories(2)(n, random), third, kind, first],
          1,
        );
      }),
    context: labels,
    free: [0, 1, 2, 4, 5],
  },
};
