export type { AffineScale } from '../scaleMaps';
export { AdditiveTransformer } from './additiveTransformer';
export { AffineTransformer, type AffineTransformerOptions } from './affineTransformer';
export { HalfTurn, type HalfTurnOptions } from './halfTurn';
export { MonotoneTransformer } from './monotoneTransformer';
export { RationalQuadraticSpline, type SplineOptions } from './rationalQuadraticSpline';
export type { SplineLimits, SplineTails } from './splineKnots';
export { type ElementwiseResult, Transformer } from './transformer';
