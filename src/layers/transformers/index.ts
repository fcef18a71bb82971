export { AdditiveTransformer } from './additiveTransformer';
export { type AffineScale, AffineTransformer, type AffineTransformerOptions } from './affineTransformer';
export {
  RationalQuadraticSpline,
  type SplineOptions,
  type SplineTails,
} from './rationalQuadraticSpline';
export { type ElementwiseResult, Transformer } from './transformer';
