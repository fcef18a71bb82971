import {
  AdditiveTransformer,
  AffineTransformer,
  HalfTurn,
  type RandomStream,
  RationalQuadraticSpline,
  type Transformer,
} from 'tfjs-flows';
import { DeepSigmoids } from './deepSigmoids';

/** A transformer in one of its forms. */
export interface TransformerForm {
  make: () => Transformer;
  /** A value that it takes; normal numbers of this deviation where none is said. */
  draw?: (random: RandomStream) => number;
  /** What zeros do to a value between 0 and 1, a line there; the identity where not said. */
  ofZeros?: Record<'forward' | 'inverse', (value: number) => number>;
}

const sigmoidOfZeros = 1 / (1 + Math.exp(-2)) + 1e-3;
const halfTurn = (x: number) => x - (x < 0 ? -Math.PI : Math.PI);

/** Every transformer in every form that its options give. */
export const transformers: Record<string, TransformerForm> = {
  additive: { make: () => new AdditiveTransformer() },
  'affine, softclip': { make: () => new AffineTransformer() },
  'affine, exp': { make: () => new AffineTransformer({ scale: 'exp', limit: 3 }) },
  'affine, softplus': { make: () => new AffineTransformer({ scale: 'softplus', minimum: 0.01 }) },
  'affine, sigmoid': {
    make: () => new AffineTransformer({ scale: 'sigmoid' }),
    ofZeros: { forward: (x) => x * sigmoidOfZeros, inverse: (y) => y / sigmoidOfZeros },
  },
  // Half of the values in the tails.
  'spline, linear tails': {
    make: () => new RationalQuadraticSpline({ bins: 4, bound: 3 }),
    draw: (random) => 4 * random.normalNumber(),
  },
  'spline, softclip': {
    make: () => new RationalQuadraticSpline({ bins: 4, bound: 3, limits: 'softclip' }),
    draw: (random) => 3 * random.normalNumber(),
  },
  'spline, learned box': {
    make: () => new RationalQuadraticSpline({ bins: 4, bound: 2, box: 'learned' }),
    draw: (random) => 3 * random.normalNumber(),
  },
  'spline, learned box, softclip': {
    make: () =>
      new RationalQuadraticSpline({ bins: 3, bound: 3, minimum: 0.01, box: 'learned', limits: 'softclip' }),
  },
  'spline, circle': {
    make: () => new RationalQuadraticSpline({ bins: 4, bound: Math.PI, tails: 'circular' }),
    // Not on a knot, where the slope of the log-derivative jumps.
    draw: (random) => 5.8 * random.uniformNumber() - 2.9,
  },
  'spline, box': {
    make: () => new RationalQuadraticSpline({ bins: 4, bound: 1, tails: 'none' }),
    draw: (random) => 1.98 * random.uniformNumber() - 0.99,
  },
  'spline after half a turn': {
    make: () => new HalfTurn({ transformer: new RationalQuadraticSpline({ bins: 4, bound: Math.PI }) }),
    // Not where the ends of the spline come to lie, nor on a knot.
    draw: (random) => (random.uniformNumber() < 0.5 ? -1 : 1) * (2.8 * random.uniformNumber() + 0.1),
    ofZeros: { forward: halfTurn, inverse: halfTurn },
  },
  'deep sigmoids': { make: () => new DeepSigmoids({ units: 2 }) },
};
