import * as tf from '@tensorflow/tfjs-core';
import {
  type Activation,
  type Adjacency,
  AffineTransformer,
  MaskedAutoregressive,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  RandomStream,
  RationalQuadraticSpline,
  type Transformer,
} from 'tfjs-flows';

/** Values that read others in no order. */
export const graph: Adjacency = [
  [0, 0, 1, 0, 0],
  [1, 0, 0, 1, 0],
  [0, 0, 0, 0, 0],
  [0, 0, 1, 0, 0],
  [0, 0, 0, 0, 0],
];
/** Units whose levels do not stand in order, one of them standing for what no output reads alone. */
export const sets: Adjacency = [
  [1, 0, 1, 1, 0],
  [0, 0, 0, 0, 0],
  [0, 0, 1, 0, 0],
  [0, 0, 0, 1, 0],
  [0, 0, 0, 0, 1],
  [0, 0, 1, 0, 0],
];

const spline = () => new RationalQuadraticSpline({ bins: 5, bound: 3 });
const affine = () => new AffineTransformer();

export interface SweepCase {
  transformer?: () => Transformer;
  residual?: boolean;
  activation?: Activation;
  contextAs?: 'gates' | 'shifts' | 'inputs';
  order?: number[];
  passes?: number;
  adjacency?: Adjacency;
  /** Of residual blocks. */
  unitSets?: Adjacency;
  rows?: number;
}

/** Autoregressive layers whose inverse is one sweep. */
export const sweepCases: Record<string, SweepCase> = {
  splines: {},
  'affine maps': { transformer: affine },
  'affine maps, exp': { transformer: () => new AffineTransformer({ scale: 'exp' }) },
  'affine maps, softplus': { transformer: () => new AffineTransformer({ scale: 'softplus' }) },
  'affine maps, sigmoid': { transformer: () => new AffineTransformer({ scale: 'sigmoid' }) },
  circles: { transformer: () => new RationalQuadraticSpline({ bins: 4, bound: Math.PI, tails: 'circular' }) },
  'a box': { transformer: () => new RationalQuadraticSpline({ bins: 4, bound: 8, tails: 'none' }) },
  'one row': { rows: 1 },
  'many rows': { rows: 77, transformer: affine },
  'another order': { order: [3, 0, 4, 1, 2] },
  'two passes': { passes: 2 },
  'given adjacency': {
    adjacency: [
      [0, 0, 1, 0, 0],
      [1, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 1, 0, 0, 1],
      [0, 0, 0, 0, 0],
    ],
  },
  'residual blocks': { residual: true },
  'residual blocks of units whose levels do not stand in order': {
    residual: true,
    adjacency: graph,
    unitSets: sets,
  },
  'residual blocks, context in gates': { residual: true, contextAs: 'gates', activation: 'silu' },
  'residual blocks, context in shifts': { residual: true, contextAs: 'shifts', transformer: affine },
  'context beside the values': { contextAs: 'inputs', activation: 'gelu' },
  'context in shifts': { contextAs: 'shifts', activation: 'tanh', order: [4, 3, 2, 1, 0] },
};

export function sweepLayer(what: SweepCase) {
  const { transformer = spline, residual, activation, unitSets, contextAs, rows: _, ...who } = what;
  const hiddenUnits = unitSets?.length ?? 13;
  return new MaskedAutoregressive({
    inputShape: [5],
    transformer: transformer(),
    network: (adjacency, outputsPerValue) => {
      const options = { adjacency, outputsPerValue, activation, seed: 1 };
      const context = contextAs && { context: 2, contextAs };
      return residual
        ? new MaskedResidualPerceptron({ ...options, ...context, hiddenUnits, unitSets })
        : new MaskedPerceptron({ ...options, ...(context as object), hiddenUnits: [9, 14] });
    },
    ...who,
  });
}

/** Value and logDet of the inverse of a layer whose weights are drawn from a seed, on the active backend. */
export function sweepResults(what: SweepCase): tf.Tensor[] {
  const random = new RandomStream(5);
  const layer = sweepLayer(what);
  return tf.tidy(() => {
    for (const weight of layer.trainableWeights) weight.assign(random.normal(weight.shape, 0, 0.4));
    const { rows = 21 } = what;
    const y = random.normal([rows, 5]);
    const { value, logDet } = layer.inverse(y, what.contextAs && random.normal([rows, 2]));
    layer.dispose();
    return [value, logDet];
  });
}
